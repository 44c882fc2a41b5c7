"""Cleaning: steps that change or reject molecules, presets, duplicates, and a record of what was done.

Start reading at `clean.py`. A new step is a class in `standardize.py` (changes molecules) or `filters.py` (rejects
them); its public name is imported in `mrl/chem/__init__.py`.
"""
