"""A server on this machine that speaks as file servers and Hugging Face's hub do, with their faults on demand."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Loopback:
    """One file, at every plain path, and in the repositories of a hub under the names in `names`.

    Args:
        content: the file.
        names: files that the hub's repositories have.
        etag: of the plain file; "" for a server that sends none.
        ranges: whether the server knows the Range header.
        cuts: for each GET of the content, in turn, after how many of its bytes the connection is cut.
        status: sent instead of 200 or 206, if not 0.
        chunked: send it without saying how long it is.
        hold: after how many bytes of the file to wait for `go_on`.
        requests: method, path, Range and Authorization of every request so far.
    """

    content: bytes
    names: tuple[str, ...] = ("model.safetensors",)
    etag: str = '"first"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    status: int = 0
    chunked: bool = False
    hold: int | None = None
    requests: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def ranges_asked(self) -> list[str | None]:
        """The Range header of every GET of the content so far."""
        return [wanted for method, path, wanted, _ in self.requests if method == "GET" and "/resolve/" not in path]


@contextmanager
def serving(loopback: Loopback) -> Iterator[Loopback]:
    """The server at `loopback.url` while inside."""

    class Handler(_Handler):
        server_facts = loopback

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    loopback.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.go_on.set()
        http.shutdown()
        http.server_close()
        thread.join()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class _Handler(BaseHTTPRequestHandler):
    server_facts: Loopback

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        facts = self.server_facts
        authorization = self.headers.get("Authorization")
        facts.requests.append((self.command, self.path, self.headers.get("Range"), authorization))
        if facts.status:
            self.send_response(facts.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif match := re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/(\w+)/(.+)", self.path):
            self._resolve(match[3])
        else:
            self._send()

    def _resolve(self, name: str) -> None:
        """The hub's part: what the file is, and where its content lies."""
        facts = self.server_facts
        if name not in facts.names:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
        else:
            self.send_response(302)
            self.send_header("Location", f"{facts.url.replace('127.0.0.1', 'localhost')}/cdn/{facts.digest}")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("X-Linked-Etag", f'"{facts.digest}"')
            self.send_header("X-Linked-Size", str(len(facts.content)))
            self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self) -> None:
        facts = self.server_facts
        start = self._start()
        body = facts.content[start:]
        self.send_response(206 if start else 200)
        if facts.etag:
            self.send_header("ETag", facts.etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(facts.content) - 1}/{len(facts.content)}")
        if facts.chunked:
            self.protocol_version = "HTTP/1.1"
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self._write(body, start)

    def _start(self) -> int:
        facts = self.server_facts
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", facts.etag) == facts.etag
        return int(match[1]) if match and facts.ranges and same else 0

    def _write(self, body: bytes, start: int) -> None:
        facts = self.server_facts
        cut = facts.cuts.pop(0) if facts.cuts else None
        if facts.hold is not None:
            before = max(facts.hold - start, 0)
            self._part(body[:before])
            facts.go_on.wait(20)
            self._part(body[before:])
        else:
            self._part(body[:cut])
        if facts.chunked and cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def _part(self, part: bytes) -> None:
        if self.server_facts.chunked and part:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        else:
            self.wfile.write(part)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the other side may hang up
            super().handle()
