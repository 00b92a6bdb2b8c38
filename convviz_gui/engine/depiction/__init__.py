"""Each payload as arrays for data.npz, as pictures for people and as tables for spreadsheets; a file for each kind."""

from __future__ import annotations

from typing import Any

from convviz_gui.engine.depiction.asked import ASKED
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables
from convviz_gui.engine.depiction.census import CENSUS
from convviz_gui.engine.depiction.gallery import GALLERY
from convviz_gui.engine.depiction.heat import HEAT
from convviz_gui.engine.depiction.kernels import KERNELS
from convviz_gui.engine.depiction.located import located_tables
from convviz_gui.engine.depiction.looking import MAPS, OVERVIEW, SEEN
from convviz_gui.engine.depiction.patches import PATCHES
from convviz_gui.engine.depiction.pixel_map import OCCLUSION, PIXEL_MAP
from convviz_gui.engine.depiction.points import POINTS
from convviz_gui.engine.depiction.retrieval import RETRIEVAL
from convviz_gui.engine.depiction.strip import STRIP
from convviz_gui.engine.depiction.switched import ABLATION, SWITCHED
from convviz_gui.engine.depiction.transfer import TRANSFER
from convviz_gui.engine.depiction.trust import trust_pictures, trust_tables
from convviz_gui.engine.depiction.unit_page import UNIT_PAGE
from convviz_gui.engine.payloads import (
    Ablation,
    Asked,
    Census,
    Gallery,
    Heat,
    Kernels,
    Maps,
    Occlusion,
    Overview,
    Patches,
    Payload,
    PixelMap,
    Points,
    Retrieval,
    Seen,
    Strip,
    Switched,
    Transfer,
    UnitPage,
)
from convviz_gui.engine.sheets import captioned
from convviz_gui.engine.types import ModelInfo, Result

DEPICTIONS: dict[type[Any], Depiction[Any]] = {
    Ablation: ABLATION,
    Asked: ASKED,
    Census: CENSUS,
    Gallery: GALLERY,
    Heat: HEAT,
    Kernels: KERNELS,
    Maps: MAPS,
    Occlusion: OCCLUSION,
    Overview: OVERVIEW,
    Patches: PATCHES,
    PixelMap: PIXEL_MAP,
    Points: POINTS,
    Retrieval: RETRIEVAL,
    Seen: SEEN,
    Strip: STRIP,
    Switched: SWITCHED,
    Transfer: TRANSFER,
    UnitPage: UNIT_PAGE,
}
"""How each member of `Payload` is written; `tests/engine/test_depiction.py` holds this to be all of them."""

_UNTRAINED_TOO = (Seen,)
"""What does not depend on the network's weights."""


def arrays(payload: Payload) -> Arrays:
    """What `data.npz` holds; names, types and shapes are the command line's contract (docs/cli.md)."""
    return DEPICTIONS[type(payload)].arrays(payload)


def pictures(result: Result) -> Pictures:
    """Pictures u8 [H, W, 3] by file name without ending; what random weights made says so below."""
    made = DEPICTIONS[type(result.payload)].pictures(result.payload, result)
    if result.trust is not None:
        made = made | trust_pictures(result.trust)
    if result.model.trained or isinstance(result.payload, _UNTRAINED_TOO):
        return made
    return {name: captioned(picture, random_weights(result.model)) for name, picture in made.items()}


def tables(result: Result) -> Tables:
    """Tables as CSV text by file name without ending."""
    made = DEPICTIONS[type(result.payload)].tables(result.payload, result)
    made = made | located_tables(result)
    return made if result.trust is None else made | trust_tables(result.trust)


def random_weights(model: ModelInfo) -> str:
    """What is written on pictures of a network that is not trained."""
    return f"Random weights: {model.name} has learned nothing"
