"""How worker processes end: without an abort, and without swallowing a Ctrl-C of the main process."""

from __future__ import annotations

import atexit
import copy
import ctypes
import os
import signal
import threading
from _thread import interrupt_main
from collections.abc import Callable
from functools import cache, partial
from multiprocessing import util
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any


class _Interrupted(BaseException):
    """A signal arrived."""


def run_postponing_signals(action: Callable[[], None], abort: Callable[[], None]) -> list[object]:
    """Run `action`; a signal that arrives meanwhile cuts it short, and is handled when the result is deleted.

    Python discards what is raised while an object is finalized: a Ctrl-C there would be lost. So handlers do not run
    here, but in the code that goes on afterwards. Signals are handled in the main thread; in other threads this is
    ``action()``.

    Parameters
    ----------
    action : callable
        Called without arguments.
    abort : callable
        Called without arguments when the first signal arrives; then `action` is left by an exception.

    Returns
    -------
    list of object
        One for each signal that arrived; the signal arrives again as soon as it is deleted.

    Examples
    --------
    >>> before = signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
    >>> signals = run_postponing_signals(lambda: signal.raise_signal(signal.SIGUSR1), lambda: print("cut short"))
    cut short
    >>> del signals
    handled
    >>> _ = signal.signal(signal.SIGUSR1, before)
    """
    arrived: dict[int, object] = {}
    running = True

    def postpone(number: int, _: object) -> None:
        nonlocal running
        arrived[number] = None
        if running:
            running = False
            abort()
            raise _Interrupted

    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        # Torch's handler of SIGCHLD raises where a process died: that ends the action.
        numbers = signal.valid_signals() - {getattr(signal, "SIGCHLD", None)}
        handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    try:
        for number in handlers:
            signal.signal(number, postpone)
        action()
        running = False
    except _Interrupted:
        pass
    finally:
        running = False
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return [_redelivery(number) for number in arrived]


def _redelivery(number: int) -> object:
    """Return an object whose deletion makes a signal arrive, without running Python code that it would interrupt."""
    return type("Redelivery", (), {"__del__": staticmethod(partial(interrupt_main, number))})()  # type: ignore[arg-type]


def context_without_finalization(context: BaseContext) -> BaseContext:
    """Return a context whose processes end without finalizing their interpreter, as those of fork and forkserver do.

    The interpreter of a spawned process would end its daemon threads by unwinding them. The thread of a queue may be
    freeing tensors at that time, in functions of torch that must not be unwound: the process aborts.

    Parameters
    ----------
    context : multiprocessing context
        Any; a subclass of your own, with its processes, stays what it is.

    Returns
    -------
    multiprocessing context

    Examples
    --------
    >>> import multiprocessing
    >>> fork, spawn = map(multiprocessing.get_context, ("fork", "spawn"))
    >>> context_without_finalization(fork) is fork
    True
    >>> context_without_finalization(spawn).Process.__mro__[1]
    <class 'multiprocessing.context.SpawnProcess'>
    """
    if context.get_start_method() in ("fork", "forkserver"):
        return context
    made: Any = copy.copy(context)
    made.Process = _process_without_finalization(made.Process)
    return made  # type: ignore[no-any-return]


@cache
def _process_without_finalization(base: Any) -> type[BaseProcess]:
    class Process(base):  # type: ignore[misc]
        def _bootstrap(self, *args: Any, **kwargs: Any) -> None:
            code = super()._bootstrap(*args, **kwargs)  # runs the target, and flushes its queues
            atexit._run_exitfuncs()
            util._flush_std_streams()  # type: ignore[attr-defined]
            if os.name == "posix":
                ctypes.CDLL(None).fflush(None)
            os._exit(code)

        def __reduce__(self) -> tuple[Any, ...]:
            return _new_process, (base,), self.__getstate__()

    return Process


def _new_process(base: Any) -> BaseProcess:
    kind = _process_without_finalization(base)
    return kind.__new__(kind)
