"""RayEngine: the tasks of a preparation on a cluster of Ray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from mrl.errors import PrepareError


class RayEngine:
    """Runs tasks on a cluster of Ray, on which every machine sees the same folders and has the same mrl.

    A task whose process or machine is lost is run again, on another one.

    Parameters
    ----------
    address : str, optional
        Of the cluster, such as ``"auto"`` or ``"ray://head:10001"``; by default Ray starts one of its own on this
        machine, or uses the one that this process is connected to already.

    Raises
    ------
    PrepareError
        Ray is not installed, or there is no cluster at the address.

    Examples
    --------
    >>> with RayEngine("auto") as engine:  # doctest: +SKIP
    ...     prepare_corpus("all.csv", "corpus", engine=engine)
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            import ray
        except ImportError:
            raise PrepareError("the engine ray needs Ray: pip install 'mrl[ray]'") from None
        self._ray = ray
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            here: dict[str, Any] = {"include_dashboard": False} if address is None else {}
            try:
                # Without an address, Ray would join any cluster that it finds on this machine.
                ray.init(address=address or "local", log_to_driver=False, **here)
            except (ConnectionError, ValueError) as error:
                raise PrepareError(
                    f"no cluster of Ray at {address}: {error}; start one by ray start --head, or leave it out"
                ) from error
        self._run = ray.remote(max_retries=10, num_cpus=1)(_call)

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a function on the cluster.

        Parameters
        ----------
        function : callable
            A function of a module.
        *args
            Its arguments, which can be pickled.

        Returns
        -------
        object
            A future, with ``done()`` and ``result()``; errors of the function are raised as they are.

        Examples
        --------
        >>> RayEngine("auto").submit(len, "CCO").result()  # doctest: +SKIP
        3
        """
        return _RayFuture(self._run.remote(function, args).future(), self._ray.exceptions)

    def close(self) -> None:
        """End the connection, and the cluster if this engine started it.

        Examples
        --------
        >>> RayEngine().close()  # doctest: +SKIP
        """
        if self._is_ours:
            self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _RayFuture:
    """A future whose errors are those of the function, not wrapped by Ray."""

    def __init__(self, future: Any, exceptions: Any) -> None:
        self._future = future
        self._exceptions = exceptions

    def done(self) -> bool:
        return bool(self._future.done())

    def result(self) -> Any:
        try:
            return self._future.result()
        except self._exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except self._exceptions.RayError as error:
            raise PrepareError(
                f"Ray lost a task ({type(error).__name__}): run the same command again; what is finished is kept"
            ) from error


def _call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return function(*args)
