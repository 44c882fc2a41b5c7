"""The page about a file or a table of molecules."""
