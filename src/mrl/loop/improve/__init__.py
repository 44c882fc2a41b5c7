"""Improvement of molecules towards a score: proposals, a surrogate that chooses among them, and a model that learns."""
