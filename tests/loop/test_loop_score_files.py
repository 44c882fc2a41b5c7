"""Scores in files: read as they were written, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrl.chem import HasAlert, SimilarityTo, logp
from mrl.errors import ReadError
from mrl.loop import (
    TASKS,
    Command,
    Component,
    Gaussian,
    Identity,
    Imported,
    Score,
    Step,
    ValueMap,
    load_score,
    save_score,
    task,
)


@pytest.mark.parametrize("suffix", ["toml", "json"])
@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_read_as_it_was_written(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"score.{suffix}"
    save_score(task(name), path)
    assert load_score(path) == task(name)


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_every_kind_of_function_is_read_as_it_was_written(suffix: str, tmp_path: Path) -> None:
    score = Score(
        (
            Component(
                'a "name" = \\ with\ttabs',
                Command(["dock", "--grid", "a b.json"], timeout=5, jobs=2),
                Gaussian(-9, 2),
                3,
            ),
            Component("imported", Imported("mrl.chem:rings", jobs=2), ValueMap({0: 1, 1.5: 0.25}, other=0.125)),
            Component("alerts", HasAlert("BRENK"), Step(high=0)),
            Component("similar", SimilarityTo("C/C=C\\C", "atompair"), Identity()),
            Component("logp", logp, Gaussian(2, 1, "above")),
        ),
        "arithmetic",
    )
    path = tmp_path / f"score.{suffix}"
    save_score(score, path)
    assert load_score(path) == score


def test_a_function_that_a_file_cannot_name_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"component 'length': a file cannot name.*Imported"):
        save_score(Score((Component("length", len, Identity()),)), tmp_path / "a.toml")
    assert not list(tmp_path.iterdir())


GOOD = '[[component]]\nname = "a"\nfunction = "qed"\ntransform = { kind = "identity" }\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "is not TOML"),
        ("", "the score has no entry 'component'"),
        (GOOD.replace('"qed"', '"qeed"'), "component 'a': 'qeed' is not a property .did you mean 'qed'"),
        (GOOD.replace("kind", "knid"), "component 'a': its transform is .*expected a table such as"),
        (
            GOOD.replace('"identity"', '"gausian"'),
            "component 'a': 'gausian' is not a transform .did you mean 'gaussian'",
        ),
        (
            GOOD.replace('"identity"', '"gaussian", mu = 1'),
            "component 'a': its transform 'gaussian' has no entry 'sigma'",
        ),
        (GOOD + "wieght = 2\n", "component 'a' has an unknown entry 'wieght' .did you mean 'weight'"),
        (GOOD.replace('transform = { kind = "identity" }', ""), "component 'a' has no entry 'transform'"),
        ('aggregate = "mean"\n' + GOOD, "aggregate is 'mean'; expected 'geometric' or 'arithmetic'"),
        (GOOD.replace('"qed"', '{ kind = "similarity", target = "C(" }'), "component 'a': .*is not a molecule"),
        (
            GOOD.replace('"qed"', '{ kind = "substructure", smarts = 3 }'),
            "its function 'substructure' cannot be made of",
        ),
        (GOOD.replace('"identity"', '"value_map", scores = 3'), "its transform 'value_map' cannot be made of"),
        (GOOD.replace('"qed"', '{ kind = "model", model = "nowhere" }'), "component 'a': .*nowhere"),
    ],
)
def test_a_mistake_in_a_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "score.toml"
    path.write_text(text)
    with pytest.raises(ReadError, match=message) as caught:
        load_score(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"\xf0\x01\x00", b"[" * 100_000, b"a = " + b"[" * 100_000])
def test_a_file_that_is_not_text_or_too_deep_is_an_error_that_names_it(data: bytes, tmp_path: Path) -> None:
    for name, kind in (("score.toml", "TOML"), ("score.json", "JSON")):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ReadError, match=f"{name} is not {kind}: "):
            load_score(path)
