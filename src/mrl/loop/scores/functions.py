"""The functions of a score: measures, properties, a user's function, a function by its name, an external program.

Functions see molecules, and every failure stays in its row: an exception, a time-out, output that is not a number, NaN
and infinity become `Failed` with a reason, and all other rows keep their values.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

from mrl.chem import PROPERTIES, Measure, bertz_complexity
from mrl.errors import MrlError
from mrl.features import featurize
from mrl.loop.scores.values import Estimate, Failed, to_number, to_value
from mrl.messages import did_you_mean, format_count, format_status, format_value

Function: TypeAlias = "Callable[[Any], float | Estimate] | BatchFunction"

Checked = TypeVar("Checked")


class Measurement(NamedTuple):
    """A molecule to be measured: its row, its text, and the parsed molecule."""

    row: int
    text: str
    mol: Any


class BatchFunction:
    """A function of many molecules at once; a subclass defines `evaluate`.

    Examples
    --------
    >>> class Lengths(BatchFunction):
    ...     def evaluate(self, texts):
    ...         return [len(text) if "." not in text else Failed("a mixture") for text in texts]
    >>> Lengths().evaluate(["CCO", "C.C"])
    [3, Failed(reason='a mixture')]
    """

    def evaluate(self, texts: Sequence[str]) -> Sequence[float | Estimate | Failed]:
        """Return a number, with its margin or without, or the reason why there is none, for each text.

        Parameters
        ----------
        texts : sequence of str
            Canonical SMILES.

        Returns
        -------
        sequence of float, Estimate or Failed
            As many.

        Examples
        --------
        >>> Imported("mrl.chem:rings").evaluate(["C1CC1", "CC"])
        [1.0, 0.0]
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Property:
    """A property of `mrl.chem.PROPERTIES`, or ``"bertz_complexity"``, by its name.

    Parameters
    ----------
    name : str
        Such as ``"qed"``, ``"sa_score"``, ``"logp"``.

    Raises
    ------
    ValueError
        There is no such property.

    Examples
    --------
    >>> round(Property("logp")("CCO"), 4)
    -0.0014
    """

    name: str

    def __post_init__(self) -> None:
        known = (*PROPERTIES, bertz_complexity.__name__)
        if self.name not in known:
            raise ValueError(
                f"{self.name!r} is not a property{did_you_mean(self.name, known)}; choose one of {', '.join(known)}"
            )

    def __call__(self, x: Any) -> float:
        """Return the property of a SMILES or a molecule."""
        return float(bertz_complexity(x) if self.name == bertz_complexity.__name__ else PROPERTIES[self.name](x))


@dataclass(frozen=True)
class Imported(BatchFunction):
    """A function of a SMILES that is imported by its name, so that a file can hold it; it can run in processes.

    Parameters
    ----------
    path : str
        ``"package.module:function"``.
    jobs : int
        Number of processes.
    timeout : float, optional
        Seconds that a molecule may take.

    Raises
    ------
    ValueError
        The path has another form, or there is no such function.

    Examples
    --------
    >>> Imported("mrl.chem:logp").evaluate(["CCO"])
    [-0.0014000000000000123]
    """

    path: str
    jobs: int = 1
    timeout: float | None = None

    def __post_init__(self) -> None:
        _imported(self.path)
        _require_jobs(self.jobs, self.timeout)

    def evaluate(self, texts: Sequence[str]) -> Sequence[float | Failed]:
        """Return the function's value for each text.

        Parameters
        ----------
        texts : sequence of str
            Canonical SMILES.

        Returns
        -------
        sequence of float or Failed
            As many.

        Examples
        --------
        >>> Imported("mrl.chem:rings").evaluate(["C1CC1", "C1CC"])[0]
        1.0
        """
        function = _imported(self.path)
        if self.jobs == 1 and self.timeout is None:
            return [_call(function, text, to_number) for text in texts]
        features = featurize(
            [*texts],
            function,
            n_jobs=self.jobs,
            timeout=self.timeout,
            on_error="mask",
            size=1,
            progress=False,
            on_nonfinite="keep",
        )
        reasons = {reject.row: reject.reason for reject in features.rejects}
        column = features.dense(dtype="float64")[:, 0].tolist()
        return [Failed(reasons[row]) if row in reasons else to_number(value) for row, value in enumerate(column)]


@dataclass(frozen=True)
class Command(BatchFunction):
    """An external program: SMILES on its standard input, one a line; one number a line on its standard output.

    A batch of which the program fails (another exit status than 0, too long, another number of lines) is repeated one
    by one, so that a molecule that it cannot take costs no other one its value.

    Parameters
    ----------
    command : str or sequence of str
        Program and arguments; a text is split as a shell would, and no shell is run.
    timeout : float
        Seconds per molecule; a batch may take as many times longer as it has molecules. A program that takes longer
        is killed, with the processes that it started.
    jobs : int
        How many run at the same time.
    batch : int
        Molecules per run.

    Raises
    ------
    ValueError
        An empty command, or numbers that are not positive.

    Examples
    --------
    >>> import sys
    >>> length = Command([sys.executable, "-c", "for line in open(0): print(len(line.strip()))"], batch=10)
    >>> length.evaluate(["CCO", "C"])
    [3.0, 1.0]
    """

    command: str | Sequence[str]
    timeout: float = 60.0
    jobs: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        command = self.command
        object.__setattr__(self, "command", tuple(shlex.split(command) if isinstance(command, str) else command))
        if not self.command:
            raise ValueError("command is empty; expected a program and its arguments, such as 'dock --fast'")
        _require_jobs(self.jobs, self.timeout)
        if self.batch < 1:
            raise ValueError(f"batch={self.batch}; expected the number of molecules per run, 1 or more")

    def evaluate(self, texts: Sequence[str]) -> Sequence[float | Failed]:
        """Return the program's number for each text.

        Parameters
        ----------
        texts : sequence of str
            Canonical SMILES.

        Returns
        -------
        sequence of float or Failed
            As many.

        Examples
        --------
        >>> Command("false").evaluate(["CCO"])
        [Failed(reason='exit status 1: no message')]
        """
        parts = [texts[start : start + self.batch] for start in range(0, len(texts), self.batch)]
        if self.jobs == 1:
            return [value for part in parts for value in self._run(part)]
        with ThreadPoolExecutor(self.jobs) as pool:
            return [value for values in pool.map(self._run, parts) for value in values]

    def _run(self, texts: Sequence[str]) -> Sequence[float | Failed]:
        lines, reason = self._output(texts)
        if not reason and len(lines) != len(texts):
            lines_of, molecules = format_count(len(lines), "line"), format_count(len(texts), "molecule")
            reason = f"{lines_of} of output for {molecules}"
        if not reason:
            return [_parsed(line) for line in lines]
        if len(texts) == 1:
            return [Failed(reason)]
        return [value for text in texts for value in self._run([text])]

    def _output(self, texts: Sequence[str]) -> tuple[list[str], str]:
        """Return the lines of output, or why there are none."""
        try:
            process = subprocess.Popen(
                [*self.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",  # a message in another encoding; a number has no such bytes
                start_new_session=True,  # so that the processes that it starts end with it
            )
        except OSError as error:
            raise MrlError(f"the command {shlex.join(self.command)} cannot be started: {error}") from None
        limit = self.timeout * len(texts)
        try:
            out, err = process.communicate("".join(f"{text}\n" for text in texts), timeout=limit)
        except subprocess.TimeoutExpired:
            _kill_group(process)
            return [], f"time-out: no answer within {limit:g} s"
        except BaseException:
            _kill_group(process)
            raise
        if process.returncode:
            last = err.strip().splitlines()[-1:] or ["no message"]
            return [], f"{format_status(process.returncode)}: {last[0]:.200}"
        return out.splitlines(), ""


def evaluate(function: Function, molecules: Sequence[Measurement]) -> Sequence[float | Estimate | Failed]:
    """Return the value of a function for each molecule, or why there is none.

    Measures and properties get the parsed molecule, other functions its text.
    """
    if isinstance(function, BatchFunction):
        values = function.evaluate([one.text for one in molecules])
        if len(values) != len(molecules):
            raise MrlError(f"{function!r} returned {len(values)} values for {len(molecules)} molecules")
        return [to_value(value) for value in values]
    if takes_molecule(function):
        return [_call(function, one.mol, to_value) for one in molecules]
    return [_call(function, one.text, to_value) for one in molecules]


def takes_molecule(function: Function) -> bool:
    """Return whether a function is one of `mrl.chem` that takes a parsed molecule."""
    if isinstance(function, Measure):
        return function.takes_molecule
    return isinstance(function, Property) or function in PROPERTIES.values() or function is bertz_complexity


def require_function(name: str, function: object) -> None:
    """Raise a TypeError unless a component's function can be evaluated."""
    if not (callable(function) or isinstance(function, BatchFunction)):
        raise TypeError(
            f"component {name!r}: its function is {format_value(function)}; expected a function of a SMILES, a measure "
            "such as SimilarityTo, or a Command"
        )


def _call(function: Callable[[Any], Any], x: Any, check: Callable[[Any], Checked]) -> Checked | Failed:
    try:
        return check(function(x))
    except MrlError as error:
        return Failed(str(getattr(error, "reason", None) or error))
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}")


def _parsed(line: str) -> float | Failed:
    return to_number(line.strip()) if line.strip() else Failed("an empty line of output")


@lru_cache(maxsize=64)
def _imported(path: str) -> Callable[[str], float]:
    module, separator, name = path.partition(":")
    if not (module and separator and name):
        raise ValueError(f"{path!r} does not name a function; expected 'package.module:function'")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{path!r} cannot be imported: {error}; check PYTHONPATH and the spelling") from None
    if not callable(function):
        raise ValueError(f"{path!r} is {format_value(function)}; expected a function of a SMILES")
    found: Callable[[str], float] = function
    return found


def _kill_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _require_jobs(jobs: int, timeout: float | None) -> None:
    if jobs < 1:
        raise ValueError(f"jobs={jobs}; expected 1 or more")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout={timeout}; expected a positive number of seconds")
