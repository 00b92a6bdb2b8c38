"""A table as rows of text: its encoding, what parts its columns, and its header, found out by looking."""

from __future__ import annotations

import codecs
import csv
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.datasets.columns import different
from convviz_gui.engine.errors import EngineError

_DELIMITERS = ",;\t|"
_PATH = (
    "path", "filepath", "file", "filename", "image", "imagepath", "imagefile", "imagefilename", "img", "imgpath",
    "picture", "photo",
)  # fmt: skip
_LABEL = ("label", "labels", "class", "classname", "target", "category", "categoryname")
_SPLIT = ("split", "subset", "set", "partition")
_HOW = "Save it as CSV in UTF-8, with a header such as path,label,split"

_HEAD = 1 << 20
"""Bytes in which the header has to be."""


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, made different where they are not, and which are the path, the label and the split."""

    names: tuple[str, ...]
    path: int
    label: int | None
    split: int | None

    @property
    def others(self) -> tuple[int, ...]:
        """All further columns."""
        return tuple(at for at in range(len(self.names)) if at not in (self.path, self.label, self.split))


class TableText:
    """A table that can be read as often as one likes; never all of it is in memory.

    Raises:
        EngineError: it is missing, unreadable, not text, empty, or has no column of paths.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _in_words(path):
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
                raise EngineError(f"The table {path.name} is not an ordinary file", "Save it to a file first")
            with path.open("rb") as file:
                head = file.read(_HEAD)
            self._encoding = _encoding(head, path.name)
            text = codecs.getincrementaldecoder(self._encoding)().decode(head)
            lines = [line for line in text.splitlines(keepends=True) if line.strip()]
            # Excel's own way of saying what parts the columns.
            told = lines[0].strip().casefold() if lines else ""
            self._is_told = told.startswith("sep=") and len(told) == 5
            lines = lines[1:] if self._is_told else lines
            if not lines:
                raise EngineError(f"The table {path.name} is empty", _HOW)
            self._delimiter, self.header = _header(lines, told[4] if self._is_told else _DELIMITERS, path.name)
        self.decimal_comma = self._delimiter == ";"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row below the header that is not blank, with its number in the file. Raises `EngineError`."""
        with _in_words(self._path), self._path.open(encoding=self._encoding, newline="") as text:
            reader = csv.reader(text, delimiter=self._delimiter)
            above = 2 if self._is_told else 1
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if above:
                    above -= 1
                    continue
                yield reader.line_num, row


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise EngineError(f"There is no table {path}", "Check the path") from None
    except OSError as error:
        raise EngineError(f"The table {path.name} cannot be read ({error.strerror})", "Choose another") from None
    except UnicodeError:
        raise EngineError(f"The table {path.name} is not text in UTF-8", _HOW) from None
    except csv.Error as error:
        if "field limit" in str(error):
            title = f"The table {path.name} has a cell of more than {csv.field_size_limit():,} letters"
            raise EngineError(title, "Look for a quotation mark that is never closed") from None
        raise EngineError(f"The table {path.name} makes no sense ({error})", _HOW) from None


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE):
        return "utf-16"
    if b"\0" in head:
        raise EngineError(f"The table {name} is not text", _HOW)
    return "utf-8-sig"


def _header(lines: list[str], delimiters: str, name: str) -> tuple[str, Header]:
    """What parts the columns, and their names: of the ways that give a column of paths, the one with most columns."""
    found: list[tuple[int, str, Header]] = []
    for delimiter in delimiters:
        try:
            # A quoted name may go on in the next line.
            names = next(csv.reader(lines, delimiter=delimiter))
        except csv.Error:  # all of a long line as one cell
            continue
        header = _columns([cell.strip() for cell in names])
        if header is not None:
            found.append((-len(names), delimiter, header))
    if not found:
        written = lines[0].strip()[:60]
        raise EngineError(
            f"The table {name} has no column of paths: its first line is {written!r}",
            "Give it a header such as path,label,split (file, filename and image are paths as well)",
        )
    return min(found, key=lambda way: way[0])[1:]


def _columns(names: list[str]) -> Header | None:
    plain = ["".join(letter for letter in name.casefold() if letter.isalnum()) for name in names]

    def first(known: tuple[str, ...]) -> int | None:
        return next((plain.index(word) for word in known if word in plain), None)

    path = first(_PATH)
    if path is None:
        return None
    return Header(different(names), path, first(_LABEL), first(_SPLIT))
