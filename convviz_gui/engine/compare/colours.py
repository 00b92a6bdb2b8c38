"""The colours of both sides and of their difference, for window and files alike."""

from __future__ import annotations

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.compare.comparison import Comparison, Range, largest
from convviz_gui.engine.compare.shown import Shown
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.render import colourise

_SEQUENTIAL = "viridis"


def table_for(found: Comparison, shown: Shown) -> ByteArray:
    """The colours of a side, u8 [256, 3]; both have the same where the scale is locked."""
    both = (found.a.shown, found.b.shown) if found.locked else (shown,)
    return COLORMAPS[DIVERGING if any(one.signed for one in both) else _SEQUENTIAL]


def side_picture(found: Comparison, shown: Shown, range_: Range) -> ByteArray:
    """A side's map in the colours of its scale, or its own colours where it is a picture; u8 [h, w, 3]."""
    return shown.picture if shown.picture is not None else colourise(shown.values, *range_, table_for(found, shown))


def difference_picture(found: Comparison) -> ByteArray:
    """A − B, red where A is larger and blue where B is; u8 [H, W, 3]."""
    assert found.difference is not None
    top = largest(found.difference)
    return colourise(found.difference, -top, top, COLORMAPS[DIVERGING])
