"""mrl: the data layer for machine learning on molecules in PyTorch. Lossless or loud.

Public names and subpackages are imported when they are first used: ``import mrl`` loads nothing else. They are listed
in ``__init__.pyi``, which type checkers and editors read too.
"""

import importlib

__version__ = "0.1.0"


def _read_stub() -> dict[str, str]:
    """Map each public name to its home, from the lines ``from <home> import <name> as <name>`` of the stub file."""
    lines = __spec__.loader.get_data(f"{__path__[0]}/__init__.pyi").decode().splitlines()
    return {line.split()[-1]: line.split()[1] for line in lines if line.startswith("from ")}


_HOMES = _read_stub()

__all__ = ["__version__"]
__all__ += [name for name, home in _HOMES.items() if home != "mrl"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        from mrl.messages import did_you_mean

        raise AttributeError(f"module 'mrl' has no attribute {name!r}{did_you_mean(name, _HOMES)}")
    if _HOMES[name] == "mrl":
        value: object = importlib.import_module(f"mrl.{name}")
    else:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOMES, *__all__})
