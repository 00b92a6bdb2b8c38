"""A table's further columns: numbers where every cell is one, else text."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Column, Skipped, frozen

MAX_COLUMNS = 64
"""Further columns of a table that are read; those behind them are named as skipped."""

MAX_TEXT_BYTES = 256 << 20
"""Columns of text that take more are left out: four bytes for each letter of the longest cell, for every picture."""

_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none"})

# From here on a float cannot tell whole numbers apart: they are identifiers, which are kept as they are written.
_EXACT_DIGITS = 15


def number(text: str, decimal_comma: bool = False) -> float | None:
    """The number that a cell holds, NaN if it is blank, "NA" or "null"; None if it holds something else."""
    text = text.strip()
    if text.casefold() in _BLANK:
        return float("nan")
    if "_" in text or (text.lstrip("+-").isdecimal() and len(text) > _EXACT_DIGITS):
        return None
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return None


class ColumnReader:
    """Collects the columns `at` of rows, in two goes: first all rows are shown to it, then those that are kept."""

    def __init__(self, names: Sequence[str], at: Sequence[int], decimal_comma: bool) -> None:
        self._names, self._decimal_comma = names, decimal_comma
        self._at = tuple(at[:MAX_COLUMNS])
        self._left_out = len(at) - len(self._at)
        self._is_text = [False] * len(self._at)
        self._numbers = [array("d") for _ in self._at]
        self._texts: list[list[str]] = [[] for _ in self._at]
        # The same few words in most columns: each is kept once.
        self._words: dict[str, str] = {}

    def look(self, row: Sequence[str]) -> None:
        """Find out which columns are numbers."""
        for place, at in enumerate(self._at):
            if not self._is_text[place] and number(row[at], self._decimal_comma) is None:
                self._is_text[place] = True

    def keep(self, row: Sequence[str]) -> None:
        """Take a row. Raises `EngineError` if it was not shown before."""
        for place, at in enumerate(self._at):
            if self._is_text[place]:
                word = row[at].strip()
                self._texts[place].append(self._words.setdefault(word, word))
                continue
            value = number(row[at], self._decimal_comma)
            if value is None:
                raise EngineError("The table was changed while it was read", "Open it again")
            self._numbers[place].append(value)

    def columns(self, table: str) -> tuple[tuple[Column, ...], list[Skipped]]:
        """The columns, and what was left out of them."""
        made, skipped = [], []
        for place, at in enumerate(self._at):
            name, texts = self._names[at], self._texts[place]
            if not self._is_text[place]:
                made.append(Column(name, frozen(np.array(self._numbers[place], np.float64))))
            elif 4 * len(texts) * max(map(len, texts), default=0) > MAX_TEXT_BYTES:
                skipped.append(Skipped(f"{table}, column {name}", "its texts are too long to be kept"))
            else:
                made.append(Column(name, text_array(texts)))
        if self._left_out:
            skipped.append(Skipped(table, f"{self._left_out} of its columns: {MAX_COLUMNS} are read"))
        return tuple(made), skipped


def different(names: Sequence[str], taken: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of columns, made different from each other and from those `taken`: "age", "age (2)", "column 3"."""
    # A dictionary, and each name's next number: a table may have a hundred thousand columns.
    made = dict.fromkeys(taken, 2)
    for at, name in enumerate(names):
        wanted = name or f"column {at + 1}"
        if wanted in made:
            numbers = itertools.count(made[wanted])
            number = next(one for one in numbers if f"{wanted} ({one})" not in made)
            made[wanted] = number + 1
            wanted = f"{wanted} ({number})"
        made[wanted] = 2
    return tuple(made)[len(made) - len(names) :]


def text_array(texts: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Text as a read-only array."""
    made = np.array(list(texts), np.str_)
    made.flags.writeable = False
    return made
