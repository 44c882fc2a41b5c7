"""Every public class, function, method and property has a complete docstring, and the test for it can fail."""

from __future__ import annotations

from typing import Any

import documentation
import numpydoc_sections


def test_every_public_name_has_a_complete_docstring() -> None:
    problems = [text for _, text in documentation.incomplete_docstrings()]
    assert not problems, "\n".join(problems)


def found(value: Any) -> list[str]:
    return list(documentation.problems(documentation.Subject("text", "example", value)))


def complete(n: int, *names: str, k: int = 0) -> int:
    """Return a number.

    Parameters
    ----------
    n, k : int
        Two numbers; the letters n and k stand in this sentence too.
    *names : str
        Some names.

    Returns
    -------
    int
        Their sum.

    Raises
    ------
    ValueError, mrl.errors.RowError
        Never.

    Examples
    --------
    >>> complete(1)
    1
    """
    return n + k


def one_liner(n: int) -> int:
    """Return `n` as it is.

    >>> one_liner(1)
    1
    """
    return n


def parameters_as_prose(n: int, k: int) -> int:
    """Return n and k of them.

    Returns
    -------
    int
        n, k.

    Raises
    ------
    KindError
        If n.

    >>> 1
    1
    """
    return n + k


def sections_without_use(n: int) -> None:
    """Do nothing,
    on two lines.

    Parameters
    ----------
    n : int
        A number.
    size : int
        Another.

    Returns
    -------
    int
        Nothing.
    """


class Base:
    """Hold a number.

    Parameters
    ----------
    n : int
        The number.

    Examples
    --------
    >>> Base(1).doubled()
    2
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def doubled(self) -> int:
        """Return twice the number."""
        return 2 * self.n

    @property
    def half(self) -> float:
        """Half of the number."""
        return self.n / 2

    def add(self, k: int) -> int:
        """Return the sum with a number k.

        >>> Base(1).add(2)
        3
        """
        return self.n + k


def test_complete_docstrings_have_no_problem() -> None:
    assert found(complete) == found(one_liner) == found(Base) == []
    assert numpydoc_sections.parse(complete.__doc__).entries("Parameters") == ["n", "k", "names"]


def test_every_kind_of_problem_is_found() -> None:
    assert found(parameters_as_prose) == [
        "no entry in the section Parameters: n, k",
        "Raises: KindError is not an exception",
    ]
    assert found(sections_without_use) == [
        "the summary is not one line that ends with a full stop",
        "in the section Parameters, but not in the signature: size",
        "a section Returns, but nothing is returned",
        "no example",
    ]
    assert found(lambda: None) == ["no docstring"]


def test_members_may_have_their_example_in_the_docstring_of_their_class() -> None:
    def of(name: str) -> list[str]:
        return list(documentation.problems(documentation.Subject("text", name, vars(Base)[name], (Base,))))

    assert of("doubled") == []
    assert of("half") == ["no example"]
    assert of("add") == ["no entry in the section Parameters: k", "no section Returns or Yields"]


def test_members_are_found_with_their_class() -> None:
    names = {subject.name for subject in documentation.subjects()}
    assert {"Vocab", "Vocab.encode", "Ragged.take", "to_mol", "featurize"} <= names
    assert not [name for name in names if "._" in name]
