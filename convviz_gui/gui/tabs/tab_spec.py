"""The tabs there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from convviz_gui.engine.types import MethodInfo, ModelInfo
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


@dataclass(frozen=True, slots=True)
class TabSpec:
    """One tab.

    Args:
        name: its name and the lane its jobs run in.
        title: as written on the tab.
        category: of the methods it offers.
        views: makers of its views by the name of the payload they show; called when first needed (imports are slow).
        automatic: the layer its methods take by themselves, or None where it is always the tree's.
        empty: what to do before there is a result, in one sentence; {layer} stands for the layer's id.
        button: text of the empty state's button.
        demo_button: the same where a folder is needed and none is chosen: the demo's is taken.
        order: the methods that are offered first, in this order; the tab begins with the first.
        channels: what its field for channels begins with.
        others: of methods that ask another question, what stands instead of `empty` and on the button.
    """

    name: str
    title: str
    category: str
    views: Mapping[str, Callable[[Selection], PayloadView]]
    automatic: Callable[[ModelInfo], str | None] | None
    empty: str
    button: str = ""
    demo_button: str = ""
    order: tuple[str, ...] = ()
    channels: str = "first 64"
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def invitation(self, method: str) -> tuple[str, str]:
        """What a method's empty page says, and what its button is called."""
        return self.others.get(method, (self.empty, self.button))

    def sorted(self, methods: Iterable[MethodInfo]) -> tuple[MethodInfo, ...]:
        """The methods of its category whose results it can show, in the order in which it offers them."""
        own = [info for info in methods if info.category == self.category and info.payload in self.views]
        places = {name: place for place, name in enumerate(self.order)}
        return tuple(sorted(own, key=lambda info: places.get(info.name, len(places))))


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


def _asked(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.asked import AskedView

    return AskedView(selection)


def _switched(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.switched import SwitchedView

    return SwitchedView(selection)


def _ablation(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.ablation import AblationView

    return AblationView(selection)


def _film_strip(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.film_strip import FilmStripView

    return FilmStripView(selection)


def _retrieval(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.retrieval import RetrievalView

    return RetrievalView(selection)


def _pixel_map(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.pixel_map import PixelMapView

    return PixelMapView(selection)


def _unit_page(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.unit_page import UnitPageView

    return UnitPageView(selection)


def _occlusion(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.occlusion import OcclusionView

    return OcclusionView(selection)


def _latent(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.latent import LatentView

    return LatentView(selection)


def _transfer(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.transfer import TransferView

    return TransferView(selection)


def _kernels(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.kernels import KernelsView

    return KernelsView(selection)


def _patches(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.patches import PatchesView

    return PatchesView(selection)


def _census(selection: Selection) -> PayloadView:
    from convviz_gui.gui.views.census import CensusView

    return CensusView(selection)


FIRST = "activations"
"""The tab that the window opens with."""

_TAKE_DEMO = "Take the 600 demo pictures"

_ALL = (
    TabSpec(
        "input",
        "Input",
        "input",
        {"Seen": _input},
        None,
        "What the network is given of a photo appears here as soon as one is open.",
    ),
    TabSpec(
        "activations",
        "Activations",
        "activations",
        {"Maps": _activations, "Asked": _asked},
        None,
        "The channels of {layer} appear here as soon as a photo is open.",
    ),
    TabSpec(
        "filters",
        "Filters",
        "filters",
        {"Gallery": _filters, "Kernels": _kernels},
        None,
        "What do the channels of {layer} look for? Pictures are grown from noise to find out.",
        "Show the filters",
        order=("filters", "weights"),
    ),
    TabSpec(
        "class map",
        "Class map",
        "class maps",
        {"Heat": _class_map, "Strip": _film_strip},
        lambda info: info.default_map_layer,
        "The part of the photo that speaks for a class appears here as soon as a photo is open.",
        "Compute the map",
        order=("grad-cam", "film-strip", "cam", "grad-cam-pp", "layer-cam", "xgrad-cam", "score-cam", "eigen-cam"),
        others={
            "score-cam": (
                "Which channels' maps keep the score up when the photo is masked by each of them in turn?",
                "Compute the map",
            ),
        },
    ),
    TabSpec(
        "pixel map",
        "Pixel map",
        "pixel maps",
        {"PixelMap": _pixel_map, "Occlusion": _occlusion},
        lambda info: info.default_map_layer,
        "What each pixel of the photo does for a class appears here as soon as a photo is open.",
        "Compute the map",
        order=(
            "saliency",
            "smoothgrad",
            "integrated-gradients",
            "grad-x-input",
            "guided-grad-cam",
            "guided-backprop",
            "deconvnet",
            "occlusion",
        ),
        others={
            "smoothgrad": ("The gradient, averaged over noisy copies of the photo.", "Compute the map"),
            "integrated-gradients": (
                "What each pixel adds to the score on the way from an empty picture to the photo.",
                "Compute the map",
            ),
            "occlusion": ("Where does the score fall when a patch of the photo is covered?", "Cover the photo"),
        },
    ),
    TabSpec(
        "units",
        "Units",
        "units",
        {"Patches": _patches, "UnitPage": _unit_page, "Census": _census},
        None,
        "What do the channels of {layer} respond to? A folder of pictures shows it.",
        "Look through the pictures",
        _TAKE_DEMO,
        order=("patches", "unit", "census"),
        channels="all",
        others={
            "unit": (
                "Everything about one channel of {layer}: its weights, the picture that it wants, and with a folder of "
                "pictures what it answers to.",
                "Show the channel",
            ),
            "census": (
                "Which channels of the network never fire, hardly ever, or just as another one does? A folder of "
                "pictures shows it.",
                "Take the census",
            ),
        },
    ),
    TabSpec(
        "switch off",
        "Switch off",
        "switch off",
        {"Switched": _switched, "Ablation": _ablation},
        None,
        "What does the network say without some channels of {layer}? Open a photo to find out.",
        "Switch off",
        _TAKE_DEMO,
        order=("switch-off", "ablation"),
        others={
            "ablation": (
                "What is lost without each channel of {layer}, one at a time? A folder of pictures shows it.",
                "Switch off one by one",
            ),
        },
    ),
    TabSpec(
        "latent space",
        "Latent space",
        "latent space",
        {"Points": _latent, "Retrieval": _retrieval, "Transfer": _transfer},
        lambda info: info.penultimate_layer,
        "How does the network sort your pictures, and what is wrong with them? A folder, a .zip or a .csv of pictures "
        "becomes a map; sub-folders become labels.",
        "Map the pictures",
        _TAKE_DEMO,
        order=("latent", "retrieve", "transfer"),
        others={
            "retrieve": (
                "Which pictures of a folder does the network find most like the photo?",
                "Find similar pictures",
            ),
            "transfer": (
                "Which layer tells the labels of your pictures best? A folder with sub-folders shows it, layer by "
                "layer, by nearest neighbours and by a linear probe.",
                "Check the layers",
            ),
        },
    ),
)

TABS = tuple(spec for spec in _ALL if spec.views)
