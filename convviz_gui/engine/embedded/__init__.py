"""Directories of Parquet that hold a dataset's features: written on one machine or a cluster, opened bit by bit.

What the window needs of it imports no torch; the engines that write do (`local_engine`, `ray_engine`).
"""

from convviz_gui.engine.embedded.manifest import MANIFEST, UNFINISHED, Description, Manifest, Part, is_embedded

__all__ = ["MANIFEST", "UNFINISHED", "Description", "Manifest", "Part", "is_embedded"]
