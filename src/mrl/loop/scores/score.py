"""`Score`: named components, each with a transform and a weight, and their mean; for many molecules at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from mrl.chem import to_mol
from mrl.errors import MoleculeError, MrlError
from mrl.formatting import Html, html_table
from mrl.loop.scores.functions import Function, Measurement, evaluate, require_function
from mrl.loop.scores.transforms import Transform
from mrl.loop.scores.values import Estimate, Failed
from mrl.messages import format_count, format_names, format_value
from mrl.ragged import Rejects, Tabular, arrow_table, as_text

Aggregate = Literal["geometric", "arithmetic"]


@dataclass(frozen=True)
class Component:
    """One part of a score.

    Parameters
    ----------
    name : str
        For tables and messages.
    function : Measure, property, Command, Imported or callable
        Of a molecule: a measure or property of `mrl.chem`; or any function of a canonical SMILES, which returns a
        number, or an `Estimate`; see `Command` for programs.
    transform : Transform
        From the function's value to a score between 0 and 1; it states the direction.
    weight : float
        In the mean.

    Raises
    ------
    ValueError
        An empty name, or a weight that is not positive.
    TypeError
        `function` cannot be called, or `transform` is not a `Transform`.

    Examples
    --------
    >>> from mrl.chem import logp
    >>> from mrl.loop import Gaussian
    >>> Component("logP", logp, Gaussian(mu=2.5, sigma=1)).direction
    'reach 2.5'
    """

    name: str
    function: Function
    transform: Transform
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f"the name of a component is {self.name!r}; expected a text such as 'logP'")
        require_function(self.name, self.function)
        if not isinstance(self.transform, Transform):
            raise TypeError(
                f"component {self.name!r}: its transform is {format_value(self.transform)}; expected one of mrl.loop, "
                "such as Identity() for values between 0 and 1 of which more is better"
            )
        if not 0 < self.weight < math.inf:
            raise ValueError(f"component {self.name!r}: its weight is {self.weight}; expected a positive number")

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return self.transform.direction


@dataclass(frozen=True, eq=False)
class Scored(Tabular):
    """The scores of molecules, row for row.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        NaN where a row is not a molecule or a component failed.
    values : ndarray of float64, shape (n, k)
        What each component's function returned, before its transform, margins left out; NaN where it failed.
    rejects : Rejects
        Why a row has no score: row, text, stage (``"parse"`` or the component's name), reason.
    names : tuple of str
        Of the k components.

    Examples
    --------
    >>> from mrl.loop import task
    >>> scored = task("qed")(["CCO", "C("])
    >>> scored, scored.rejects[0].stage
    (Scored(2 rows, 1 with a score), 'parse')
    """

    scores: NDArray[np.float64]
    values: NDArray[np.float64]
    rejects: Rejects
    names: tuple[str, ...]

    def to_arrow(self) -> Any:
        """Return the scores as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows: ``score``, and the values of each component: ``... value``.

        Examples
        --------
        >>> from mrl.loop import task
        >>> task("qed")(["CCO"]).to_arrow().column_names
        ['score', 'qed value']
        """
        values = {f"{name} value": self.values[:, i] for i, name in enumerate(self.names)}
        return arrow_table({"score": self.scores} | values)

    def _repr_html_(self) -> str:
        table = super()._repr_html_()
        return table + self.rejects._repr_html_() if self.rejects else table

    def __repr__(self) -> str:
        return f"Scored({len(self.scores):,} rows, {int(np.isfinite(self.scores).sum()):,} with a score)"


@dataclass(frozen=True)
class Score:
    """A weighted mean of components: a function of molecules, and data that a file can hold.

    Parameters
    ----------
    components : sequence of Component
        At least one; their names differ.
    aggregate : {"geometric", "arithmetic"}
        The mean. In the geometric one a component of 0 makes the score 0; it takes no score below 0.

    Raises
    ------
    ValueError
        No component, a name that occurs twice, or an unknown aggregate.

    Examples
    --------
    >>> from mrl.chem import SimilarityTo, qed
    >>> from mrl.loop import Identity
    >>> score = Score([
    ...     Component("drug-likeness", qed, Identity()),
    ...     Component("like aspirin", SimilarityTo("CC(=O)Oc1ccccc1C(=O)O"), Identity(), weight=2),
    ... ])
    >>> score(["CC(=O)Oc1ccccc1C(=O)O", "C1CC"]).scores.round(3)
    array([0.819,   nan])
    """

    components: Sequence[Component]
    aggregate: Aggregate = "geometric"

    def __post_init__(self) -> None:
        components = (self.components,) if isinstance(self.components, Component) else tuple(self.components)
        object.__setattr__(self, "components", components)
        names = [component.name for component in components]
        if not names:
            raise ValueError("a score needs at least one component: Score([Component(name, function, transform)])")
        if len({*names}) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"two components have the name {format_names(twice)}; rename one")
        if self.aggregate not in get_args(Aggregate):
            raise ValueError(f"aggregate is {self.aggregate!r}; expected 'geometric' or 'arithmetic'")

    def _repr_html_(self) -> Html:
        rows = [(one.name, one.direction, one.weight) for one in self.components]
        caption = f"Score: {self.aggregate} mean of {format_count(len(rows), 'component')}"
        return html_table(rows, ["component", "what is rewarded", "weight"], caption=caption)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the components.

        Examples
        --------
        >>> from mrl.loop import task
        >>> task("median1").names
        ('camphor', 'menthol')
        """
        return tuple(component.name for component in self.components)

    @overload
    def __call__(self, smiles: str) -> float: ...
    @overload
    def __call__(self, smiles: Any) -> Scored: ...
    def __call__(self, smiles: Any) -> Scored | float:
        """Return the score of a molecule, or the scores of many.

        Parameters
        ----------
        smiles : str, or column of str; n rows
            Each is parsed once.

        Returns
        -------
        float or Scored
            The score of a single str. Of a column n rows; those that have no score are NaN, and listed with the reason.

        Raises
        ------
        MoleculeError
            A single str is not a molecule, or a component fails on it.
        MrlError
            A component has a score below 0 in a geometric mean, which no weight can repair.

        Examples
        --------
        >>> from mrl.loop import task
        >>> round(task("qed")("CCO"), 3), task("qed")(["CCO", "C("]).scores.round(3)
        (0.407, array([0.407,   nan]))
        """
        if isinstance(smiles, str):
            scored = self([smiles])
            for reject in scored.rejects:
                raise MoleculeError(
                    f"{format_value(smiles)} has no score; {reject.stage}: {reject.reason}",
                    text=smiles,
                    reason=reject.reason,
                    row=None,
                )
            return float(scored.scores[0])
        texts = [str(text) for text in as_text(smiles)]
        rejects: list[tuple[int, str, str, str]] = []
        molecules: list[Measurement] = []
        for row, text in enumerate(texts):
            try:
                molecules.append(Measurement(row, text, to_mol(text)))
            except MoleculeError as error:
                rejects.append((row, text, "parse", str(error.reason)))
        values = np.full((len(texts), len(self.components)), math.nan)
        margins = np.zeros_like(values)
        for column, component in enumerate(self.components):
            for one, value in zip(molecules, evaluate(component.function, molecules), strict=True):
                if isinstance(value, Failed):
                    rejects.append((one.row, one.text, component.name, value.reason))
                elif isinstance(value, Estimate):
                    values[one.row, column], margins[one.row, column] = value
                else:
                    values[one.row, column] = value
        return Scored(self._mean(values, margins, texts), values, Rejects(sorted(rejects)), self.names)

    def _mean(
        self, values: NDArray[np.float64], margins: NDArray[np.float64], texts: Sequence[str]
    ) -> NDArray[np.float64]:
        ends = (values, values - margins, values + margins) if margins.any() else (values,)
        parts = np.stack(
            [
                np.min([component.transform(end[:, i]) for end in ends], axis=0)
                for i, component in enumerate(self.components)
            ],
            axis=1,
        )
        weights = np.array([component.weight for component in self.components])
        weights = weights / weights.sum()
        if self.aggregate == "arithmetic":
            mean: NDArray[np.float64] = parts @ weights
            return mean
        if (negative := np.argwhere(parts < 0)).size:
            row, column = negative[0]
            raise MrlError(
                f"component {self.components[column].name!r} of {format_value(texts[row])} is {parts[row, column]:g}, "
                "and a geometric mean has no negative parts; choose a transform to values between 0 and 1 (such as "
                "Sigmoid), or aggregate='arithmetic'"
            )
        with np.errstate(divide="ignore"):
            product: NDArray[np.float64] = np.exp(np.log(parts) @ weights)
        # 0 * -inf cannot occur, weights being positive; a NaN of one part stays the NaN of the row.
        return np.where(np.isnan(parts).any(1), math.nan, product)
