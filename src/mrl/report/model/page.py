"""The report of a property model: its cross-validation in numbers, figures and molecules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mrl.formatting import Html, format_number
from mrl.messages import format_count
from mrl.qsar import Metric, PropertyModel, Target, Validation
from mrl.report.html import Section, Tile, columns, command, figure, page, paragraph, table, tiles, versions_used
from mrl.report.model.figures import parity, roc
from mrl.report.molecules import molecule_grid

_MOST_DRAWN = 10  # molecules of a target
_MOST_TARGETS = 24  # with figures
_NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "spearman": "Spearman",
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
}


@dataclass(frozen=True)
class PropertyReport:
    """The report of a model that was just fitted.

    Parameters
    ----------
    model : PropertyModel
        With its validation.
    source : str
        Name of the data, for instance a file's.
    rows : ndarray of int64, shape (n,), optional
        The number in the file of each row that the model was trained on; by default that in the table.
    command : str
        The command that makes the model again, or ``""``.
    versions : mapping of str to object
        Packages and their versions, with which it does; those in use if not given.

    Raises
    ------
    ValueError
        The model was loaded, so that it has no validation.

    Examples
    --------
    >>> from mrl.qsar import FitOptions, fit
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = fit(smiles, {"y": range(12)}, split="random", options=FitOptions(folds=2, members=1, epochs=1))
    >>> "y: measured" in PropertyReport(model, "a.csv").html
    True
    """

    model: PropertyModel
    source: str
    rows: NDArray[np.int64] | None = None
    command: str = ""
    versions: Mapping[str, object] = field(default_factory=versions_used)

    def __post_init__(self) -> None:
        if self.model.validation is None:
            raise ValueError("the model was loaded, and its validation row by row is not in the file; fit it again")

    @property
    def html(self) -> Html:
        """The report as a page; the same facts give the same bytes."""
        model, about = self.model, self.model.about
        names = ", ".join(target.name for target in model.targets[:3]) + (" …" if len(model.targets) > 3 else "")
        subtitle = (
            f"An ensemble of {format_count(len(model.ensemble.mean), 'network')} learned {names} from "
            f"{format_count(about['rows'], 'row')} of {self.source}. Every number below is about molecules that the "
            "networks in question had not seen."
        )
        sections = [self._metrics(), *self._figures(), self._residuals(), self._limits(), self._repeat()]
        return page("A property model", subtitle, sections, lead=self._key_numbers(), kicker="mrl fit")

    @property
    def _validation(self) -> Validation:
        assert self.model.validation is not None
        return self.model.validation

    def _key_numbers(self) -> Html:
        shown = [one for one in self.model.metrics if one.name in ("rmse", "roc_auc")][:4]
        items = [
            Tile(_NAMES[one.name], format_number(one.mean), note=f"of {one.target}, ± {format_number(one.spread)}")
            for one in shown
        ]
        return tiles([Tile("Rows", f"{self.model.about['rows']:,}", note=self._left_out()), *items])

    def _left_out(self) -> str:
        n = self.model.about["rejects"]
        return f"{n:,} more left out" if n else "none left out"

    def _metrics(self) -> Section:
        by_target: dict[str, list[Metric]] = {}
        for one in self.model.metrics:
            by_target.setdefault(one.target, []).append(one)
        body = ""
        for kind in ("regression", "classification"):
            targets = [target.name for target in self.model.targets if target.kind == kind]
            if targets:
                header = ["target", "labels", *(_NAMES[one.name] for one in by_target[targets[0]])]
                rows = [[name, by_target[name][0].n, *map(_with_spread, by_target[name])] for name in targets]
                body += table(rows, header)
        sizes = ", ".join(f"{size:,}" for size in self.model.about["fold_sizes"])
        note = (
            f"Mean ± standard deviation over {len(self.model.about['fold_sizes'])} folds of {sizes} rows "
            f"(split: {self.model.about['split']}). Censored labels are left out of all metrics."
        )
        return Section("Cross-validation", body, note)

    def _figures(self) -> list[Section]:
        validation = self._validation
        figures = []
        for place, target in enumerate(self.model.targets[:_MOST_TARGETS]):
            truth, predicted = validation.exact[:, place], validation.values[:, place]
            draw = parity if target.kind == "regression" else roc
            figures.append(figure(draw(target.name, truth, predicted), target.name))
        title = "Measured and predicted" if any(t.kind == "regression" for t in self.model.targets) else "ROC curves"
        more = len(self.model.targets) - len(figures)
        note = f"Predictions of left-out rows. {more:,} more targets are in the table only." if more else ""
        return [Section(title, columns(*figures), note or "Predictions of left-out rows, all folds together.")]

    def _residuals(self) -> Section:
        body = ""
        for place, target in enumerate(self.model.targets[:_MOST_TARGETS]):
            worst = self._worst(place)
            if len(worst):
                smiles = [self._validation.smiles[row] for row in worst.tolist()]
                captions = [self._caption(target, place, row) for row in worst.tolist()]
                body += molecule_grid(smiles, captions, title=target.name)
        return Section(
            "Worst residuals",
            body or paragraph("There is nothing to compare with."),
            "The left-out rows whose predictions are furthest from their labels: errors of the model, or of the data.",
        )

    def _worst(self, place: int) -> NDArray[np.int64]:
        error = np.abs(self._validation.exact[:, place] - self._validation.values[:, place])
        order = np.argsort(-np.nan_to_num(error, nan=-1.0), kind="stable")[:_MOST_DRAWN]
        return order[~np.isnan(error[order])]

    def _caption(self, target: Target, place: int, row: int) -> str:
        numbers = self._validation.rows if self.rows is None else self.rows
        measured, predicted = self._validation.exact[row, place], self._validation.values[row, place]
        if target.kind == "classification":
            probability = "<0.001" if predicted < 0.001 else f"{predicted:.3f}"
            return f"row {numbers[row]}: {measured:.0f}, predicted {probability}"
        return f"row {numbers[row]}: {format_number(float(measured))}, predicted {format_number(float(predicted))}"

    def _limits(self) -> Section:
        """How errors grow with the distance from the training data."""
        validation = self._validation
        edges = [0, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0001]
        rows: list[list[object]] = []
        for low, high in pairwise(edges):
            part = (validation.similarity >= low) & (validation.similarity < high)
            cells = [
                _mean(np.abs(validation.exact[part, place] - validation.values[part, place]))
                for place in range(len(self.model.targets[:6]))
            ]
            rows.append([f"{low:g} to {min(high, 1):g}", int(part.sum()), *cells])
        header = ["similarity to the nearest training molecule", "rows", *(t.name for t in self.model.targets[:6])]
        return Section(
            "Where it can be trusted",
            table(rows, header, caption="Mean absolute error of left-out rows (of a class: of its probability)"),
            "Tanimoto similarity of ECFP4. mrl predict writes it for each molecule, beside its uncertainty.",
        )

    def _repeat(self) -> Section:
        options = self.model.about["options"]
        settings = table(options.items(), ["setting", "value"], caption="Settings")
        versions = table(self.versions.items(), ["package", "version"], caption="Versions")
        body = command(self.command) if self.command else Html("")
        body = Html(body + (columns(settings, versions) if self.versions else settings))
        return Section("Repeat it", body, "With the same versions, this gives the same model.")


def _with_spread(metric: Metric) -> str:
    missing = sum(value != value for value in metric.values)
    note = f" ({format_count(missing, 'fold')} without)" if missing else ""
    return f"{format_number(metric.mean)} ± {format_number(metric.spread)}{note}"


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
