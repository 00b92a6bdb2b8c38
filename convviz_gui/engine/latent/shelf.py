"""Where rows of pictures are kept from one pass to the next. This one is empty and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from convviz_gui.engine.content import Stamp
from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.latent.gathering import Gathering, Rows
from convviz_gui.engine.method import Steps

Parts = tuple[tuple[int, ...], ...]
"""Places in a listing that still have to be read, in batches that begin with each part."""


class Shelf:
    """What a pass over a dataset asks, in this order: `fill`, then for each picture one of the others, then `finish`.

    None of them ever fails: `note` says in a sentence, without a final stop, why something could not be kept, or is "".
    """

    note = ""

    def fill(self, listing: Listing, rows: Gathering) -> Steps[Parts]:
        """Put what is known without reading a file into `rows`; returns the places that are left."""
        del rows
        yield from ()
        return (tuple(range(len(listing.paths))),)

    def find(self, place: int, digest: str) -> Rows | None:
        """The rows of a picture that has been read and has this digest. Called by several threads."""
        del place, digest
        return None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, the network computes rows."""
        yield

    def keep(self, path: str, stamp: Stamp | None, digest: str, row: Rows) -> None:
        """Keep the rows of a picture, and which file it is."""

    def saw(self, path: str, stamp: Stamp | None, digest: str) -> None:
        """Keep which file a picture is whose rows are here."""

    def passed(self, done: int) -> None:
        """The first `done` places of the last part are done with, whether they could be read or not."""

    def finish(self) -> Steps[None]:
        """All parts are done."""
        yield from ()

    def close(self) -> None:
        """Nothing more comes, finished or not."""
