"""One file over HTTP into its place: continued where an earlier try stopped, checked, and there whole or not at all.

What has come so far lies beside the place, under a name that says of which version of the file it is: of another
version nothing is continued. Two programs, or two jobs, that want the same file take turns.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

import truststore
from filelock import FileLock, Timeout

from convviz_gui import __version__
from convviz_gui.engine.errors import EngineError, ProblemKind

INTERVAL = 0.1
"""Seconds between looks at whether to stop."""

TIMEOUT = 20
"""Seconds without a byte after which a connection counts as broken."""

MEGABYTE = 1_000_000

_CHUNK = 1 << 18
_PART = ".convviz-part"


class StoppedError(Exception):
    """Raised inside a transfer when nobody waits for it any more; what has come so far is kept."""


class BrokenOffError(Exception):
    """The connection ended too early, `done` bytes of `total` (0: unknown) having come."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"the connection broke off after {done} of {total} bytes")
        self.done, self.total = done, total


class WrongContentError(Exception):
    """What came whole is not what was published; it is removed. The message says the difference."""


@dataclass
class Meter:
    """How far a transfer is, and whether it should go on. Written by its thread, read by who waits for it."""

    done: int = 0
    total: int = 0
    phase: str = "looking"
    stopped: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise `StoppedError` if nobody waits any more."""
        if self.stopped.is_set():
            raise StoppedError


@dataclass(frozen=True)
class Parcel:
    """A file to get.

    Args:
        target: where it goes. Its folder must exist.
        lock: path of the lock that those who want it share.
        digest: hexadecimal digits that its SHA-256 begins with; "" if not known.
        size: its bytes as published, 0 if not known.
        version: names its content; "" if only the server's answer can tell.
        headers: to send with the first request, and not to where that may lead on.
    """

    url: str
    target: Path
    lock: Path
    digest: str = ""
    size: int = 0
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def transfer(parcel: Parcel, meter: Meter) -> None:
    """Get a file, unless it is there.

    Raises:
        StoppedError, BrokenOffError, WrongContentError: see there.
        EngineError: the disk has no room for it.
        OSError, http.client.HTTPException: the network's and the disk's own troubles.
    """
    with _alone(parcel.lock, meter):
        if not parcel.target.exists():
            part = _Transfer(parcel, meter).run()
            part.replace(parcel.target)


@contextmanager
def _alone(path: Path, meter: Meter) -> Iterator[None]:
    """While inside, nobody else who holds to this lock writes the file."""
    lock = FileLock(path)
    while True:
        meter.check()
        try:
            lock.acquire(timeout=INTERVAL)
            break
        except Timeout:
            meter.phase = "waiting"
    try:
        yield
    finally:
        lock.release()


# --------------------------------------------------------------------------------------------- one connection


@dataclass(frozen=True)
class _Answer:
    """What the server says of the file: bytes in all (0: unknown), and what names this version of it ("": nothing)."""

    total: int
    validator: str

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> _Answer:
        etag = response.headers.get("ETag", "")
        # A weak one does not promise the same bytes.
        validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
        if match := re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", "")):
            return cls(int(match[1]), validator)
        length = response.headers.get("Content-Length", "")
        return cls(int(length) if length.isdecimal() else 0, validator)


class _Transfer:
    """One file on its way: connections until it is there."""

    def __init__(self, parcel: Parcel, meter: Meter) -> None:
        self.parcel, self.meter = parcel, meter
        self.answer: _Answer | None = None

    def run(self) -> Path:
        """The file, whole and checked, beside its place."""
        had = 0
        while True:
            try:
                part, continued = self._receive()
            except (BrokenOffError, ConnectionError, TimeoutError, http.client.HTTPException):
                # A connection that brought something is worth another one.
                if self.meter.done <= had:
                    raise
                had = self.meter.done
                continue
            try:
                _check(self.parcel, part, self.meter)
            except WrongContentError:
                part.unlink()
                if not continued:
                    raise
            else:
                return part

    def _receive(self) -> tuple[Path, bool]:
        """The whole file beside its place, and whether some of it is from an earlier connection."""
        self.meter.check()
        response = None
        if self.answer is None:
            response = _opened(self.parcel)
            self.answer = _Answer.of(response)
        part, had = _part(self.parcel, self.answer)
        if had and response is not None:
            response.close()
        if had and had == self.answer.total:
            return part, True
        if had or response is None:
            response, had = self._continued(had)
            part, _ = _part(self.parcel, self.answer)
        with response:
            total = self.answer.total or self.parcel.size
            self.meter.done, self.meter.total, self.meter.phase = had, total, "downloading"
            _check_room(part.parent, total - had)
            _write(response, part, self.meter)
        return part, had > 0

    def _continued(self, had: int) -> tuple[http.client.HTTPResponse, int]:
        """A connection for what follows the first `had` bytes, or, with 0, for the whole file if that is not to be."""
        assert self.answer is not None
        response = _opened(self.parcel, had, self.answer.validator)
        if had and _goes_on(response, had, self.answer.total):
            return response, had
        if response.status == http.client.PARTIAL_CONTENT:
            response.close()
            response = _opened(self.parcel)
        # A server that knows no ranges, or has another version by now, sends everything.
        self.answer = _Answer.of(response)
        return response, 0


def _opened(parcel: Parcel, start: int = 0, validator: str = "") -> http.client.HTTPResponse:
    request = urllib.request.Request(parcel.url, headers={"User-Agent": f"ConvViz/{__version__}"})
    request.add_header("Accept-Encoding", "identity")
    for name, value in parcel.headers.items():
        # Only to whom they are meant for: a redirect may lead to somebody else.
        request.add_unredirected_header(name, value)
    if start:
        request.add_header("Range", f"bytes={start}-")
        if validator:
            request.add_header("If-Range", validator)
    # The system's certificates: a company's own proxy has one that no list of Python's knows.
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    try:
        response: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if start and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _opened(parcel)
        raise
    return response


def _goes_on(response: http.client.HTTPResponse, start: int, total: int) -> bool:
    """Whether the server sends what follows the first `start` bytes of the same file."""
    expected = f"bytes {start}-{total - 1}/{total}" if total else f"bytes {start}-"
    partial = response.status == http.client.PARTIAL_CONTENT
    return partial and response.headers.get("Content-Range", "").startswith(expected)


def _part(parcel: Parcel, answer: _Answer) -> tuple[Path, int]:
    """The file of what has come of this version, and its bytes; what came of other versions is removed."""
    named = parcel.version or answer.validator
    key = hashlib.sha256(f"{named} {answer.total}".encode()).hexdigest()[:12]
    part = parcel.target.with_name(f"{parcel.target.name}.{key}{_PART}")
    for other in parcel.target.parent.iterdir():
        if other.name.startswith(f"{parcel.target.name}.") and other.name.endswith(_PART) and other != part:
            other.unlink(missing_ok=True)
    # Without a name and without a digest nothing tells one version from another.
    usable = part.exists() and (named or parcel.digest)
    had = part.stat().st_size if usable else 0
    return part, had if not answer.total or had <= answer.total else 0


def _write(response: http.client.HTTPResponse, part: Path, meter: Meter) -> None:
    with part.open("r+b" if meter.done else "wb") as file:
        file.seek(meter.done)
        file.truncate()
        while not meter.total or meter.done < meter.total:
            meter.check()
            # One packet's worth: what is slow still shows progress, and stops at once.
            chunk = response.read1(_CHUNK)
            if not chunk:
                break
            file.write(chunk)
            meter.done += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    if meter.done < meter.total:
        raise BrokenOffError(meter.done, meter.total)


def _check(parcel: Parcel, part: Path, meter: Meter) -> None:
    size = part.stat().st_size
    if parcel.size and size != parcel.size:
        raise WrongContentError(f"{size} bytes came instead of {parcel.size}")
    if not parcel.digest:
        return
    meter.phase = "checking"
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while chunk := file.read(1 << 22):
            meter.check()
            digest.update(chunk)
    found = digest.hexdigest()
    if not found.startswith(parcel.digest):
        expected, shown = parcel.digest[:12], found[: min(len(parcel.digest), 12)]
        raise WrongContentError(f"its SHA-256 begins with {shown} instead of {expected}")


def _check_room(folder: Path, needed: int) -> None:
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise EngineError(
                f"{needed / MEGABYTE:,.1f} MB are still to come, and the disk of {folder} has room for "
                f"{free / MEGABYTE:,.1f} MB",
                "Free some space, then try again",
                ProblemKind.RESOURCE,
            )
