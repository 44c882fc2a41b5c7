"""``mrl train``: a language model from a file of molecules."""

from __future__ import annotations

from pathlib import Path

from mrl.cli.console import note, reported, success, write_json
from mrl.cli.model import MODEL, VOCAB, TrainingBar, save
from mrl.cli.molecules import BATCH_SIZE, cleaned, dataset_of
from mrl.cli.tables import read_table
from mrl.lm import LanguageModel, ModelConfig, accelerator, one_thread, train

__all__ = ["run"]


def run(
    file: Path,
    out: Path,
    smiles_column: str | None,
    steps: int,
    lr: float,
    hidden: int,
    max_length: int,
    seed: int,
    json: bool,
) -> None:
    """Read, clean, train, save; Ctrl-C saves what was learned so far."""
    with reported(), one_thread():
        table = read_table(file, smiles_column)
        clean = cleaned(table)
        dataset = dataset_of(clean.smiles, max_length, table.rows[clean.kept])
        model = LanguageModel(ModelConfig.for_vocab(dataset.vocab, hidden=hidden), seed=seed).to(accelerator())
        loader = dataset.dataloader(BATCH_SIZE, bucket=True, seed=seed, device=model.device)
        bar = TrainingBar(steps)
        try:
            with bar.running():
                train(model, loader, steps=steps, lr=lr, on_step=bar)
        except KeyboardInterrupt:
            if bar.last is None:
                raise
            note(f"interrupted after {bar.last.step:,} of {steps:,} steps; saving what was learned")
        save(model, dataset.vocab, out)
        assert bar.last is not None
        success(f"wrote {out / MODEL} and {out / VOCAB} (loss {bar.last.loss:.3f}); try: mrl sample {out} -n 100")
        if json:
            write_json(
                {
                    "rows": len(table),
                    "molecules": len(dataset),
                    "tokens": len(dataset.vocab),
                    "steps": bar.last.step,
                    "loss": bar.last.loss,
                    "seconds": bar.last.seconds,
                    "model": str(out / MODEL),
                    "vocab": str(out / VOCAB),
                }
            )
