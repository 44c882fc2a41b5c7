"""Inputs and Recipe: which files a corpus is made of, and what is done to their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from mrl.chem import Duplicates, Step, clean_rows
from mrl.corpus import ReadOptions, Table, read_blocks
from mrl.features import state_digest
from mrl.files import AnyPath
from mrl.prepare.featurizing import FeatureFunctions, feature_entry, feature_functions
from mrl.ragged import PART_NAMES
from mrl.text import Vocab

_LEAST_ROWS, _MOST_ROWS = 1_000, 20_000  # of a chunk

Steps: TypeAlias = str | Sequence[Step | Callable[[Any], bool]]


@dataclass(frozen=True)
class Inputs:
    """The files that a corpus is made of, and the columns that are read.

    Parameters
    ----------
    paths : path, or several
        As `mrl.read` takes them.
    smiles, targets, id, weight, censored, others, format, options
        As in `mrl.read`.
    split : str, optional
        A column that says which part of the split each row belongs to.

    Examples
    --------
    >>> Inputs("a.csv", targets=("logp",)).paths
    ('a.csv',)
    """

    paths: Any
    smiles: str | None = None
    targets: tuple[str, ...] = ()
    id: str | None = None
    weight: str | None = None
    split: str | None = None
    censored: Literal["raise", "reject", "keep"] = "raise"
    others: bool = False
    format: str | None = None
    options: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        paths = (self.paths,) if isinstance(self.paths, str | Path) else tuple(self.paths)
        object.__setattr__(self, "paths", tuple(str(path) for path in paths))
        targets: Any = self.targets
        object.__setattr__(self, "targets", (targets,) if isinstance(targets, str) else tuple(targets))

    def blocks(self) -> Iterator[Table]:
        """Yield the rows block by block, in bounded memory.

        Yields
        ------
        Table
            See `mrl.read_blocks`.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "a.smi")
        >>> _ = path.write_text("CCO\\nN\\n")
        >>> [len(block) for block in Inputs(path).blocks()]
        [2]
        """
        return read_blocks(
            list(self.paths),
            smiles=self.smiles,
            targets=self.targets,
            id=self.id,
            weight=self.weight,
            split=self.split,
            others=self.others,
            censored=self.censored,
            format=self.format,
            options=self.options,
        )

    def requested(self, smiles_column: str, header: Sequence[str]) -> set[str]:
        """Return the columns that are kept even if they are blank in all rows.

        Parameters
        ----------
        smiles_column : str
            The column with the molecules.
        header : sequence of str
            All columns of the files.

        Returns
        -------
        set of str

        Examples
        --------
        >>> sorted(Inputs("a.csv", targets=("y",)).requested("smiles", ["smiles", "y", "z"]))
        ['smiles', 'y']
        """
        named = {self.smiles or smiles_column, *self.targets, self.id, self.weight, self.split}
        return {name for name in named if name is not None} | ({*header} if self.others else set())

    def to_dict(self) -> dict[str, Any]:
        """Return the columns and options for JSON, without the paths.

        Examples
        --------
        >>> Inputs("a.csv", targets=("y",)).to_dict()["targets"]
        ['y']
        """
        named = {
            name: getattr(self, name) for name in ("smiles", "id", "weight", "split", "censored", "others", "format")
        }
        return {**named, "targets": list(self.targets), "options": self.options.to_dict()}


@dataclass(frozen=True)
class SplitRule:
    """How the rows of a corpus are dealt to parts. Each row by itself, so that rows that are added change no other.

    Parameters
    ----------
    by : {"random", "scaffold"}
        What stays together: rows of the same molecule, or of the same Bemis-Murcko scaffold; molecules without a ring
        are one group, which goes to train.
    sizes : two or three fractions that add up to 1
        Of train, valid and test. They are met on average: a part of a million rows to within a tenth of a percent.

    Raises
    ------
    ValueError
        Another rule, or sizes that do not add up to 1.

    Examples
    --------
    >>> SplitRule("scaffold").names
    ('train', 'valid', 'test')
    """

    by: Literal["random", "scaffold"] = "random"
    sizes: tuple[float, ...] = (0.8, 0.1, 0.1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if self.by not in ("random", "scaffold"):
            raise ValueError(
                f"split by {self.by!r}; expected 'random' or 'scaffold', or a column of part names: Inputs(split=...)"
            )
        if len(self.sizes) not in (2, 3) or min(self.sizes) < 0 or abs(sum(self.sizes) - 1) > 1e-6:
            raise ValueError(f"sizes are {self.sizes}; expected two or three fractions that add up to 1")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(PART_NAMES)[: len(self.sizes)]


@dataclass(frozen=True)
class Recipe:
    """What is done to the rows; with the inputs it determines every byte of the corpus.

    Parameters
    ----------
    steps : str or sequence of Step
        As in `mrl.clean`.
    parse : bool
        Whether rows are molecules; False leaves texts as they are.
    duplicates : Duplicates, optional
        The rule for rows of the same molecule, or of the same text if they are not parsed.
    split : SplitRule, optional
        How rows are dealt to parts.
    vocab : Vocab, "learn" or None
        The vocabulary to be kept; one that is learned from the rows of train; or none.
    rows_per_part : int
        Input rows of one shard.
    seed : int
        Seed of the split.
    features : names, or dict of str to Fingerprint or Descriptors
        Columns of vectors, which are kept beside the molecules.
    merges : int
        Tokens of several pieces that the vocabulary learns besides.

    Raises
    ------
    ValueError
        The arguments exclude each other.

    Examples
    --------
    >>> Recipe().rows_per_chunk(200_000), Recipe().rows_per_chunk(40_000)
    (20000, 2500)
    """

    steps: Steps = "none"
    parse: bool = True
    duplicates: Duplicates | None = None
    split: SplitRule | None = None
    vocab: Vocab | Literal["learn"] | None = "learn"
    rows_per_part: int = 200_000
    seed: int = 0
    features: str | Sequence[str] | FeatureFunctions = ()
    merges: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", feature_functions(self.features))
        for name, value, kind in (("duplicates", self.duplicates, Duplicates), ("split", self.split, SplitRule)):
            if value is not None and not isinstance(value, kind):
                raise ValueError(f"{name} is {value!r}; expected a {kind.__name__} or None")
        if self.rows_per_part < 1:
            raise ValueError(f"rows_per_part is {self.rows_per_part}; expected 1 or more")
        if isinstance(self.vocab, str) and self.vocab != "learn":
            raise ValueError(f"vocab is {self.vocab!r}; expected a Vocab, 'learn' or None")
        if self.merges < 0:
            raise ValueError(f"merges is {self.merges}; expected 0 or more tokens")
        if self.merges and self.vocab != "learn":
            given = "None" if self.vocab is None else f"a {type(self.vocab).__name__}"
            raise ValueError(f"merges are learned with vocab='learn', but vocab is {given}: leave out one of the two")
        if not self.parse:
            wanting = {
                "steps": self.steps != "none",
                "features": bool(self.features),
                "split by scaffold": self.split is not None and self.split.by == "scaffold",
                "duplicates by InChIKey": self.duplicates is not None and self.duplicates.by == "inchikey",
            }
            if any(wanting.values()):
                what = next(name for name, is_wanted in wanting.items() if is_wanted)
                raise ValueError(f"{what} needs molecules, but parse is False (--no-parse): leave one of the two out")
        else:
            clean_rows([], self.steps)  # names an unknown preset or a wrong step before any work

    def rows_per_chunk(self, rows: int) -> int:
        """Return how many rows one task cleans of a part of `rows`: so few that progress is seen.

        A part with few rows, which is the last or the only one, is divided into sixteen, so that processes end
        together; in others there would be too many files.

        Parameters
        ----------
        rows : int
            Of the part.

        Returns
        -------
        int

        Examples
        --------
        >>> Recipe(parse=False).rows_per_chunk(40_000)
        200000
        """
        if not self.parse:
            return self.rows_per_part
        return _MOST_ROWS if rows > 8 * _MOST_ROWS else max(-(-rows // 16), _LEAST_ROWS)

    @property
    def is_copied(self) -> bool:
        """Whether rows are written as they were read, with nothing to be known of other rows.

        Examples
        --------
        >>> Recipe(parse=False).is_copied, Recipe(parse=False, duplicates=Duplicates("first")).is_copied
        (True, False)
        """
        return not self.parse and self.duplicates is None

    @property
    def functions(self) -> FeatureFunctions:
        """The features by their columns.

        Examples
        --------
        >>> list(Recipe(features=["maccs", "qed,tpsa"]).functions)
        ['maccs', 'descriptors']
        """
        return cast(FeatureFunctions, self.features)  # since they were validated

    @property
    def needs_keys(self) -> bool:
        """Whether rows of the same molecule have to be found.

        Examples
        --------
        >>> Recipe().needs_keys, Recipe(split=SplitRule("random")).needs_keys
        (False, True)
        """
        return self.duplicates is not None or (self.split is not None and self.split.by == "random")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe for JSON; steps that are functions are named with a digest of their code.

        Examples
        --------
        >>> Recipe().to_dict()["steps"]
        [{'step': 'parse'}]
        """
        steps = [count.step for count in clean_rows([], self.steps).counts.values()] if self.parse else []
        split = self.split
        return {
            "steps": steps,
            "steps_digest": "" if isinstance(self.steps, str) else state_digest(tuple(self.steps)),
            "parse": self.parse,
            "duplicates": None if self.duplicates is None else self.duplicates.to_dict(),
            "split": None if split is None else {"by": split.by, "sizes": list(split.sizes)},
            "vocab": self.vocab.fingerprint() if isinstance(self.vocab, Vocab) else self.vocab,
            "rows_per_part": self.rows_per_part,
            "seed": self.seed,
            "features": {name: feature_entry(function).key for name, function in self.functions.items()},
            "merges": self.merges,
        }


def as_inputs(inputs: AnyPath | Sequence[AnyPath] | Inputs) -> Inputs:
    """Return inputs that may be given as paths."""
    return inputs if isinstance(inputs, Inputs) else Inputs(inputs)


def require_agreement(inputs: Inputs, recipe: Recipe) -> None:
    """Raise a ValueError if the inputs and the recipe exclude each other."""
    if inputs.split is not None and recipe.split is not None:
        raise ValueError(f"the split is given twice: by {recipe.split.by}, and by the column {inputs.split}: give one")
    if inputs.censored == "keep" and inputs.targets and recipe.duplicates is not None:
        raise ValueError(
            "labels with a sign such as '>10' cannot be merged: leave out duplicates=, or censored='keep' and read "
            "them as missing or rejects: Inputs(..., options=ReadOptions(on_label='reject'))"
        )
    if "-" in inputs.paths and inputs.format is None:
        raise ValueError("the name of - does not say its format: pass Inputs('-', format='csv') (--format csv)")
    if not inputs.paths:
        raise ValueError("there are no inputs: pass at least one file")
