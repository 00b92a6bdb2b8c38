"""Grids of many small pictures."""
