"""Which content files had when they were read last: those that are unchanged since need not be read again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from convviz_gui.engine.content import Stamp
from convviz_gui.engine.latent.feature_store import open_database, writing

FORMAT = 1
MOST_FILES = 3_000_000
"""Some 500 MB; the files that were in use least lately are forgotten."""

_SCHEMA = """
CREATE TABLE files (path BLOB PRIMARY KEY, modified INTEGER NOT NULL, changed INTEGER NOT NULL, size INTEGER NOT NULL,
                    inode TEXT NOT NULL, digest BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
"""


class FileIndex:
    """Digests by path and stamp. Every method raises `sqlite3.Error` or `OSError`."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises `OtherVersionError` besides."""
        self._database = open_database(path, _SCHEMA, FORMAT)

    def find(self, paths: Sequence[str], stamps: Sequence[Stamp | None]) -> list[str]:
        """The digest of each file, "" where it is not known or the stamp is another. Hundreds at once at most."""
        keys = list(map(os.fsencode, paths))
        marks = ",".join("?" * len(keys))
        query = f"SELECT path, modified, changed, size, inode, digest FROM files WHERE path IN ({marks})"
        known = {key: (stamp, digest) for key, *stamp, digest in self._database.execute(query, keys)}
        found = []
        for key, stamp in zip(keys, stamps, strict=True):
            kept, digest = known.get(key, (None, b""))
            found.append(digest.hex() if stamp is not None and kept == _columns(stamp) else "")
        return found

    def put(self, files: Iterable[tuple[str, Stamp, str]]) -> None:
        """Note paths with their stamps and digests."""
        today = int(time.time() // 86400)
        rows = [[os.fsencode(path), *_columns(stamp), bytes.fromhex(digest), today] for path, stamp, digest in files]
        with writing(self._database):
            self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def trim(self) -> None:
        """Forget files beyond `MOST_FILES`."""
        count = self._database.execute("SELECT count(*) FROM files").fetchone()[0]
        if count > MOST_FILES:
            with writing(self._database):
                query = "DELETE FROM files WHERE path IN (SELECT path FROM files ORDER BY used LIMIT ?)"
                self._database.execute(query, [count - MOST_FILES * 9 // 10])

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _columns(stamp: Stamp) -> list[int | str]:
    # An inode may need all of 64 bits, one more than SQLite's whole numbers have.
    return [*stamp[:3], str(stamp[3])]
