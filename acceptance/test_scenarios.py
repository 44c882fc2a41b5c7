"""What new users do, each job as they would do it, with the installed package: `make acceptance`.

Each test is one job, in a folder of its own, by public names and commands, with nothing of the checkout.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

import mrl


def mrl_command(*words: object, status: int = 0, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command of mrl in the current folder."""
    command = [sys.executable, "-m", "mrl", *map(str, words)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert result.returncode == status, result.stdout + result.stderr
    return result


def run_script(code: str, *words: object) -> str:
    """Run a script of the user, with `if __name__ == "__main__"` where it has one."""
    Path("script.py").write_text(textwrap.dedent(code), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "script.py", *map(str, words)], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def molecules() -> list[str]:
    return mrl.load_sample().smiles[:2000].tolist()


def write_csv(molecules: list[str], path: str = "molecules.csv") -> None:
    rows = [f"{smiles},{len(smiles) / 10},{i % 2}" for i, smiles in enumerate(molecules)]
    Path(path).write_text("\n".join(["smiles,logS,active", *rows]) + "\n", encoding="utf-8")


def test_the_installed_package_is_tested() -> None:
    assert "site-packages" in str(Path(mrl.__file__))


def test_1_a_csv_a_vocabulary_a_dataset_batches(molecules: list[str]) -> None:
    write_csv(molecules)
    table = mrl.read("molecules.csv", targets=["logS"])
    vocab = mrl.SmilesVocab.from_data(table.smiles)
    x, y = next(iter(mrl.TextDataset(table.smiles, vocab).dataloader(32, shuffle=True)))
    assert x.shape == y.shape
    assert (x[:, 1:] == y[:, :-1]).all()
    assert x.dtype == torch.int64


def test_2_the_names_of_the_notebook(molecules: list[str]) -> None:
    out = run_script(
        """
        from mrl.dataloaders import *
        smiles = ["CCO", "c1ccccc1Br"]
        vocab = CharacterVocab(SMILES_CHAR_VOCAB)
        ds = TextDataset(smiles, vocab)
        x, y = next(iter(ds.dataloader(2, num_workers=0)))
        print([vocab.reconstruct(row) for row in x])
        """
    )
    assert "CCO" in out


def test_3_a_wrong_file_is_reported_and_the_advice_works() -> None:
    text = "Smiles,logS\r\nCCO,1\r\n ,2\r\nCC |&1:1|,3\r\nC(,4\r\nc1ccccc1,5\r\n"
    Path("bad.csv").write_bytes(text.encode())
    table = mrl.read("bad.csv")
    assert table.smiles.tolist()[0] == "CCO"
    assert len(table.smiles) + len(table.rejects) == 5
    with pytest.raises(mrl.errors.ColumnError) as caught:
        mrl.read("bad.csv", smiles="smile")
    assert "Smiles" in str(caught.value)
    assert mrl.read("bad.csv", smiles="Smiles").smiles.tolist()[0] == "CCO"
    cleaned = mrl.clean(table.smiles, "none")
    assert len(cleaned.smiles) + len(cleaned.rejects) == len(table.smiles)
    assert [reject.text for reject in cleaned.rejects if reject.text == "C("] == ["C("]
    mrl_command("clean", "bad.csv", "-o", "good.csv", "--rejects", "left_out.csv")
    kept, left = Path("good.csv").read_text().splitlines(), Path("left_out.csv").read_text().splitlines()
    assert len(kept) - 1 + len(left) - 1 == 5


def test_4_is_any_molecule_changed(molecules: list[str]) -> None:
    write_csv(molecules)
    mrl_command("vocab", "learn", "molecules.csv", "-o", "vocab.json")
    shown = json.loads(mrl_command("vocab", "check", "vocab.json", "molecules.csv", "--json").stdout)
    assert (shown["rows"], shown["changed"], shown["unknown"], shown["not_read"]) == (2000, [], [], [])


def test_5_a_vocabulary_is_the_same_everywhere(molecules: list[str]) -> None:
    write_csv(molecules)
    for seed in "12":
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "mrl", "vocab", "learn", "molecules.csv", "-o", f"vocab{seed}.json"]
        subprocess.run(command, check=True, env=environment, capture_output=True)
    assert Path("vocab1.json").read_bytes() == Path("vocab2.json").read_bytes()
    vocab = mrl.Vocab.load("vocab1.json")
    assert vocab.decode(vocab.encode(molecules)) == molecules


def test_6_a_vocabulary_and_a_dataset_of_ones_own() -> None:
    class Words(mrl.Vocab):
        def tokenize(self, input: str) -> list[str]:
            return ["bos", *input.split("-"), "eos"]

        def reconstruct(self, input, **options):  # type: ignore[no-untyped-def]
            return "-".join(self.itos[i] for i in input if i > 3)

    class Labelled(mrl.TextDataset):
        def __getitem__(self, i):  # type: ignore[no-untyped-def]
            return super().__getitem__(i), len(self.smiles[i])

    vocab = Words(["ala", "gly"])
    ds = Labelled(["ala-gly", "gly"], vocab)
    assert ds[0][1] == 7
    assert vocab.reconstruct(vocab.numericalize(vocab.tokenize("ala-gly"))) == "ala-gly"
    assert len(list(ds.dataloader(1, num_workers=0, collate_fn=list))) == 2


def test_7_a_script_with_spawned_workers_ends(molecules: list[str]) -> None:
    out = run_script(
        """
        import mrl
        if __name__ == "__main__":
            ds = mrl.TextDataset(["CCO", "C"] * 50, mrl.SmilesVocab(), augment=mrl.randomize)
            print(sum(len(x) for x, y in ds.dataloader(10, 2, multiprocessing_context="spawn")))
        """
    )
    assert out.strip() == "100"
    start = time.perf_counter()
    next(iter(mrl.TextDataset(molecules[:100], mrl.SmilesVocab()).dataloader(10)))
    print(f"first batch of a small set: {time.perf_counter() - start:.2f} s")


@pytest.mark.parametrize("by", ["random", "scaffold", "cluster", "active"])
def test_8_splits_that_nothing_crosses(molecules: list[str], by: str) -> None:
    write_csv(molecules[:600])
    sizes = ["--sizes", "0.5,0.5"] if by == "active" else []
    mrl_command("split", "molecules.csv", "-o", "parts", "--by", by, *sizes)
    parts = [mrl.read(path).smiles.tolist() for path in sorted(Path("parts").glob("*.csv"))]
    assert sorted(chain.from_iterable(parts)) == sorted(molecules[:600])
    if by == "scaffold":
        scaffolds = [{mrl.chem.murcko_scaffold(smiles) for smiles in part} for part in parts]
        assert not scaffolds[0] & scaffolds[1]


def test_9_twelve_tasks_with_missing_labels(molecules: list[str]) -> None:
    labels = np.random.default_rng(0).integers(0, 2, (256, 12)).astype(np.float32)
    labels[np.random.default_rng(1).random(labels.shape) < 0.5] = np.nan
    ds = mrl.VecPredictionDataset(molecules[:256], labels, mrl.chem.ECFP6)
    model = torch.nn.Linear(2048, 12)
    loss_of = mrl.MaskedLoss(torch.nn.BCEWithLogitsLoss())
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(5):
        for vectors, targets in ds.dataloader(64, shuffle=True):
            loss = loss_of(model(vectors), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def rings_and_atoms(smiles: str) -> list[float]:
    mol = mrl.to_mol(smiles)
    return [mol.GetRingInfo().NumRings(), mol.GetNumAtoms()]


@pytest.mark.parametrize("function", [mrl.chem.ECFP6, mrl.chem.Descriptors(["qed", "tpsa"]), rings_and_atoms])
def test_10_vectors_are_computed_once(molecules: list[str], function: object) -> None:
    calls = []
    ds = mrl.VectorDataset(molecules[:64], function)
    epochs = [torch.cat(list(ds.dataloader(16))) for _ in range(2)]
    assert torch.equal(*epochs)
    assert len(calls) == 0
    if function is not rings_and_atoms:
        cached = mrl.featurize(molecules[:64], function, cache="cache")
        assert np.array_equal(cached.dense(), mrl.featurize(molecules[:64], function, cache="cache").dense())


def test_11_conditions_and_pairs(molecules: list[str]) -> None:
    vocab = mrl.SmilesVocab.from_data(molecules)
    condition = [mrl.chem.logp(smiles) for smiles in molecules[:32]]
    (x, c), y = mrl.ConditionalDataset(molecules[:32], condition, vocab).batch()
    assert c.shape == (32, 1)
    (source, x), y = mrl.PairDataset(molecules[:8], molecules[8:16], vocab).batch()
    assert vocab.decode(source) == molecules[:8]
    assert vocab.decode(x) == molecules[8:16]
    assert x.shape == y.shape


def test_12_r_groups_and_linkers(molecules: list[str]) -> None:
    for smiles in molecules[:50]:
        fragments = mrl.fragment(smiles, max_cuts=5)
        assert mrl.fuse(fragments) == mrl.canon_smile(smiles)
    vocab = mrl.text.CharacterReplaceVocab(
        [*mrl.text.SMILES_CHAR_VOCAB, *mrl.text.MAPPING_TOKENS], mrl.text.MAPPING_REPLACE
    )
    texts = [text for smiles in molecules[:50] for text in mrl.fragment(smiles, max_cuts=5).rgroups]
    assert vocab.decode(vocab.encode(texts)) == texts


def test_13_peptides_dna_selfies() -> None:
    for vocab, text in [
        (mrl.AminoAcidVocab(), "MKTAYIAK"),
        (mrl.KmerVocab(3), "ACGTACGTA"),
        (mrl.NucleotideVocab(), "ACGTN"),
    ]:
        assert vocab.decode(vocab.encode([text])) == [text]
        x = mrl.TextDataset([text], vocab).batch()[0]
        assert vocab.decode(x) == [text]


def test_14_randomised_smiles_for_training_rows_only(molecules: list[str]) -> None:
    vocab = mrl.SmilesVocab.from_data(molecules)
    train, valid = mrl.TextDataset(molecules[:64], vocab).split(0.25, seed=1)
    augmented = mrl.TextDataset(train.smiles, vocab, augment=mrl.randomize)
    epochs = [[vocab.decode(x) for x, _ in augmented.dataloader(8, 0, seed=3)] for _ in range(2)]
    again = [vocab.decode(x) for x, _ in augmented.dataloader(8, 0, seed=3)]
    assert epochs[0] == epochs[1] == again  # a new loader begins with epoch 0
    texts = list(chain.from_iterable(again))
    assert texts != train.smiles.tolist()
    assert [mrl.canon_smile(text) for text in texts] == [mrl.canon_smile(text) for text in train.smiles.tolist()]
    assert vocab.decode(valid.batch()[0]) == valid.smiles.tolist()


def test_15_pretrain_sample_screen_fine_tune(molecules: list[str]) -> None:
    write_csv(molecules)
    mrl_command("demo", "molecules.csv", "--steps", 60, "--samples", 60, "--rounds", 1)
    assert Path("mrl-demo/report.html").stat().st_size > 10_000
    mrl_command("train", "molecules.csv", "-o", "model", "--steps", 60)
    mrl_command("sample", "model", "-n", 50, "-o", "new.csv")
    assert len(mrl.read("new.csv").smiles) + len(mrl.read("new.csv").rejects) == 50


def test_16_the_inner_loop_of_reinforcement_learning(molecules: list[str]) -> None:
    vocab = mrl.SmilesVocab.from_data(molecules)
    ds = mrl.TextDataset(molecules, vocab)
    rng = np.random.default_rng(0)
    known = mrl.chem.CanonicalSet.of(molecules[:1000])
    for _ in range(5):
        rows = rng.integers(0, len(ds), 128)
        ids, _ = ds.batch(rows)
        texts = vocab.decode(ids)
        screened = mrl.screen(texts, known)
        rewards = np.array([0.0 if smiles is None else mrl.chem.qed(smiles) for smiles in screened.smiles])
        sampled = ds.from_ids(ids)
        assert len(sampled) == len(rewards) == len(texts)
        assert torch.equal(sampled.batch()[0], ids[:, : sampled.batch()[0].shape[1]])


def test_17_masked_causal_and_packed(molecules: list[str]) -> None:
    vocab = mrl.SmilesVocab.from_data(molecules)
    x, y = mrl.MaskedDataset(molecules[:32], vocab).batch()
    assert ((y != -100).sum(1) > 0).any()
    (x, segments), y = mrl.PackedDataset(molecules[:200], vocab, block=128).batch()
    assert x.shape[1] == 128
    assert (segments > 0).float().mean() > 0.8


def test_18_more_molecules_than_memory() -> None:
    script = """
        import sys, torch, mrl

        def private() -> int:  # bytes that belong to this process alone; pages of mapped files are the system's
            rows = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("Rss"))
            return int(rows["RssAnon"].split()[0]) * 1024

        before = private()
        corpus = mrl.open_corpus(sys.argv[1])
        ds = mrl.TextDataset(corpus.splits["train"]["smiles"], corpus.vocab)
        loader = ds.dataloader(256, shuffle=True)
        for k, (x, y) in enumerate(loader):
            if k == 20:
                break
        state = loader.state_dict()
        print(len(corpus), len(ds), x.shape[0], private() - before, len(str(state)))
    """
    for n in (20_000, 1_000_000):
        with open("molecules.smi", "w", encoding="utf-8") as file:
            file.writelines(f"{'C' * (k % 31 + 1)}O{'N' * (k % 29)} M{k}\n" for k in range(n))
        mrl_command("prepare", "molecules.smi", "-o", f"corpus{n}", "--no-parse", "--split", "random")
    if not Path("/proc/self/status").exists():
        pytest.skip("private memory is read from /proc")
    small, large = (list(map(int, run_script(script, f"corpus{n}").split())) for n in (20_000, 1_000_000))
    assert large[0] == 1_000_000
    assert abs(large[1] - 800_000) < 5_000
    assert large[2] == 256
    assert large[3] - small[3] < 3_000_000  # no text, ids, or order in memory: not 4 bytes of a row
    assert large[4] < 1000


def test_19_killed_and_resumed_with_another_world_size(molecules: list[str]) -> None:
    write_csv(molecules)
    Path("train.py").write_text(
        textwrap.dedent(
            """
            import json, os, sys, time, mrl
            table = mrl.read("molecules.csv")
            ds = mrl.TextDataset(table.smiles, mrl.SmilesVocab())
            rank, world_size, bs = map(int, sys.argv[1:4])
            loader = ds.dataloader(bs, shuffle=True, bucket=True, rank=rank, world_size=world_size, output="dict")
            if os.path.exists("state.json"):
                loader.load_state_dict(json.load(open("state.json")))
            for batch in loader:
                print(batch["index"].tolist(), flush=True)
                if len(sys.argv) > 4:
                    with open("state.tmp", "w") as file:
                        json.dump(loader.state_dict(), file)
                    os.replace("state.tmp", "state.json")
                    time.sleep(0.02)
            """
        )
    )

    def rows(text: str) -> list[list[int]]:
        return [json.loads(line) for line in text.splitlines() if line.endswith("]")]

    whole = rows(subprocess.run([sys.executable, "train.py", "0", "1", "64"], capture_output=True, text=True).stdout)
    process = subprocess.Popen([sys.executable, "train.py", "0", "1", "64", "slow"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    parts = [
        rows(subprocess.run([sys.executable, "train.py", str(rank), "2", "32"], capture_output=True, text=True).stdout)
        for rank in range(2)
    ]
    rest = [one + two for one, two in zip(*parts, strict=True)]
    assert rest
    assert rest == whole[-len(rest) :]
    assert len(whole) - len(rest) in (4, 5, 6, 7)


def test_20_a_report_and_pictures(molecules: list[str]) -> None:
    write_csv(molecules[:100])
    mrl_command("show", "molecules.csv", "-o", "page.html")
    assert re.search("<svg|<img", Path("page.html").read_text(encoding="utf-8"))
    shown = mrl_command("inspect", "molecules.csv")
    assert "100" in shown.stdout
