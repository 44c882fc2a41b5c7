"""The phases of a preparation, each a pure function of files."""
