"""Synthetic pictures in files."""

from __future__ import annotations

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.sheets import filter_sheet
from convviz_gui.engine.types import Result


def _arrays(gallery: Gallery) -> Arrays:
    return {
        "images": gallery.images,
        "trace": gallery.trace,
        "dead": gallery.dead,
        "channels": gallery.channels,
    }


def _pictures(gallery: Gallery, _result: Result) -> Pictures:
    return {"filters": filter_sheet(gallery)}


GALLERY = Depiction(_arrays, _pictures)
