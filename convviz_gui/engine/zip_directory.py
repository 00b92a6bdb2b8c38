"""The table of contents at the end of a zip archive (APPNOTE 6.3, ZIP64 included), a million files at a time.

The standard library's takes twice the time and the memory, and keeps the archive open.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from convviz_gui.engine.errors import EngineError

MAX_DIRECTORY = 512 << 20
"""Bytes of a table of contents, enough for some five million files."""

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENCRYPTED, _UTF8 = 0x1, 0x800
_LINK = 0o120000
_FULL32, _FULL16 = 0xFFFFFFFF, 0xFFFF


class Entry(NamedTuple):
    """A file in an archive: where it begins, bytes there, bytes unpacked, how it is packed, CRC-32 of its bytes."""

    offset: int
    packed: int
    size: int
    method: int
    checksum: int


Found = tuple[str, Entry, str]
"""A file's name as the archive writes it, where it is, and why it cannot be read, or ""."""


def read_directory(archive: str) -> Iterator[Found]:
    """The files of an archive, folders left out, in its own order.

    Raises:
        OSError: the file cannot be opened.
        EngineError: it is no zip archive, damaged, or in several parts.
    """
    name = Path(archive).name
    with Path(archive).open("rb") as file:
        size = file.seek(0, 2)
        start, length, shift = _place(file, size, name)
        if length > MAX_DIRECTORY:
            raise EngineError(f"{name} holds too many files to be opened", "Make several archives of it")
        file.seek(start)
        table = file.read(length)
    yield from _entries(table, shift, size, name)


def _place(file: BinaryIO, size: int, name: str) -> tuple[int, int, int]:
    """Where the table begins, its length, and how far all is shifted by something put in front of the archive."""
    tail_start = max(0, size - _END.size - _FULL16)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        file.seek(0)
        cut = file.read(4) == b"PK\x03\x04"
        what = "is cut off: its table of contents is missing" if cut else "is not a zip archive"
        raise EngineError(f"{name} {what}", "Copy it again from where it came, or unpack it and open the folder")
    _, disk, first_disk, _, _, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size : at - _LOCATOR.size + 4] == b"PK\x06\x07":
        end -= _LOCATOR.size + _END64.size
        file.seek(max(0, end))
        wide = file.read(_END64.size)
        if len(wide) < _END64.size or wide[:4] != b"PK\x06\x06":
            raise _damaged(name)
        *_, disk, first_disk, _, _, length, offset = _END64.unpack(wide)
    if disk or first_disk:
        raise EngineError(f"{name} is one part of several", "Join the parts, or unpack them and open the folder")
    shift = end - length - offset
    if shift < 0:
        raise _damaged(name)
    return end - length, length, shift


def _entries(table: bytes, shift: int, archive_size: int, archive: str) -> Iterator[Found]:
    at, end = 0, len(table)
    while at < end:
        if end - at < _ENTRY.size:
            raise _damaged(archive)
        (
            signature, _, _, flags, method, _, _, checksum, packed, size,
            name_length, extra_length, comment_length, _, _, attributes, offset,
        ) = _ENTRY.unpack_from(table, at)  # fmt: skip
        if signature != b"PK\x01\x02":
            raise _damaged(archive)
        at += _ENTRY.size
        raw, extra = table[at : at + name_length], table[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        if raw.endswith((b"/", b"\\")):
            continue
        if packed == _FULL32 or size == _FULL32 or offset == _FULL32:
            size, packed, offset = _widened(extra, size, packed, offset)
        name, reason = _decoded(raw, bool(flags & _UTF8))
        if flags & _ENCRYPTED:
            reason = reason or "it is encrypted"
        elif (attributes >> 16) & 0o170000 == _LINK:
            reason = reason or "it is a link"
        elif offset + shift + packed > archive_size:
            reason = reason or "the archive is damaged there"
        yield name, Entry(min(offset + shift, archive_size), packed, size, method, checksum), reason


def _widened(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The three numbers as ZIP64 writes them: only those that are too large for four bytes, in this order."""
    values, at = [size, packed, offset], 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            values = [next(wide, value) if value == _FULL32 else value for value in values]
        at += 4 + length
    return values[0], values[1], values[2]


def _decoded(raw: bytes, says_utf8: bool) -> tuple[str, str]:
    """The name, and why it cannot be used. Many programs write UTF-8 without saying so; the standard's other is 437."""
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        if says_utf8:
            return raw.decode(errors="replace"), "its name is not valid Unicode"
        return raw.decode("cp437"), ""


def _damaged(name: str) -> EngineError:
    return EngineError(f"{name} is damaged: its table of contents makes no sense", "Copy it again from where it came")
