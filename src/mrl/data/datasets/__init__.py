"""Datasets: columns plus a task, and the tasks of the notebook and beyond as classes."""
