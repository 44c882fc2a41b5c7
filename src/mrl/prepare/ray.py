"""RayEngine: the tasks of a preparation on a cluster of Ray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mrl.errors import PrepareError


class RayEngine:
    """Runs tasks on a cluster of Ray, on which every machine sees the same folders.

    A task whose process or machine is lost is run again, on another one.

    Parameters
    ----------
    address : str, optional
        Of the cluster, such as ``"auto"`` or ``"ray://head:10001"``; by default Ray starts one on this machine.

    Raises
    ------
    PrepareError
        Ray is not installed.

    Examples
    --------
    >>> engine = RayEngine("auto")  # doctest: +SKIP
    >>> prepare_corpus("all.csv", "corpus", engine=engine)  # doctest: +SKIP
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            import ray
        except ImportError:
            raise PrepareError("the engine ray needs Ray: pip install 'mrl[ray]'") from None
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None)
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
        concurrent.futures.Future

        Examples
        --------
        >>> RayEngine("auto").submit(len, "CCO").result()  # doctest: +SKIP
        3
        """
        return self._run.remote(function, args).future()


def _call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return function(*args)
