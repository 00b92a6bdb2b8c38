"""Names of classes from a text, CSV or JSON file, or from the sub-folders of a dataset.

Read as data, never as a program. What is unclear is said: gaps are called "class 7", a name for two classes stays.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convviz_gui.engine.errors import EngineError

LARGEST_FILE = 16 * 2**20
MOST_CLASSES = 200_000
LONGEST_NAME = 1000

_WAY_OUT = "Give a text file with a name per line, a JSON list, or the dataset's folder"
_NESTED = (
    "id2label",
    "label2id",
    "class_to_idx",
    "idx_to_class",
    "class_names",
    "label_names",
    "classes",
    "labels",
    "names",
)
"""Where configurations and checkpoints keep names, in this order."""
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "eval"}


@dataclass(frozen=True, slots=True)
class ClassNames:
    """`names` in the order of the classes, and what reading them had to decide, in words."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_class_names(path: str) -> ClassNames:
    """The names in a file, or of a dataset's sub-folders in the order of torchvision's ImageFolder.

    A text file has a name per line ("tench" or "n01440764 tench", left as it is) or index and name with a comma,
    semicolon or tab between them; a JSON file a list, {"0": "cat"}, {"0": ["n01440764", "tench"]}, {"cat": 0}, or one
    of these under "id2label", "class_to_idx" and the like.

    Raises:
        EngineError: there is nothing at `path`, or no names, or too much, or something else than names.
    """
    place = Path(path)
    try:
        if place.is_dir():
            found, notes = _folder(place)
        else:
            found, notes = _file(place)
    except OSError as error:
        title = f"The class names in {place} cannot be read: {error.strerror or error}"
        raise EngineError(title, "Check that the path exists and that you may use it") from None
    if not found:
        raise EngineError(f"{place.name} holds no class names", _WAY_OUT)
    return _complete(found, notes, place.name)


Indexed = dict[int, str]


def _complete(found: Indexed, notes: Sequence[str], name: str) -> ClassNames:
    """Every class up to the last has a name; gaps and repetitions are said."""
    last = max(found)
    if min(found) < 0 or last >= MOST_CLASSES:
        wrong = min(found) if min(found) < 0 else last
        raise EngineError(f"{name} has a class number {wrong}", f"Numbers go from 0 to {MOST_CLASSES - 1} at most")
    said = list(notes)
    missing = [index for index in range(last + 1) if not found.get(index)]
    if missing:
        said.append(f"{_classes(len(missing))} without a name in {name}, such as number {missing[0]}")
    names = tuple(found.get(index) or f"class {index}" for index in range(last + 1))
    if repeated := _repeated(names):
        n = len(repeated)
        verb = "stands" if n == 1 else "stand"
        said.append(f"{'A name' if n == 1 else f'{n} names'} in {name} {verb} for more than one class: {repeated[0]}")
    return ClassNames(names, tuple(said))


def _classes(n: int) -> str:
    return "1 class is" if n == 1 else f"{n} classes are"


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]


# ------------------------------------------------------------------------------------------------------------ folders


def _folder(place: Path) -> tuple[Indexed, list[str]]:
    notes = []
    names = _sub_folders(place)
    if names and {name.lower() for name in names} <= _SPLITS:
        part = next((name for name in names if name.lower().startswith("train")), names[0])
        names, place = _sub_folders(place / part), place / part
        notes.append(f"Class names are the folders in {place.name}")
    hidden = [name for name in names if name.startswith(".")]
    if hidden:
        notes.append(f"Hidden folders are no classes: {', '.join(hidden)}")
    if not names:
        raise EngineError(f"{place} has no sub-folders whose names could be classes", _WAY_OUT)
    kept = [_name(name, place.name) for name in names if not name.startswith(".")]
    return dict(enumerate(kept)), notes


def _sub_folders(place: Path) -> list[str]:
    with os.scandir(place) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


# -------------------------------------------------------------------------------------------------------------- files


def _file(place: Path) -> tuple[Indexed, list[str]]:
    text = _text(place)
    if text.lstrip()[:1] in ("{", "["):
        return _json(text, place.name), []
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    rows = _numbered(lines)
    if rows is not None:
        return _indexed(rows, place.name), []
    return {index: _name(line.strip(), place.name) for index, line in enumerate(lines)}, []


def _text(place: Path) -> str:
    if not place.exists():
        raise EngineError(f"There is no {place}", _WAY_OUT)
    if not place.is_file():
        raise EngineError(f"{place} is not an ordinary file", _WAY_OUT)
    with place.open("rb") as file:
        # Not by its size, which says nothing of what is still being written, or of a file that the system makes up.
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise EngineError(f"{place.name} is too large for class names (over {LARGEST_FILE >> 20} MB)", _WAY_OUT)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise EngineError(f"{place.name} is not a text file in UTF-8", _WAY_OUT) from None
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        raise EngineError(f"{place.name} is not a text file", _WAY_OUT)
    return text


def _numbered(lines: Sequence[str]) -> list[tuple[int, str]] | None:
    """(index, name) of every line, if all are of that form but perhaps a heading."""
    written = [line for line in lines if line.strip()]
    separator = next((mark for mark in "\t;," if written and mark in written[-1]), None)
    if separator is None:
        return None
    try:
        rows = list(csv.reader(written, delimiter=separator, skipinitialspace=True))
    except csv.Error:  # a line longer than any name
        return None
    numbers = [bool(re.fullmatch(r"\s*\d{1,9}\s*", row[0])) and len(row) > 1 for row in rows]
    if not all(numbers[1:]) or not numbers[-1]:
        return None
    # A name may hold the separator, unquoted.
    mark = separator if separator == "\t" else f"{separator} "
    kept = [row for row, number in zip(rows, numbers, strict=True) if number]
    return [(int(row[0]), mark.join(part.strip() for part in row[1:]).strip()) for row in kept]


def _indexed(pairs: Iterable[tuple[int, str]], file: str) -> Indexed:
    found: Indexed = {}
    for index, name in pairs:
        if index in found:
            raise EngineError(
                f"{file} has two names for class {index}: {found[index]!r} and {name!r}", "Keep one of them"
            )
        found[index] = _name(name, file)
    return found


def _name(text: str, file: str) -> str:
    if len(text) > LONGEST_NAME:
        title = f"{file} has a name of {len(text)} characters, beginning {text[:40]!r}"
        raise EngineError(title, f"Names have up to {LONGEST_NAME}")
    # A file may hold what neither a window nor a manifest can.
    shown = text.encode("utf-8", "replace").decode()
    return " ".join("".join(letter if letter.isprintable() else " " for letter in shown).split())


# --------------------------------------------------------------------------------------------------------------- JSON


def _json(text: str, file: str) -> Indexed:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        if python := _python_dict(text):
            return _indexed(python, file)
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply or has endless numbers"
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise EngineError(f"{file} is not valid JSON{where}: {why}", _WAY_OUT) from None
    found = _names_in(loaded, file)
    if found is None:
        raise EngineError(f"{file} holds JSON, but no class names in a form that is known", _WAY_OUT)
    return found


_ENTRY = re.compile(r"""\{?\s*(\d{1,9})\s*:\s*(['"])(.*)\2\s*,?\s*\}?""")


def _python_dict(text: str) -> list[tuple[int, str]]:
    """Pairs of the `{0: 'tench, Tinca tinca',` that lists of ImageNet's classes are passed around as, a line each."""
    matches = [_ENTRY.fullmatch(line.strip()) for line in text.splitlines() if line.strip() not in ("", "{", "}")]
    if not matches or not all(matches):
        return []
    return [(int(match[1]), match[3].replace("\\" + match[2], match[2])) for match in matches if match]


def _names_in(loaded: Any, file: str) -> Indexed | None:
    if isinstance(loaded, list):
        texts = [_said(item) for item in loaded]
        return None if any(text is None for text in texts) else _indexed(enumerate(map(str, texts)), file)
    if not isinstance(loaded, Mapping) or not loaded:
        return None
    for key in _NESTED:
        inner = loaded.get(key)
        if isinstance(inner, list | Mapping) and inner and (found := _names_in(inner, file)) is not None:
            return found
    if all(re.fullmatch(r"-?\d{1,9}", key) for key in loaded):
        texts = [_said(item) for item in loaded.values()]
        return (
            None
            if any(text is None for text in texts)
            else _indexed(zip(map(int, loaded), map(str, texts), strict=True), file)
        )
    if all(isinstance(value, int) and not isinstance(value, bool) for value in loaded.values()):
        return _indexed(((value, key) for key, value in loaded.items()), file)
    return None


def _said(item: Any) -> str | None:
    """A name, or the last of ["n01440764", "tench"]."""
    if isinstance(item, list) and item and all(isinstance(part, str) for part in item):
        item = item[-1]
    return item if isinstance(item, str) else None
