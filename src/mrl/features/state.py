"""The state of a function: a digest of everything in Python that its results can depend on.

A function is its code, its defaults, attributes, captured values and the globals that it names; an object is its class
and its attributes. Functions and classes of installed packages count by their names, modules too.
"""

from __future__ import annotations

import copyreg
import hashlib
import sys
import sysconfig
from functools import cache
from types import BuiltinMethodType, CellType, CodeType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

import numpy as np

__all__ = ["state_digest"]

_ATOMS = (bool, int, float, complex, str, bytes, bytearray, type(None), type(Ellipsis), type(NotImplemented), range)


def state_digest(value: Any, opaque: list[Any] | None = None) -> str:
    """Return a digest of a value, equal for equal values.

    Parameters
    ----------
    value : object
        A function, an object, a container of these.
    opaque : list, optional
        Objects that Python cannot take apart (compiled ones without pickling, open files) count by their identity, and
        are appended here to keep that; without it they count by their types, and the digest is the same in every
        process.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> def scaled_by(k):
    ...     return lambda text: k * len(text)
    >>> [state_digest(scaled_by(1)) == state_digest(scaled_by(k)) for k in (1, 2)]
    [True, False]
    """
    walk = _Walk(opaque)
    try:
        walk.add(value)
    except RecursionError:  # nested too deeply to be compared
        walk.add_opaque(value)
    return walk.hash.hexdigest()


class _Walk:
    """Write a value into a digest; what was seen before, by its number."""

    def __init__(self, opaque: list[Any] | None) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self.opaque = opaque
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an id is only of one object while that lives

    def write(self, kind: str, text: str = "") -> None:
        self.hash.update(f"{kind} {len(text)} {text}\n".encode("utf-8", "surrogatepass"))

    def add_opaque(self, value: Any) -> None:
        kind = type(value)
        place = ""
        if self.opaque is not None:
            self.opaque.append(value)
            place = str(id(value))
        self.write("opaque", f"{kind.__module__}.{kind.__qualname__} {place}")

    def add(self, value: Any) -> None:
        if type(value) in _ATOMS:
            self.write(type(value).__name__, repr(value))
            return
        if (number := self._seen.setdefault(id(value), len(self._seen))) < len(self._alive):
            self.write("seen", str(number))
            return
        self._alive.append(value)
        key = getattr(value, "cache_key", None)
        if isinstance(key, str) and key:
            self.write("key", key)
        elif isinstance(value, ModuleType):
            self.write("module", value.__name__)
        elif isinstance(value, type):
            self._add_class(value)
        elif isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, MethodType):
            self.add_all("method", value.__func__, value.__self__)
        elif isinstance(value, BuiltinMethodType | MethodWrapperType):
            self.add_all("builtin", value.__qualname__, getattr(value, "__module__", None), value.__self__)
        elif isinstance(value, CodeType):
            self.add_all("code", value.co_code, value.co_consts, value.co_names, value.co_varnames, value.co_freevars)
        elif isinstance(value, CellType):
            self._add_cell(value)
        elif type(value) in (list, tuple):
            self.add_all(type(value).__name__, *value)
        elif type(value) is dict:
            self.add_all("dict", *(part for item in value.items() for part in item))
        elif type(value) in (set, frozenset):
            self.add_all(type(value).__name__, *sorted(state_digest(one, self.opaque) for one in value))
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self.write("array", f"{value.dtype.str} {value.shape}")
            self.hash.update(np.ascontiguousarray(value).tobytes())
        elif hasattr(value, "detach") and hasattr(value, "cpu"):
            self._add_tensor(value)
        else:
            self._add_object(value)

    def add_all(self, kind: str, *values: Any) -> None:
        self.write(kind, str(len(values)))
        for value in values:
            self.add(value)

    def _add_class(self, kind: type) -> None:
        self.write("class", f"{kind.__module__}.{kind.__qualname__}")
        if not _is_installed(kind.__module__):
            content = {
                name: value
                for name, value in vars(kind).items()
                if isinstance(value, FunctionType) or not name.startswith(("__", "_abc_"))
            }
            self.add_all("content", content, kind.__bases__)

    def _add_function(self, function: FunctionType) -> None:
        self.write("function", f"{function.__module__}.{function.__qualname__}")
        if not _is_installed(function.__module__):
            named = _names(function.__code__)
            used = {name: function.__globals__[name] for name in named if name in function.__globals__}
            self.add_all("content", function.__code__, function.__defaults__, function.__kwdefaults__, used)
        self.add_all("captured", function.__closure__, vars(function))

    def _add_cell(self, cell: CellType) -> None:
        try:
            content = cell.cell_contents
        except ValueError:
            self.write("empty cell")
        else:
            self.add_all("cell", content)

    def _add_tensor(self, tensor: Any) -> None:
        plain = tensor.detach().cpu()
        try:
            numbers = plain.numpy()
        except TypeError:  # a type that NumPy does not have, such as bfloat16
            numbers = plain.double().numpy()
        self.add_all("tensor", str(tensor.dtype), numbers)

    def _add_object(self, value: Any) -> None:
        kind = type(value)
        if kind.__module__ == "itertools":  # taking them apart is deprecated
            self.add_opaque(value)
            return
        try:
            reducer = copyreg.dispatch_table.get(kind)
            parts = value.__reduce_ex__(4) if reducer is None else reducer(value)
            if not isinstance(parts, str):
                parts = [*parts[:3], *(None if part is None else list(part) for part in parts[3:5])]
        except Exception:  # an object may raise anything here
            self.add_opaque(value)
            return
        self.add_all("object", kind, parts)


def _names(code: CodeType) -> list[str]:
    """Return the names that a function and those inside it look up, in order."""
    inner = [name for one in code.co_consts if isinstance(one, CodeType) for name in _names(one)]
    return [*dict.fromkeys([*code.co_names, *inner])]


@cache
def _is_installed(module: str | None) -> bool:
    """Whether a module is part of Python, of an installed package, or of this one."""
    top = (module or "").partition(".")[0]
    if top in sys.stdlib_module_names or top == "mrl":
        return top != "__main__"
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}
    return file is not None and any(file.startswith(folder) for folder in folders if folder)
