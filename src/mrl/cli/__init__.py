"""mrl at a terminal. Commands are declared in `mrl.cli.app` and load their rooms only when they run."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of ``mrl``."""
    from mrl.cli.app import app  # typer is loaded for a person at a terminal only

    app(prog_name="mrl")
