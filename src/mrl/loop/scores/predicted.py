"""`Predicted`: a property that a property model predicts, as the function of a component."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mrl.errors import ColumnError
from mrl.loop.scores.functions import BatchFunction
from mrl.loop.scores.values import Estimate, Failed
from mrl.messages import did_you_mean, format_names
from mrl.qsar import PropertyModel


@dataclass(frozen=True)
class Predicted(BatchFunction):
    """The predictions of a property model; molecules that it cannot predict are failures of their rows.

    Parameters
    ----------
    model : PropertyModel, or path
        The model; or its file or folder, as ``mrl fit`` writes it.
    target : str, optional
        Which target; not needed if there is only one. Of a class, the value is the probability of class 1.
    jobs : int
        Number of processes, for batches of more than 512 molecules.
    caution : float
        How many times its uncertainty a prediction may be off: the score is the lowest within this margin, whether more
        is better, less, or a value in between. 0 trusts every prediction, and a search exploits the errors of the
        model.

    Raises
    ------
    ColumnError
        There is no such target, or several and none is named.
    ReadError
        The file is not a property model.
    FileNotFoundError
        There is no such file.
    ValueError
        `caution` is not a number of 0 or more.

    Examples
    --------
    >>> from mrl.loop import Component, Gaussian, Score
    >>> from mrl.qsar import FitOptions, fit
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = fit(smiles, {"logS": range(12)}, split="random", options=FitOptions(folds=2, members=1, epochs=1))
    >>> score = Score([Component("solubility", Predicted(model), Gaussian(mu=2, sigma=1))])
    >>> trusting, cautious = Predicted(model).evaluate(["CCO"]), Predicted(model, caution=1).evaluate(["CCO"])
    >>> cautious[0].value == trusting[0], cautious[0].margin > 0
    (True, True)
    """

    model: PropertyModel | str | Path
    target: str | None = None
    jobs: int = 1
    caution: float = 0.0

    def __post_init__(self) -> None:
        names = [target.name for target in self._model.targets]
        if self.target is None and len(names) > 1:
            raise ColumnError(f"the model has the targets {format_names(names)}; name one, target=...", column="target")
        if self.target is not None and self.target not in names:
            meant = did_you_mean(self.target, names)
            raise ColumnError(
                f"no target {self.target!r}{meant}; the model has {format_names(names)}", column=self.target
            )
        if not 0 <= self.caution < math.inf:
            raise ValueError(f"caution is {self.caution}; expected a number of 0 or more, such as 1")

    @property
    def _model(self) -> PropertyModel:
        return self.model if isinstance(self.model, PropertyModel) else _loaded(Path(self.model))

    def evaluate(self, texts: Sequence[str]) -> Sequence[float | Estimate | Failed]:
        """Return the prediction for each text, with its margin if there is one.

        Parameters
        ----------
        texts : sequence of str
            SMILES.

        Returns
        -------
        sequence of float, Estimate or Failed
            As many.
        """
        model = self._model
        target = self.target or model.targets[0].name
        found = model.predict(list(texts), n_jobs=self.jobs, progress=False)
        values: list[float | Estimate] = found[target].tolist()
        if self.caution:
            margins = (self.caution * found.uncertainty_of(target)).tolist()
            values = [Estimate(value, margin) for value, margin in zip(found[target].tolist(), margins, strict=True)]
        reasons = {reject.row: reject.reason for reject in found.rejects}
        return [Failed(reasons[row]) if row in reasons else value for row, value in enumerate(values)]


@lru_cache(maxsize=8)
def _loaded(path: Path) -> PropertyModel:
    return PropertyModel.load(path)
