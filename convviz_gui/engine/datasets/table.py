"""A table of photos: a CSV file whose rows name a file each, and say what is known of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from convviz_gui.engine import files
from convviz_gui.engine.datasets.columns import ColumnReader
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.names import UNREAD, RealPaths, extension
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.datasets.table_text import TableText
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import printable
from convviz_gui.engine.payloads import Skipped


def list_table(path: str | os.PathLike[str], search: Search | None = None) -> Listing:
    """The photos that a CSV table names, in the table's order, with its labels, splits and further columns.

    The table has a header; the names of its columns are compared without letter case, spaces and "_". A column "path"
    (or "file", "filename", "image", …) is needed; "label" ("class", "target", …) and "split" ("subset", "set", …)
    are optional, and without them there are none. Paths are absolute or relative to the table's folder, may lead out
    of it, and into a zip archive. Text is UTF-8 or UTF-16; commas, semicolons, tabs or bars part the columns. A file
    that is not there, or that is named twice, also by way of a link to its folder, is skipped with its reason.

    Raises:
        EngineError: the table is missing, unreadable, not text, without a column of paths, or without a photo.
    """
    table = Path(os.path.normpath(Path(path).absolute()))
    return _Reading(table, search or Search()).listing()


class _Reading:
    def __init__(self, table: Path, search: Search) -> None:
        self._table, self._search = table, search
        self._text = TableText(table)
        self._header = self._text.header
        self._paths: dict[str, str] = {}
        self._real_path = RealPaths()
        self._real: dict[str, str] = {}
        self._splits: list[str] = []
        self._skipped: list[Skipped] = []
        # Labels and splits are few: each is kept once.
        self._words: dict[str, str] = {}

    def listing(self) -> Listing:
        header, name = self._header, self._table.name
        columns = ColumnReader(header.names, header.others, self._text.decimal_comma)
        for _, row in self._text.rows():
            self._search.step()
            columns.look(self._padded(row))
        for line, row in self._text.rows():
            self._search.step()
            if self._takes(line, row):
                columns.keep(self._padded(row))
        if not self._paths:
            self._refuse()
        made, left_out = columns.columns(name)
        return Listing(
            tuple(self._paths),
            tuple(self._paths.values()),
            (*self._skipped, *left_out),
            tuple(self._splits) if any(self._splits) else (),
            made,
        )

    def _padded(self, row: list[str]) -> list[str]:
        return row + [""] * (len(self._header.names) - len(row))

    def _takes(self, line: int, row: list[str]) -> bool:
        wide = len(self._header.names)
        if any(cell.strip() for cell in row[wide:]):
            return self._skip(line, f"it has {len(row)} cells, the header {wide}")
        row = self._padded(row)
        written = row[self._header.path].strip()
        label, split = self._word(row, self._header.label), self._word(row, self._header.split)
        if not written:
            return self._skip(line, "it names no file")
        path, obstacle = _located(written, str(self._table.parent))
        first = self._real.get(self._real_path(path))
        if first is not None:
            other = "" if self._paths[first] == label else f" with another label ({label or 'none'})"
            name = "it" if path == first else f"{first}, which is the same file,"
            self._skipped.append(Skipped(path, f"line {line} of {self._table.name} names {name} again{other}"))
            return False
        if obstacle:
            self._skipped.append(Skipped(path, obstacle))
            return False
        self._paths[path] = label
        self._real[self._real_path(path)] = path
        self._splits.append(split)
        return True

    def _word(self, row: list[str], at: int | None) -> str:
        word = "" if at is None else row[at].strip()
        return self._words.setdefault(word, word)

    def _skip(self, line: int, reason: str) -> bool:
        self._skipped.append(Skipped(f"{self._table.name}, line {line}", reason))
        return False

    def _refuse(self) -> None:
        name = self._table.name
        if not self._skipped:
            raise EngineError(
                f"The table {name} names no pictures: it has no rows", "Put a row for each picture into it"
            )
        first = self._skipped[0]
        raise EngineError(
            f"None of the {len(self._skipped)} rows of {name} names a picture that can be read, "
            f"the first is {first.path}: {first.reason}",
            "Paths are absolute, or relative to the folder that the table is in",
        )


def _located(written: str, folder: str) -> tuple[str, str]:
    """The absolute path of what a cell names, and why it cannot be opened, or ""."""
    if written.startswith("file://"):
        written = written.removeprefix("file://")
    elif "://" in written:
        return written, "addresses in the web are not read"
    path = os.path.normpath(os.path.join(folder, written))  # noqa: PTH118 - for each of a million rows
    obstacle = _obstacle(path)
    if obstacle and os.sep == "/" and "\\" in written:  # a table from Windows
        return _located(written.replace("\\", "/"), folder)
    return path, obstacle


def _obstacle(path: str) -> str:
    kind = extension(path)
    if kind in UNREAD:
        return f"{kind} files are not read"
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except PermissionError:
        return "it may not be read"
    except (OSError, ValueError):
        return _obstacle_inside(path)
    if stat.S_ISDIR(mode):
        return "it is a folder"
    if not stat.S_ISREG(mode):
        return "not an ordinary file"
    return "" if printable(path) == path else "its path is not valid Unicode"


def _obstacle_inside(path: str) -> str:
    """For what may lie in an archive."""
    try:
        files.signature(path)
    except (OSError, ValueError) as error:
        return "there is no such file" if not isinstance(error, OSError) or error.errno else str(error).rstrip(".")
    return ""
