"""Synthetic pictures in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.sheets import filter_sheet
from convviz_gui.engine.types import Result


def _arrays(gallery: Gallery) -> Arrays:
    made: Arrays = {
        "images": gallery.images,
        "trace": gallery.trace,
        "dead": gallery.dead,
        "channels": gallery.channels,
        "labels": np.array([gallery.label(item) for item in range(len(gallery.channels))]),
        "objective": np.array(gallery.objective),
    }
    if gallery.transparency is not None:
        made["transparency"] = gallery.transparency
    if gallery.spectrum is not None:
        made |= {"spectrum": gallery.spectrum, "spectrum_of": np.array(gallery.spectrum_of)}
    return made


def _pictures(gallery: Gallery, _result: Result) -> Pictures:
    sheets = {"filters": filter_sheet(gallery)}
    if gallery.transparency is not None:
        sheets["masked"] = filter_sheet(gallery, transparent=True)
    return sheets


GALLERY = Depiction(_arrays, _pictures)
