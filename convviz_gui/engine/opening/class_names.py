"""Names of classes from a text or JSON file, or from the sub-folders of a dataset."""

from __future__ import annotations


def read_class_names(path: str) -> tuple[str, ...]:
    """The names in `path`, in the order of the classes. Raises `EngineError` if it holds none."""
    raise NotImplementedError
