"""What pickles would cost, told from their instructions before any is followed.

torch's restricted unpickler runs no code, yet a kilobyte can keep it busy for ever: tuples that hold each other twice
double with every byte, and Python hashes all that they stand for; tuples a hundred thousand deep overflow its stack and
end the program. Here the instructions are followed with sizes in place of values.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

from torch._utils import IMPORT_MAPPING, NAME_MAPPING

DEEPEST = 200
"""Tuples within tuples. Checkpoints have been seen with five."""

MOST_WORK = 50_000_000
"""Elements and characters that keys and arguments may have in all, what is repeated counted every time.

What they have in a file that repeats nothing may be as much as it likes: four times the file comes on top.
"""

_ENDLESS = 1 << 62
_LONGEST_LINE = 10_000
_KEPT = 3
"""Parts of a tuple that are remembered."""

_LEGACY_PICKLES = 5
"""What the older form of torch.save has before the values: magic number, protocol, machine, content, keys."""


def survey(file: BinaryIO) -> None:
    """Follow every pickle in a file of torch.save's, of either form, without making any of their objects.

    Raises:
        pickle.UnpicklingError: reading it would take endless time or memory, or it is an archive of two meanings.
        EOFError, LookupError, ValueError, OSError, RuntimeError, struct.error, zipfile.BadZipFile: it is damaged.
    """
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        file.seek(0)
        for _ in range(_LEGACY_PICKLES):
            _Survey(file).follow()
        return
    with zipfile.ZipFile(file) as archive:
        _check_layout(file)
        for member in archive.infolist():
            # All of them, since torch takes upper and lower case for the same and names may be there twice.
            if member.filename.lower().endswith("data.pkl"):
                _Survey(io.BytesIO(archive.read(member))).follow()


def _check_layout(file: BinaryIO) -> None:
    """Refuse archives in which another reader than Python's might find another list of members."""
    end = file.seek(-22, 2)
    last = file.read(22)
    size, offset = struct.unpack("<II", last[12:20])
    if end >= 76:
        file.seek(end - 76)
        wide, locator = file.read(56), file.read(20)
        if locator.startswith(b"PK\x06\x07"):
            end -= 76
            size, offset = struct.unpack("<QQ", wide[40:56])
            if not wide.startswith(b"PK\x06\x06") or struct.unpack("<Q", locator[8:16])[0] != end:
                raise pickle.UnpicklingError("an archive whose parts contradict each other")
    if not last.startswith(b"PK\x05\x06") or last[20:] != bytes(2) or offset + size != end:
        raise pickle.UnpicklingError("an archive whose parts contradict each other")


class _Item:
    """What stands for a value: how much it is when written out whole, and how deep tuples are in it."""

    __slots__ = ("depth", "name", "number", "parts", "size", "text")

    def __init__(
        self,
        size: int = 1,
        depth: int = 0,
        name: str = "",
        text: bytes = b"",
        number: int = 0,
        parts: Sequence[_Item] = (),
    ) -> None:
        self.size, self.depth, self.name, self.text, self.number, self.parts = size, depth, name, text, number, parts


_PLAIN = _Item()
_FIXED = {b"K": 1, b"M": 2, b"J": 4, b"G": 8}
_CONSTANTS = b"N\x88\x89)"
_CONTAINERS = b"]}\x8f"


class _Survey:
    """One pickle, followed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._n_read = 0
        self._stack: list[_Item] = []
        self._marked: list[list[_Item]] = []
        self._memo: dict[int, _Item] = {}
        self._work = 0

    def follow(self) -> None:
        """From where the file is up to the pickle's end."""
        while (code := self._read(1)) != b".":
            self._step(code)

    def _step(self, code: bytes) -> None:
        stack = self._stack
        if code in _CONSTANTS:
            stack.append(_PLAIN)
        elif code in _CONTAINERS:
            stack.append(_Item())
        elif code in b"hj":
            stack.append(self._memo[self._index(code == b"h")])
        elif code in b"qr":
            self._memo[self._index(code == b"q")] = stack[-1]
        elif code in _FIXED:
            raw = self._read(_FIXED[code])
            stack.append(_PLAIN if code == b"G" else _Item(number=int.from_bytes(raw, "little", signed=code == b"J")))
        elif code in b"XU\x8a":
            self._constant(code)
        elif code in b"\x85\x86\x87":
            self._tuple(self._taken(code[0] - 0x84))
        elif code == b"(":
            self._marked.append(stack)
            self._stack = []
        elif code in b"tue":
            self._close(code)
        else:
            self._act(code)

    def _act(self, code: bytes) -> None:
        stack = self._stack
        if code == b"c":
            module, name = (self._line() for _ in range(2))
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
            stack.append(_Item(name=f"{module}.{name}"))
        elif code == b"s":
            key, value = self._taken(2)
            self._spend(key)
            self._fill([key, value])
        elif code in b"ab":
            self._fill(self._taken(1))
        elif code in b"R\x81":
            self._call(*self._taken(2))
        elif code == b"Q":
            stack[-1] = _PLAIN
        elif code == b"\x80":
            self._read(1)
        else:
            raise pickle.UnpicklingError(f"Unsupported operand {code[0]}")

    def _constant(self, code: bytes) -> None:
        length = struct.unpack("<I", self._read(4))[0] if code == b"X" else self._read(1)[0]
        raw = self._read(length)
        if code == b"\x8a":
            self._stack.append(_Item(number=pickle.decode_long(raw)))
        else:
            self._stack.append(_Item(size=1 + length, text=raw if length < 20 else b""))

    def _close(self, code: bytes) -> None:
        items = self._stack
        self._stack = self._marked.pop()
        if code == b"t":
            self._tuple(items)
            return
        if code == b"u":
            for key in items[::2]:
                self._spend(key)
        self._fill(items)

    def _tuple(self, items: list[_Item]) -> None:
        size = min(_ENDLESS, 1 + sum(item.size for item in items))
        depth = 1 + max((item.depth for item in items), default=0)
        if depth > DEEPEST:
            raise pickle.UnpicklingError(f"tuples within tuples, more than {DEEPEST} deep")
        self._stack.append(_Item(size, depth, parts=items[:_KEPT]))

    def _fill(self, items: list[_Item]) -> None:
        """Put them into the last entry, which whoever keeps it sees."""
        # What can be filled cannot be hashed: there every descent ends, so that its depth is none.
        into = self._stack[-1]
        if into is _PLAIN:
            raise pickle.UnpicklingError("entries for what takes none")
        into.size = min(_ENDLESS, into.size + sum(item.size for item in items))

    def _call(self, called: _Item, given: _Item) -> None:
        self._weigh(called, given)
        self._stack.append(_Item(given.size))

    def _weigh(self, called: _Item, given: _Item) -> None:
        # Lists in it may have been filled since.
        self._spend(given)
        self._spend(_Item(sum(part.size for part in given.parts)))
        name = called.name
        if name == "torch._tensor._rebuild_from_type_v2" and len(given.parts) == _KEPT:
            self._weigh(given.parts[0], given.parts[2])
        elif name == "builtins.bytearray" or (name.startswith("torch.") and name.endswith(("Tensor", "Storage"))):
            # How many there are to be.
            self._spend(_Item(sum(abs(part.number) for part in given.parts)))
        elif name == "_codecs.encode" and (len(given.parts) != 2 or given.parts[1].text != b"latin1"):
            # Other encodings are modules to import, and some take quadratic time.
            raise pickle.UnpicklingError("text in an encoding that torch.save does not use")

    def _spend(self, item: _Item) -> None:
        self._work += item.size
        if self._work > MOST_WORK + 4 * self._n_read:
            raise pickle.UnpicklingError("reading it would take endless time or memory")

    # ------------------------------------------------------------------------------------------------- reading

    def _taken(self, n: int) -> list[_Item]:
        if len(self._stack) < n:
            raise pickle.UnpicklingError("an instruction without what it is for")
        items = self._stack[-n:]
        del self._stack[-n:]
        return items

    def _index(self, short: bool) -> int:
        return int.from_bytes(self._read(1 if short else 4), "little")

    def _read(self, n: int) -> bytes:
        raw = self._file.read(n)
        if len(raw) < n:
            raise EOFError("it ends in the middle")
        self._n_read += n
        return raw

    def _line(self) -> str:
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise EOFError("it ends in the middle")
        return line[:-1].decode()
