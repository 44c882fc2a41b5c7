"""Scores as files: TOML or JSON, one table per component, read and written."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from mrl.chem import (
    PROPERTIES,
    ElementCount,
    FormulaMatch,
    HasAlert,
    SimilarityTo,
    Substructure,
    bertz_complexity,
)
from mrl.errors import ReadError
from mrl.files import AnyPath, write_atomic
from mrl.loop.scores.functions import Command, Imported, Property
from mrl.loop.scores.predicted import Predicted
from mrl.loop.scores.score import Component, Score
from mrl.loop.scores.transforms import TRANSFORMS, Transform, ValueMap
from mrl.messages import did_you_mean, format_names, format_value
from mrl.qsar import PropertyModel

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "similarity": SimilarityTo,
    "substructure": Substructure,
    "elements": ElementCount,
    "alerts": HasAlert,
    "formula": FormulaMatch,
    "command": Command,
    "python": Imported,
    "model": Predicted,
}
"""The functions by their names in files, besides those of the properties."""


def load_score(path: AnyPath) -> Score:
    """Return the score in a TOML or JSON file.

    Parameters
    ----------
    path : str or path
        A ``.toml`` or ``.json`` file; docs/improve.md describes its entries. A component that names a Python function
        imports its module, and one that names a command runs it: use files that you trust.

    Returns
    -------
    Score

    Raises
    ------
    ReadError
        The file is not one of a score: the component, the entry and what was expected; a ValueError.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "score.toml"
    >>> _ = path.write_text('''
    ... aggregate = "geometric"
    ...
    ... [[component]]
    ... name = "drug-likeness"
    ... function = "qed"
    ... transform = { kind = "identity" }
    ...
    ... [[component]]
    ... name = "logP"
    ... function = "logp"
    ... transform = { kind = "gaussian", mu = 2.5, sigma = 1 }
    ... weight = 2
    ... ''')
    >>> load_score(path).names
    ('drug-likeness', 'logP')
    """
    path = Path(path)
    data = path.read_bytes()
    try:
        text = data.decode()
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise ReadError(f"{path} is not {kind}: {error}", path=str(path)) from None
    try:
        return score_from(document)
    except (ValueError, TypeError) as error:
        raise ReadError(f"{path}: {error}", path=str(path)) from None


def save_score(score: Score, path: AnyPath) -> None:
    """Write a score to a TOML or JSON file, completely or not at all.

    Parameters
    ----------
    score : Score
        Of functions that a file can name: properties, measures, commands, models, `Imported` functions.
    path : str or path
        A ``.toml`` or ``.json`` file.

    Raises
    ------
    TypeError
        A component has a function that a file cannot name.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.loop import task
    >>> path = Path(tempfile.mkdtemp()) / "score.toml"
    >>> save_score(task("median1"), path)
    >>> load_score(path) == task("median1")
    True
    """
    document = document_of(score)
    path = Path(path)
    text = json.dumps(document, indent=2) + "\n" if path.suffix == ".json" else _toml(document)
    write_atomic(path, text)


def score_from(document: Mapping[str, Any]) -> Score:
    """Return the score of a document, as a file holds it."""
    _require_keys("the score", document, ("aggregate", "component"), ("component",))
    parts = document["component"]
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise ValueError("component is not a list of tables; write one [[component]] for each")
    return Score(tuple(_component(part, n) for n, part in enumerate(parts, 1)), document.get("aggregate", "geometric"))


def document_of(score: Score) -> dict[str, Any]:
    """Return a score as a document of JSON values."""
    parts = []
    for component in score.components:
        part: dict[str, Any] = {"name": component.name, "function": _function_document(component)}
        part["transform"] = _transform_document(component.transform)
        if component.weight != 1:
            part["weight"] = component.weight
        parts.append(part)
    return {"aggregate": score.aggregate, "component": parts}


def identity_of(score: Score) -> dict[str, Any]:
    """Return JSON values that are equal for equal scores, in any process; a user's function counts by its name."""
    parts = []
    for component in score.components:
        function = component.function
        try:
            described = _function_document(component)
        except TypeError:
            described = f"{type(function).__module__}.{type(function).__qualname__}"
            if isinstance(function, FunctionType):
                described = f"{function.__module__}.{function.__qualname__}"
        parts.append([component.name, described, _transform_document(component.transform), component.weight])
    return {"aggregate": score.aggregate, "components": parts}


def _component(part: Mapping[str, Any], number: int) -> Component:
    where = f"component {part.get('name', number)!r}"
    _require_keys(where, part, ("name", "function", "transform", "weight"), ("name", "function", "transform"))
    try:
        function = _function(part["function"])
        transform = _transform(part["transform"])
        return Component(part["name"], function, transform, part.get("weight", 1.0))
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(f"{where}: {error}") from None


def _function(entry: Any) -> Any:
    if isinstance(entry, str):
        if entry in PROPERTIES or entry == bertz_complexity.__name__:
            return PROPERTIES.get(entry, bertz_complexity)
        return Property(entry)  # raises, with the names of all properties
    return _made(entry, FUNCTIONS, "function")


def _transform(entry: Any) -> Transform:
    entry = {"kind": entry} if isinstance(entry, str) else entry
    if isinstance(entry, Mapping) and entry.get("kind") == "value_map" and isinstance(entry.get("scores"), Mapping):
        entry = {**entry, "scores": {float(value): score for value, score in entry["scores"].items()}}
    made: Transform = _made(entry, TRANSFORMS, "transform")
    return made


def _made(entry: Any, kinds: Mapping[str, Callable[..., Any]], what: str) -> Any:
    """Return the object that a table with the entry `kind` describes."""
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise ValueError(
            f"its {what} is {format_value(entry)}; expected a table such as {{ kind = {next(iter(kinds))!r} }}"
        )
    kind = entry["kind"]
    if kind not in kinds:
        raise ValueError(
            f"{kind!r} is not a {what}{did_you_mean(str(kind), kinds)}; choose one of {format_names(kinds)}"
        )
    settings = {key: value for key, value in entry.items() if key != "kind"}
    fields = dataclasses.fields(kinds[kind])  # type: ignore[arg-type]
    needed = tuple(one.name for one in fields if one.default is dataclasses.MISSING)
    _require_keys(f"its {what} {kind!r}", settings, tuple(one.name for one in fields), needed)
    try:
        return kinds[kind](**settings)
    except (AttributeError, OverflowError) as error:  # a number where a text belongs, or more than a float holds
        raise ValueError(f"its {what} {kind!r} cannot be made of {format_value(settings)}: {error}") from None


def _require_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(
                f"{where} has an unknown entry {key!r}{did_you_mean(key, known)}; known: {format_names(known)}"
            )
    missing = [key for key in needed if key not in table]
    if missing:
        raise ValueError(f"{where} has no entry {format_names(missing)}")


def _function_document(component: Component) -> Any:
    function = component.function
    if isinstance(function, Property):
        return function.name
    for name, known in {**PROPERTIES, bertz_complexity.__name__: bertz_complexity}.items():
        if function is known:
            return name
    for kind, made in FUNCTIONS.items():
        if type(function) is made and not (
            isinstance(function, Predicted) and isinstance(function.model, PropertyModel)
        ):
            return {"kind": kind, **_settings(function)}
    raise TypeError(
        f"component {component.name!r}: a file cannot name the function {format_value(function)}; give the score "
        "Imported('package.module:function') or the path of a model instead"
    )


def _transform_document(transform: Transform) -> dict[str, Any]:
    names = [name for name, made in TRANSFORMS.items() if type(transform) is made]
    if not names:
        return {"kind": f"{type(transform).__module__}.{type(transform).__qualname__}", "settings": repr(transform)}
    kind, settings = names[0], _settings(transform)
    if isinstance(transform, ValueMap):
        settings["scores"] = {f"{value:g}": score for value, score in transform.scores.items()}
    return {"kind": kind, **settings}


def _settings(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not at their defaults."""
    found = {}
    for field in dataclasses.fields(value):
        setting = getattr(value, field.name)
        if setting != field.default:
            found[field.name] = _plain(setting)
    return found


def _plain(setting: Any) -> Any:
    return list(setting) if isinstance(setting, tuple) else str(setting) if isinstance(setting, Path) else setting


def _toml(document: Mapping[str, Any]) -> str:
    lines = [f"aggregate = {_value(document['aggregate'])}"]
    for part in document["component"]:
        lines += ["", "[[component]]", *(f"{key} = {_value(value)}" for key, value in part.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Return a value in TOML; strings and numbers are written as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key)
