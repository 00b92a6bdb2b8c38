"""What methods return: frozen payloads of read-only host arrays, and the array vocabulary they are written in.

Shapes use C channels, H×W the model's input, h×w a layer's map, N items, K classes. "Photo" is the user's picture;
"crop" the part of it the model saw. A new kind of payload is a file here, a member of `Payload`, and a file in
`engine/depiction`.
"""

from __future__ import annotations

from typing import get_args

from convviz_gui.engine.payloads.arrays import BoolArray, ByteArray, FloatArray, IntArray, frozen
from convviz_gui.engine.payloads.asked import Asked
from convviz_gui.engine.payloads.census import Census
from convviz_gui.engine.payloads.gallery import Gallery
from convviz_gui.engine.payloads.heat import Heat
from convviz_gui.engine.payloads.kernels import Kernels
from convviz_gui.engine.payloads.located import Located
from convviz_gui.engine.payloads.looking import Maps, Overview, Seen
from convviz_gui.engine.payloads.origin import Origin
from convviz_gui.engine.payloads.patches import Patches
from convviz_gui.engine.payloads.pixel_map import Coverage, Occlusion, PixelMap
from convviz_gui.engine.payloads.points import Column, Points
from convviz_gui.engine.payloads.retrieval import Retrieval
from convviz_gui.engine.payloads.skipped import Skipped
from convviz_gui.engine.payloads.strip import Strip
from convviz_gui.engine.payloads.switched import Ablation, Switched
from convviz_gui.engine.payloads.transfer import RAW_PIXELS, Judged, Transfer
from convviz_gui.engine.payloads.trust import Trust, TrustLevel
from convviz_gui.engine.payloads.unit_page import UnitPage

__all__ = [
    "MAP_NAMES",
    "RAW_PIXELS",
    "Ablation",
    "Asked",
    "AttributionMap",
    "BoolArray",
    "ByteArray",
    "Census",
    "Column",
    "Coverage",
    "FloatArray",
    "Gallery",
    "Heat",
    "IntArray",
    "Judged",
    "Kernels",
    "Located",
    "Maps",
    "Occlusion",
    "Origin",
    "Overview",
    "Patches",
    "Payload",
    "PixelMap",
    "Points",
    "Retrieval",
    "Seen",
    "Skipped",
    "Strip",
    "Switched",
    "Transfer",
    "Trust",
    "TrustLevel",
    "UnitPage",
    "frozen",
]

AttributionMap = Heat | PixelMap | Occlusion
"""Maps of a photo that say why: what can be checked for trust and compared. All have `heat`, `box` and `logits`."""

MAP_NAMES = frozenset(kind.__name__ for kind in get_args(AttributionMap))
"""Their names, as in `MethodInfo.payload`."""

Payload = (
    Overview
    | Seen
    | Maps
    | Asked
    | Gallery
    | AttributionMap
    | Strip
    | Switched
    | Ablation
    | Points
    | Retrieval
    | Kernels
    | Patches
    | Census
    | UnitPage
    | Transfer
)
