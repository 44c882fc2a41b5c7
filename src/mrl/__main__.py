"""``python -m mrl``: the command line."""

from mrl.cli import main

if __name__ == "__main__":
    main()
