"""The desk: what may be wrong with a dataset, reviewed by keyboard."""
