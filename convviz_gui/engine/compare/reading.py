"""Reading result folders, as `convviz run` and Save… write them; from anybody, so that nothing in them is trusted."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.compare.facts import facts_of
from convviz_gui.engine.compare.shown import shown_map
from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.export import MANIFEST
from convviz_gui.engine.manifest import FORMAT

DATA = "data.npz"
MOST_BYTES = 2**31
"""Of one array; a file may claim any size."""
MOST_TEXT = 2**26
"""Bytes of a manifest."""
_NEEDED = frozenset(
    ("raw", "heat", "box", "logits", "class_index", "drop", "attribution", "maps", "images", "channels", "trace")
) | {"weights", "input", "layers", "values", "boxes"}
"""Arrays that are read; a latent space's features, say, are left where they are."""
_SMALLER = "Compare results of smaller pictures or fewer channels"
_WRITE = "Give a folder that convviz run or Save… has written"


def read_side(folder: str, item: int | None = None) -> Side:
    """One result of a folder as a side.

    Args:
        folder: a folder of one result, or the sub-folder of one of several.
        item: which channel, tile or kernel (`shown_map`).

    Raises `EngineError` if the folder holds no result, several, a damaged one, or one with nothing to compare.
    """
    place, record = _record(Path(folder))
    arrays = read_arrays(place / DATA)
    shown = shown_map(arrays, record, item)
    image = record.get("image")
    size = None
    if isinstance(image, Mapping) and all(isinstance(image.get(side), int) for side in ("height", "width")):
        size = (int(image["height"]), int(image["width"]))
    return Side(shown, record, facts_of(record, shown), None, size, _logits(arrays))


def _record(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where the arrays are, and the manifest's entries with those of the one result."""
    if not folder.is_dir():
        raise EngineError(f"There is no folder {folder}", _WRITE)
    if (folder / MANIFEST).is_file():
        told, results = _manifest(folder / MANIFEST)
        if len(results) > 1:
            named = ", ".join(str(result.get("folder")) for result in results[:3])
            raise EngineError(
                f"{folder} holds {len(results)} results",
                f"Give the sub-folder of one of them: {named}{', …' if len(results) > 3 else ''}",
            )
        return _inside(folder, results[0]), told | results[0]
    if (folder.parent / MANIFEST).is_file():
        told, results = _manifest(folder.parent / MANIFEST)
        for result in results:
            if result.get("folder") == folder.name:
                return folder, told | result
    raise EngineError(f"{folder} holds no result: there is no {MANIFEST}", _WRITE)


def _inside(folder: Path, result: Mapping[str, Any]) -> Path:
    name = result.get("folder", ".")
    # One level down at most: a manifest must not lead out of its folder.
    if name == ".":
        return folder
    if not isinstance(name, str) or Path(name).name != name or name == "..":
        raise EngineError(f"The manifest of {folder} names a folder outside of it", _WRITE)
    return folder / name


def _manifest(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if path.stat().st_size > MOST_TEXT:
        raise EngineError(f"{path} is too large to be a manifest", _WRITE)
    try:
        told = json.loads(path.read_bytes(), parse_constant=_no_number)
        # Half characters, which JSON can write and no file can hold.
        json.dumps(told, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path} is damaged: it is no JSON", _WRITE) from error
    results = told.get("results") if isinstance(told, dict) else None
    if not isinstance(results, list) or not results or not all(isinstance(one, dict) for one in results):
        raise EngineError(f"{path} is not the manifest of a result", _WRITE)
    if told.get("format") != FORMAT or not isinstance(told.get("method"), str):
        raise EngineError(f"{path} is of another program or of a version that this one cannot read", _WRITE)
    return told, results


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `data.npz` that comparing needs, without pickles.

    Raises `EngineError` for a file that is missing, damaged, or claims more than `MOST_BYTES` for an array.
    """
    if not path.is_file():
        raise EngineError(f"{path} is missing", _WRITE)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
            wanted = [name for name in sorted(entries) if name in _NEEDED or name.startswith("raw_")]
            # An archive may hold any number of maps, each within bounds.
            if sum(archive.getinfo(entries[name]).file_size for name in wanted) > 2 * MOST_BYTES:
                raise EngineError(f"{path} holds more than {2 * MOST_BYTES >> 30} GiB to compare", _SMALLER)
            return {name: _array(archive, entries[name], path) for name in wanted}
    except (EngineError, MemoryError):
        raise
    except Exception as error:
        # Every way of packing has errors of its own.
        raise EngineError(f"{path} is damaged: {_short(error)}", _WRITE) from error


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    claimed = archive.getinfo(name).file_size
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name} is in an unknown format")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _fortran, kind = read(file)
    if kind.hasobject:
        raise ValueError(f"{name} holds Python objects")
    size = math.prod(shape) * kind.itemsize
    if size > MOST_BYTES:
        raise EngineError(f"{name} in {path} claims {size / 2**30:.0f} GiB", _SMALLER)
    # The header's word is checked against what there is before room is made for it.
    if size > claimed:
        raise ValueError(f"{name} is cut short")
    with archive.open(name) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    array.flags.writeable = False
    return array


def _logits(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32] | None:
    logits = arrays.get("logits")
    if logits is None or logits.ndim != 1 or logits.dtype.kind != "f" or not logits.size:
        return None
    return logits.astype(np.float32, copy=False)


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
