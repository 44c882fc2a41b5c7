"""Measures of a molecule against a goal, and operators that make new molecules of old ones."""
