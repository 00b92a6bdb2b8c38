"""The data desk: what may be wrong with a dataset."""
