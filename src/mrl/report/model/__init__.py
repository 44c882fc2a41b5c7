"""The report of a property model, and its figures."""
