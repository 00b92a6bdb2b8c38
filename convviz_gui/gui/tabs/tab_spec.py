"""The tabs there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


@dataclass(frozen=True, slots=True)
class TabSpec:
    """One tab.

    Args:
        name: its name and the lane its jobs run in.
        title: as written on the tab.
        category: of the methods it offers.
        make_view: makes its view when the tab is first shown (imports are slow).
        automatic: the layer its methods take by themselves, or None where it is always the tree's.
        empty: what to do before there is a result, in one sentence; {layer} stands for the layer's id.
        button: text of the empty state's button.
        demo_button: the same where a folder is needed and none is chosen: the demo's is taken.
    """

    name: str
    title: str
    category: str
    make_view: Callable[[Selection], PayloadView]
    automatic: Callable[[ModelInfo], str | None] | None
    empty: str
    button: str = ""
    demo_button: str = ""


def _input(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.input import InputView

    return InputView(selection)


def _activations(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.activations import ActivationsView

    return ActivationsView(selection)


def _filters(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.filters import FiltersView

    return FiltersView(selection)


def _class_map(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.class_map import ClassMapView

    return ClassMapView(selection)


def _latent(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.latent import LatentView

    return LatentView(selection)


FIRST = "activations"
"""The tab that the window opens with."""

TABS = (
    TabSpec(
        "input",
        "Input",
        "input",
        _input,
        None,
        "What the network is given of a photo appears here as soon as one is open.",
    ),
    TabSpec(
        "activations",
        "Activations",
        "activations",
        _activations,
        None,
        "The channels of {layer} appear here as soon as a photo is open.",
    ),
    TabSpec(
        "filters",
        "Filters",
        "filters",
        _filters,
        None,
        "What do the channels of {layer} look for? Pictures are grown from noise to find out.",
        "Show the filters",
    ),
    TabSpec(
        "class map",
        "Class map",
        "class maps",
        _class_map,
        lambda info: info.default_map_layer,
        "The part of the photo that speaks for a class appears here as soon as a photo is open.",
    ),
    TabSpec(
        "latent space",
        "Latent space",
        "latent space",
        _latent,
        lambda info: info.penultimate_layer,
        "Open a folder of pictures to see how the network sorts it; sub-folders become labels.",
        "Embed the pictures",
        "Take the 600 demo pictures",
    ),
)
