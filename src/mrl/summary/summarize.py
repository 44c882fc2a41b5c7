"""`summarize`: what is in a file or a table of molecules, looking at a sample where it is large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Descriptors, MoleculeFacts, molecule_facts
from mrl.errors import ColumnError
from mrl.features import featurize
from mrl.messages import did_you_mean, format_names
from mrl.progress import Progress
from mrl.ragged import Rejects, Text
from mrl.summary.columns import ColumnFacts, column_facts
from mrl.summary.correlations import Correlations, correlations
from mrl.summary.duplicates import Conflicts, conflicts, duplicates, number_groups
from mrl.summary.parts import Parts, find_split_column, overlaps
from mrl.summary.sampling import Keys, random_rows
from mrl.summary.scanning import Picked, Scan, is_in, pick, scan
from mrl.summary.source import Blocks, Source
from mrl.summary.summary import Lengths, Scaffolds, Summary
from mrl.summary.tokens import token_facts
from mrl.text import Vocab

Rows = NDArray[np.int64]

_CORRELATED_ROWS, _CORRELATED_COLUMNS = 20_000, 40
_LARGEST_SCAFFOLDS = 10
_SOME = 10


@dataclass(frozen=True)
class SampleSizes:
    """How many rows of a large table are looked at.

    Parameters
    ----------
    molecules : int
        Rows to parse for elements, scaffolds and invalid rows; and as many for duplicates.
    properties : int
        Rows to compute properties of, which takes several times as long.
    texts : int
        Rows whose tokens are counted, and whose labels are read.

    Raises
    ------
    ValueError
        One of them is less than 1.

    Examples
    --------
    >>> SampleSizes(molecules=100).properties
    2000
    """

    molecules: int = 10_000
    properties: int = 2_000
    texts: int = 100_000

    def __post_init__(self) -> None:
        if least := [f"{name}={value}" for name, value in vars(self).items() if value < 1]:
            raise ValueError(f"{least[0]}: expected the number of rows to look at, 1 or more")


def summarize(
    data: Any,
    *,
    targets: Sequence[str] | None = None,
    split: str | None = None,
    vocab: Vocab | None = None,
    properties: Sequence[str] = ("molwt", "logp", "tpsa", "qed", "hbd", "hba", "rotbond", "rings"),
    sizes: SampleSizes = SampleSizes(),
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = None,
) -> Summary:
    """Return what is in a file or a table of molecules: rejects, tokens, elements, properties, duplicates, labels.

    Parameters
    ----------
    data : path, Table, Corpus, Source or column of str
        n rows. Those of a file or a corpus are read twice, block by block, and are never in memory together; what is
        kept of each row are 8 bytes.
    targets : sequence of str, optional
        The columns of labels; by default all that hold numbers or classes.
    split : str, optional
        The column that names the part of each row; by default one that holds words such as train and test, or is
        called split, set or fold.
    vocab : Vocab, optional
        A vocabulary to compare the tokens with.
    properties : sequence of str
        Names of `mrl.chem.PROPERTIES` or of RDKit's descriptors.
    sizes : SampleSizes
        How many rows of a larger table are looked at; `Summary.looked_at` says how many were.
    seed : int
        Chooses these rows; the same ones each time.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable, bool or None
        See `mrl.featurize`.

    Returns
    -------
    Summary

    Raises
    ------
    ColumnError
        There is no column of a name.
    MrlError
        A file cannot be read; see `mrl.read`.

    Examples
    --------
    >>> from mrl.corpus import Table
    >>> table = Table({"smiles": Text.of(["CCO", "OCC", "CC"]), "y": np.array([1.0, 2.0, 3.0])})
    >>> found = summarize(table)
    >>> found.same_molecule.extra, found.conflicts[0].different, found.columns[0].kind
    (1, 1, 'numbers')
    """
    blocks = Blocks.of(data)
    found = scan(blocks, max(sizes.molecules, sizes.texts), seed, split, progress)
    n = found.rows
    notation = blocks.notation or found.source(blocks.name).notation
    is_smiles = notation == "smiles"
    some = random_rows(n, sizes.texts, seed)
    drawn = random_rows(n, sizes.molecules, seed) if is_smiles else some
    compared_keys = found.alike.keys(sizes.molecules if is_smiles else sizes.texts)
    picked = pick(blocks, found, np.union1d(some, drawn), compared_keys, progress)
    source = picked.source
    _require_columns(source, targets, split)
    sample = source.select(picked.at(some))
    columns = tuple(column_facts(name, column) for name, column in _flat(sample.columns).items())
    labels = [one for one in columns if (one.is_label if targets is None else one.name in targets)]
    split = split or (
        None if found.parts else find_split_column(_flat(sample.columns), np.arange(min(len(sample), 10_000)))
    )
    labels = [one for one in labels if one.name != split]
    alike = _alike(picked, compared_keys)
    facts = compared = None
    looked_at = {"texts": len(some), "columns": len(some), "duplicates": len(alike.rows)}
    if is_smiles:
        facts, compared = _molecules(picked, drawn, alike, n, n_jobs, progress)
        looked_at["molecules"] = len(drawn)
    drawn = picked.at(drawn)
    values = _properties(source, drawn, facts, properties, sizes, seed, n_jobs) if facts is not None else {}
    looked_at["properties"] = max((len(one) for one in values.values()), default=0)
    groups = alike.places if compared is None else number_groups(compared.identity)[alike.places]
    flat = None if compared is None else number_groups(compared.flat)[alike.places]
    alike_texts, alike_numbers = source.smiles.take(alike.rows), source.numbers[alike.rows]
    lines = None if source.lines is None else source.lines[drawn]
    invalid = Rejects() if facts is None else facts.rejects.renumbered(source.numbers[drawn], lines)
    found.kinds.add(invalid)
    shown = drawn[random_rows(len(drawn), _SOME, seed + 1)]
    return Summary(
        name=blocks.name,
        rows=n + found.rejected,
        kept=n,
        smiles_column=found.smiles_column,
        notation=notation,
        notes=+found.notes,
        rejects=found.kinds.kinds(),
        looked_at=looked_at,
        lengths=Lengths(found.lengths),
        tokens=token_facts(sample.smiles, notation, vocab),
        molecules=facts,
        invalid=invalid,
        properties=values,
        scaffolds=None if facts is None else _scaffolds(facts),
        same_text=picked.same_text,
        same_molecule=None if flat is None else duplicates(groups, alike_texts, alike_numbers),
        same_flat=None if flat is None else duplicates(flat, alike_texts, alike_numbers),
        columns=columns,
        conflicts=tuple(_conflicts(source, one.name, groups, alike_texts, alike.rows) for one in labels),
        correlations=_correlations(labels, seed),
        parts=_parts(picked, split, found, (drawn, facts), (alike.rows, groups)),
        some=tuple((int(source.numbers[row]), source.smiles[row]) for row in shown.tolist()),
        seed=seed,
        first_rejects=found.first_rejects,
    )


class _Alike(NamedTuple):
    """Picked rows that have a molecule in common with all its rows: a row of each different text, and which it has."""

    rows: Rows
    firsts: Rows
    places: Rows


def _alike(picked: Picked, keys: Keys) -> _Alike:
    rows = np.flatnonzero(is_in(picked.keys, keys))
    _, firsts, places = np.unique(picked.keys[rows], return_index=True, return_inverse=True)
    return _Alike(rows, rows[firsts], places.astype(np.int64))


class _Identities(NamedTuple):
    """What is equal for equal molecules, with stereo and without; None for a text that is not a molecule."""

    identity: Sequence[str | None]
    flat: Sequence[str | None]


def _require_columns(source: Source, targets: Sequence[str] | None, split: str | None) -> None:
    for name in [*(targets or ()), *([split] if split else ())]:
        if name not in source.columns:
            raise ColumnError(
                f"no column {name!r}{did_you_mean(name, source.columns)}; there is "
                f"{format_names(source.columns) or 'none beside the molecules'}",
                column=name,
            )


def _flat(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that have one value in each row."""
    return {name: column for name, column in columns.items() if isinstance(column, Text) or column.ndim == 1}


def _molecules(
    picked: Picked, drawn: Rows, alike: _Alike, n: int, n_jobs: int, progress: Progress
) -> tuple[MoleculeFacts, _Identities]:
    """Return the facts about the rows that were drawn, and what the different texts are that are compared."""
    texts = picked.source.smiles
    facts = molecule_facts(texts.take(picked.at(drawn)), n_jobs=n_jobs, progress=progress)
    if len(drawn) == n:
        firsts = alike.firsts.tolist()
        return facts, _Identities([facts.identity[row] for row in firsts], [facts.flat[row] for row in firsts])
    found = molecule_facts(texts.take(alike.firsts), n_jobs=n_jobs, progress=progress)
    return facts, _Identities(found.identity, found.flat)


def _properties(
    source: Source,
    drawn: Rows,
    facts: MoleculeFacts,
    names: Sequence[str],
    sizes: SampleSizes,
    seed: int,
    n_jobs: int,
) -> dict[str, NDArray[np.float64]]:
    if not names:
        return {}
    valid = drawn[facts.ok]
    rows = valid[random_rows(len(valid), sizes.properties, seed)]
    texts = [text.split(" ")[0] for text in source.smiles.take(rows)]
    function = Descriptors(names)
    options: dict[str, Any] = {"on_error": "mask", "size": len(function), "on_nonfinite": "keep", "n_jobs": n_jobs}
    vectors = featurize(texts, function, **options).dense(dtype=np.float64)
    return {name: vectors[:, place] for place, name in enumerate(function.names)}


def _scaffolds(facts: MoleculeFacts) -> Scaffolds:
    counts = Counter(text for text in facts.scaffolds if text)
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_LARGEST_SCAFFOLDS]
    singletons = sum(count == 1 for count in counts.values())
    return Scaffolds(int(facts.ok.sum()), facts.scaffolds.count(""), len(counts), singletons, tuple(largest))


def _conflicts(source: Source, name: str, groups: Rows, texts: Text, rows: Rows) -> Conflicts:
    column = source.columns[name][rows]
    cells = column if isinstance(column, Text) else [f"{value:g}" for value in column.tolist()]
    return conflicts(column_facts(name, column), groups, texts, cells, source.numbers[rows])


def _correlations(labels: Sequence[ColumnFacts], seed: int) -> Correlations:
    known = [one for one in labels if not np.isnan(one.values).all()][:_CORRELATED_COLUMNS]
    if len(known) < 2:
        return Correlations.none()
    rows = random_rows(len(known[0].values), _CORRELATED_ROWS, seed)
    return correlations({one.name: one.values[rows] for one in known})


def _parts(
    picked: Picked, split: str | None, found: Scan, drawn: tuple[Rows, MoleculeFacts | None], alike: tuple[Rows, Rows]
) -> Parts | None:
    if split is not None:
        names = [str(value).strip() for value in picked.source.columns[split]]
        everywhere = found.values[split] or Counter(names)
    elif found.parts:
        names, everywhere = picked.parts, found.parts
    else:
        return None
    counts = dict(everywhere.most_common(12))
    known = [name for name in counts if name]
    some, groups = alike
    keys = [None if group < 0 else group + 1 for group in groups.tolist()]
    molecules = overlaps([names[row] for row in some.tolist()], keys, picked.source.smiles.take(some), known)
    rows, facts = drawn
    scaffolds: tuple[Any, ...] = ()
    if facts is not None:
        texts = [text or "" for text in facts.scaffolds]
        scaffolds = overlaps([names[row] for row in rows.tolist()], [text or None for text in texts], texts, known)
    return Parts(split or "split", counts, molecules, scaffolds)
