"""Directories of Parquet that hold a dataset's features: written on one machine or a cluster, opened bit by bit.

`manifest` tells what one is, without Arrow; `opened`, `lazy` and `listing` read one without torch; `local_engine` and
`ray_engine` write one, `source` makes a dataset of it.
"""
