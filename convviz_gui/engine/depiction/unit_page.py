"""A channel's page in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.payloads import UnitPage
from convviz_gui.engine.render import mosaic
from convviz_gui.engine.types import Result
from convviz_gui.engine.unit_page.drawing import projected_picture, squared, weights_picture

_ENLARGED = 8
_COLUMNS = 3


def _arrays(page: UnitPage) -> Arrays:
    strongest, record, alike, feeds = page.strongest, page.record, page.alike, page.feeds
    return {
        "channel": np.array(page.channel, np.int64),
        "kernel": page.kernel.values,
        "synthetic": page.synthetic.picture,
        "trace": page.synthetic.trace,
        "patches": strongest.images,
        "patch_values": strongest.values,
        "patch_positions": strongest.positions,
        "patch_boxes": strongest.boxes,
        "patch_pictures": strongest.pictures,
        "projected": strongest.projected,
        "paths": np.array(record.paths),
        "labels": np.array(record.labels),
        "peaks": record.peaks,
        "fired": record.fired.astype(np.bool_),
        "histogram": record.counts,
        "edges": record.edges,
        "groups": np.array(record.groups),
        "rates": record.rates,
        "group_peaks": record.group_peaks,
        "similar": alike.channels,
        "correlation": alike.correlation,
        "cosine": alike.cosine,
        "duplicate": np.array(alike.duplicate, np.int64),
        "feeds": feeds.channels,
        "feed_weights": feeds.weights,
    }


def _pictures(page: UnitPage, _result: Result) -> Pictures:
    made: Pictures = {}
    weights = weights_picture(page.kernel)
    if weights is not None:
        made["weights"] = weights.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
    if page.synthetic.picture.size:
        made["synthetic"] = page.synthetic.picture
    strongest = page.strongest
    if len(strongest.images):
        made["patches"] = mosaic(strongest.images, _COLUMNS)
    if len(strongest.projected):
        side = strongest.images.shape[1]
        tiles = [projected_picture(strongest, row) for row in range(len(strongest.projected))]
        made["projected"] = mosaic(np.stack([squared(tile, side) for tile in tiles if tile is not None]), _COLUMNS)
    return made


def _tables(page: UnitPage, result: Result) -> Tables:
    record, alike, feeds = page.record, page.alike, page.feeds
    made: Tables = {}
    if record.paths:
        order = np.argsort(-record.peaks, kind="stable")
        rows = ([record.paths[i], record.labels[i], float(record.peaks[i]), bool(record.fired[i])] for i in order)
        made["pictures"] = table(["path", "label", "largest", "fires"], rows)
    if record.groups:
        columns = (record.sizes, record.rates, record.group_peaks)
        numbers = zip(record.groups, *(column.tolist() for column in columns), strict=True)
        made["labels"] = table(["label", "pictures", "fires", "mean_largest"], numbers)
    if len(alike.channels):
        known = {"correlation": alike.correlation, "cosine": alike.cosine}
        known = {name: values for name, values in known.items() if len(values)}
        alikes = zip(alike.channels.tolist(), *(values.tolist() for values in known.values()), strict=True)
        made["similar"] = table(["channel", *known], alikes)
    if len(feeds.channels):
        listeners = zip(feeds.channels.tolist(), feeds.weights.tolist(), strict=True)
        rows = ([i, result.model.class_name(i) if feeds.classes else "", weight] for i, weight in listeners)
        made["feeds"] = table(["channel", "class", "weight"], rows)
    return made


UNIT_PAGE = Depiction(_arrays, _pictures, _tables)
