"""A census of channels in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Tables, table
from convviz_gui.engine.payloads import Census
from convviz_gui.engine.types import Result


def _arrays(census: Census) -> Arrays:
    return {
        "layers": np.array(census.layers),
        "first": census.first,
        "rectified": census.rectified,
        "peak": census.peak,
        "mean": census.mean,
        "firing": census.firing,
        "dead": census.dead,
        "sparse": census.sparse,
        "duplicate_of": census.twin,
        "similarity": census.similarity,
    }


def layer_rows(census: Census) -> list[list[object]]:
    """For each layer id, kind, channels, and how many of them are dead, sparse and duplicates."""
    rows: list[list[object]] = []
    for number, layer in enumerate(census.layers):
        part = census.channels(number)
        counts = (census.dead[part].sum(), census.sparse[part].sum(), (census.twin[part] >= 0).sum())
        rows.append([layer, census.kinds[number], part.stop - part.start, *map(int, counts)])
    return rows


def _tables(census: Census, _result: Result) -> Tables:
    return {
        "layers": table(["layer", "kind", "channels", "dead", "sparse", "duplicates"], layer_rows(census)),
        "channels": channel_table(census),
    }


def channel_table(census: Census) -> str:
    """Every channel as CSV text."""

    def rows() -> list[list[object]]:
        made: list[list[object]] = []
        for number, layer in enumerate(census.layers):
            part = census.channels(number)
            for channel, at in enumerate(range(part.start, part.stop)):
                numbers = (census.firing[at], census.peak[at], census.mean[at])
                twin = int(census.twin[at])
                alike: tuple[object, object] = (twin, float(census.similarity[at])) if twin >= 0 else ("", "")
                flags = (bool(census.dead[at]), bool(census.sparse[at]))
                made.append([layer, channel, *map(float, numbers), *flags, *alike])
        return made

    head = ["layer", "channel", "firing", "peak", "mean", "dead", "sparse", "duplicate_of", "correlation"]
    return table(head, rows())


CENSUS = Depiction(_arrays, tables=_tables)
