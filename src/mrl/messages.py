"""Parts of messages: suggestions for misspelt names, lists of names, values and counts."""

from __future__ import annotations

import sys
from collections.abc import Iterable

__all__ = [
    "did_you_mean",
    "format_count",
    "format_examples",
    "format_names",
    "format_status",
    "format_value",
    "user_stacklevel",
]


def did_you_mean(name: str, known: Iterable[str], *, most: int = 1) -> str:
    """Suggest what a misspelt name may have been meant to be.

    Parameters
    ----------
    name : str
        The name that was not found.
    known : iterable of str
        The names to choose from. Upper and lower case count as the same.
    most : int
        How many suggestions to make at most, the most similar one first.

    Returns
    -------
    str
        A question in parentheses with a blank in front of it, or ``""`` if no known name is similar.

    Examples
    --------
    >>> f"no column 'logp'{did_you_mean('logp', ['smiles', 'logP', 'logS'])}"
    "no column 'logp' (did you mean 'logP'?)"
    >>> did_you_mean("logp", ["smiles", "logP", "logS"], most=2), did_you_mean("logp", ["smiles"])
    (" (did you mean 'logP' or 'logS'?)", '')
    """
    from difflib import get_close_matches  # only for an error: `import mrl` stays cheap

    by_folded: dict[str, list[str]] = {}
    for other in dict.fromkeys(known):
        by_folded.setdefault(other.casefold(), []).append(other)
    close = [other for folded in get_close_matches(name.casefold(), by_folded, most) for other in by_folded[folded]]
    quoted = [repr(other) for other in close[:most]]
    return f" (did you mean {' or '.join(quoted)}?)" if quoted else ""


def format_names(names: Iterable[str], *, most: int = 20) -> str:
    """Return names for a message: quoted, in their order, the first `most` of them.

    Parameters
    ----------
    names : iterable of str
        The names.
    most : int
        How many to write out.

    Returns
    -------
    str
        The names, separated by commas, and how many more there are.

    Examples
    --------
    >>> format_names(["smiles", "logP", "logS"]), format_names(["smiles", "logP", "logS"], most=2)
    ("'smiles', 'logP', 'logS'", "'smiles', 'logP' and 1 more")
    """
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def format_examples(names: Iterable[str], *, most: int) -> str:
    """Return examples for the end of a message: all names after a colon, or the first `most` after "such as".

    Parameters
    ----------
    names : iterable of str
        The names.
    most : int
        How many to write out.

    Returns
    -------
    str
        The names, quoted and separated by commas, after ":" or ", such as".

    Examples
    --------
    >>> format_examples(["n.d.", "CI"], most=2), format_examples(["n.d.", "CI", "-"], most=2)
    (": 'n.d.', 'CI'", ", such as 'n.d.', 'CI'")
    """
    names = list(names)
    return f"{':' if len(names) <= most else ', such as'} {format_names(names[:most])}"


def format_value(value: object, *, most: int = 80) -> str:
    """Return the ``repr`` of a value, cut if it is long.

    Parameters
    ----------
    value : object
        Any value.
    most : int
        The most characters to return.

    Returns
    -------
    str
        At most `most` characters; the last three are dots if the ``repr`` was cut.

    Examples
    --------
    >>> format_value("CCO"), format_value("C" * 100, most=10)
    ("'CCO'", "'CCCCCC...")
    """
    text = repr(str(value[:most]) if isinstance(value, str) else value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def format_status(status: int) -> str:
    """Return how a process ended, by its exit status; by minus the number of a signal, where one ended it.

    Parameters
    ----------
    status : int
        As `subprocess.Popen.returncode` and `multiprocessing.Process.exitcode` have it.

    Returns
    -------
    str

    Examples
    --------
    >>> format_status(3), format_status(-9)
    ('exit status 3', 'signal 9')
    """
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun in the singular or plural.

    Parameters
    ----------
    count : int
        How many; thousands are separated by commas.
    noun : str
        The noun in the singular.
    plural : str, optional
        The plural, if it is not the noun with an s.

    Returns
    -------
    str
        The count and the noun.

    Examples
    --------
    >>> format_count(1, "row"), format_count(20_000, "row"), format_count(0, "entry", "entries")
    ('1 row', '20,000 rows', '0 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def user_stacklevel() -> int:
    """Return the ``stacklevel`` with which a warning names the first line outside of mrl that led to it.

    Returns
    -------
    int
        For ``warnings.warn`` in the function that calls this one.

    Examples
    --------
    >>> user_stacklevel() >= 1
    True
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "mrl":
        frame, level = frame.f_back, level + 1
    return level
