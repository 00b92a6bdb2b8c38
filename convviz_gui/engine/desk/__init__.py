"""The data desk: what may be wrong with a dataset, and what the user decides about it."""
