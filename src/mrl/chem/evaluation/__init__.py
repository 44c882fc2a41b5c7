"""Evaluation: generated molecules against benchmarks, and the two sides of a split against each other."""
