"""Scores as data: measures of molecules, the transforms that give each a direction, and their weighted mean."""
