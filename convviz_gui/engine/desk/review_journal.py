"""A review on disk: a file of JSON lines that only grows, so that a crash costs at most the line being written.

Lines are written and synchronised one step at a time, under a lock that other windows and the command line take too.
The first line says which program wrote it, for which dataset, and has a random generation: when the file is written
anew (shorter, or without damaged lines, and in one move), others notice by it that they must read it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from convviz_gui import paths
from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.desk.review_entries import Entry, from_line, to_line
from convviz_gui.engine.desk.review_history import compacted
from convviz_gui.engine.errors import EngineError, ProblemKind

VERSION = 1
_KIND = "convviz-review"
_PATIENCE_S = 10.0
_WASTE = 64
"""Lines that may be saved by writing a journal anew before that is done."""


def reviews_dir() -> Path:
    """Where the reviews of all datasets are, among the user's data; raises OSError if it cannot be made."""
    folder = paths.data_dir() / "reviews"
    folder.mkdir(exist_ok=True)
    return folder


def sources_of(folder: str, others: Sequence[str] = ()) -> tuple[str, ...]:
    """A dataset's folders (or archives, or tables) as a review names them: absolute, each once, in order."""
    return tuple(sorted({os.path.normpath(Path(source).absolute()) for source in (folder, *others)}))


def journal_path(sources: tuple[str, ...]) -> Path:
    """The file of a dataset's review; it need not be there. Raises OSError if its folder cannot be made."""
    digest = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(sources[0]).name).strip(".-")[:40] if sources else ""
    return reviews_dir() / f"{name or 'review'}-{digest}.jsonl"


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read: entries in order. `whole` is False for what others wrote since the last time alone.

    `remark` says in one sentence what was damaged, "" if nothing.
    """

    entries: list[Entry]
    sources: tuple[str, ...] = ()
    whole: bool = True
    remark: str = ""


@dataclass
class _Parsed:
    entries: list[Entry] = field(default_factory=list)
    damaged: list[bytes] = field(default_factory=list)
    torn: bool = False


class Journal:
    """One file. Its methods may wait for the disk and for other windows: call them where nobody waits for you.

    All raise `OSError`, or `EngineError` if another window holds the file for long or a newer ConvViz wrote it.
    """

    def __init__(self, path: Path, sources: tuple[str, ...]) -> None:
        self.path = path
        self.sources = sources
        self._generation = ""
        self._end = 0

    def open(self) -> Contents:
        """Read everything; damaged lines are put aside, and what is not needed any more is left out of the file."""
        if not self.path.exists():
            return Contents([], self.sources)
        with self._alone():
            parsed, sources = self._read_all()
            remark = self._put_aside(parsed)
            short = compacted(parsed.entries)
            if parsed.damaged or not self._generation or len(parsed.entries) - len(short) > _WASTE:
                self._rewrite(short)
                return Contents(short, sources, remark=remark)
            return Contents(parsed.entries, sources, remark=remark)

    def exchange(self, saved: Sequence[Entry], pending: Sequence[Entry]) -> Contents:
        """Write `pending` and return what others have written since the last time.

        `saved` is what this journal should hold already: it is written too if the file is gone. Either all of `pending`
        is on the disk afterwards, or an error is raised and none of it is in the file.
        """
        with self._alone():
            if not self.path.exists():
                self._rewrite([*saved, *pending])
                return Contents([], self.sources, whole=False)
            with self.path.open("r+b") as file:
                whole = _header(file.readline())[0] != self._generation or not self._generation
                if whole:
                    parsed, _ = self._read_all()
                    remark = self._put_aside(parsed)
                    if parsed.damaged or not self._generation:
                        self._rewrite([*parsed.entries, *pending])
                        return Contents(parsed.entries, self.sources, remark=remark)
                else:
                    file.seek(self._end)
                    parsed = _parse(file.read())
                self._append(file, pending)
            return Contents(parsed.entries, self.sources, whole)

    def _read_all(self) -> tuple[_Parsed, tuple[str, ...]]:
        content = self.path.read_bytes()
        first, _, rest = content.partition(b"\n")
        generation, version, sources = _header(first)
        if version > VERSION:
            title = f"The review of {self.sources[0] if self.sources else self.path} was written by a newer ConvViz"
            raise EngineError(title, "Update ConvViz to go on with it")
        self._generation, self._end = generation, len(content)
        parsed = _parse(rest if generation else content)
        return parsed, sources or self.sources

    def _append(self, file: BinaryIO, entries: Sequence[Entry]) -> None:
        before = file.seek(0, SEEK_END)
        file.seek(before - 1)
        # A last line that is torn, or lacks its end, must not take the next one with it.
        lines = (b"" if file.read(1) == b"\n" else b"\n") + b"".join(map(to_line, entries))
        try:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, before)
            raise
        self._end = before + len(lines)

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        generation = secrets.token_hex(8)
        header = {_KIND: VERSION, "generation": generation, "sources": list(self.sources)}
        content = json.dumps(header).encode("ascii") + b"\n" + b"".join(map(to_line, entries))
        write_bytes(self.path, content)
        _sync_folder(self.path.parent)
        self._generation, self._end = generation, len(content)

    def _put_aside(self, parsed: _Parsed) -> str:
        if not parsed.damaged:
            return ""
        aside = self.path.with_suffix(".damaged")
        with aside.open("ab") as file:
            file.writelines(line + b"\n" for line in parsed.damaged)
        if parsed.torn and len(parsed.damaged) == 1:
            return "The last change was being written when the program or the machine stopped, and is lost"
        count = len(parsed.damaged)
        lines = "A line of the review was" if count == 1 else f"{count} lines of the review were"
        return f"{lines} damaged and put aside in {aside}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(f"{self.path}.lock", timeout=_PATIENCE_S)
        try:
            lock.acquire()
        except Timeout:
            title = f"Another program has kept the review {self.path.name} busy for {_PATIENCE_S:.0f} seconds"
            raise EngineError(title, "Close other ConvViz windows, then try again", ProblemKind.RESOURCE) from None
        try:
            yield
        finally:
            lock.release()


def read_journal(path: Path) -> Contents:
    """What a journal holds, without changing it. Raises `OSError`, or `EngineError` if a newer ConvViz wrote it."""
    parsed, sources = Journal(path, ())._read_all()
    return Contents(parsed.entries, sources)


def _header(line: bytes) -> tuple[str, int, tuple[str, ...]]:
    """Generation, version and sources in a journal's first line; ("", 0, ()) if it is none."""
    try:
        match json.loads(line):
            case {"convviz-review": int(version), **facts}:
                named = facts.get("sources")
                sources = tuple(str(source) for source in named) if isinstance(named, list) else ()
                return str(facts.get("generation") or ""), version, sources
    except ValueError:
        pass
    return "", 0, ()


def _parse(content: bytes) -> _Parsed:
    parsed = _Parsed(torn=bool(content) and not content.endswith(b"\n"))
    lines = content.split(b"\n")
    for line in filter(None, lines):
        try:
            parsed.entries.append(from_line(line))
        except (ValueError, RecursionError):
            # The header of a file whose first line was torn before it, and the like, are no loss.
            parsed.damaged.append(line)
    return parsed


def _sync_folder(folder: Path) -> None:
    """Make a file's new name last through a power failure, where the system can."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
