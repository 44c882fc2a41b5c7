"""The command line. Commands are declared in `mrl.cli.app` and load the packages they need when they run."""

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of ``mrl`` and ``python -m mrl``.

    Examples
    --------
    >>> import sys
    >>> sys.argv = ["mrl", "--version"]
    >>> main()
    Traceback (most recent call last):
    SystemExit: 0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of ASCII or Latin-1 shows escapes
    from typer import Exit  # typer is loaded only for the command line

    from mrl.cli.app import app
    from mrl.cli.console import reported

    try:
        with reported():  # help and errors of usage are typer's own output, which may have nowhere to go either
            app(prog_name="mrl")
    except Exit as ended:
        sys.exit(ended.exit_code)
