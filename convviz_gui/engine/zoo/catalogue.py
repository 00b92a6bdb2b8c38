"""All networks by name. Imports torchvision and timm when first asked, not before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.names import close_names, did_you_mean

if TYPE_CHECKING:
    from convviz_gui.engine.zoo.architecture import Architecture

DEMO = "demo"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A network that can be opened.

    `source` is what opens it; `family` the group of networks it belongs to ("resnet"); `pretrained` whether its library
    publishes weights; `input_size` is the side of its input in pixels; `params` the number of parameters, 0 if unknown.
    """

    source: str
    name: str
    library: str
    family: str
    pretrained: bool
    input_size: int
    params: int = 0


def search_models(text: str = "") -> tuple[ModelEntry, ...]:
    """Networks whose name contains every word of `text` ("resnet-50" finds resnet50), best matches first."""
    words = [_plain(word) for word in text.split()]
    matches = [entry for entry in entries() if all(word in _plain(entry.source) for word in words)]
    whole = _plain(text)
    # The sort is stable: within a rank the order stays demo, torchvision, timm.
    return tuple(sorted(matches, key=lambda entry: _rank(_plain(entry.name), whole)))


@cache
def entries() -> tuple[ModelEntry, ...]:
    """Every network: the demo, torchvision's, timm's."""
    from convviz_gui.engine.demo.toynet import INPUT_SIZE, build_toynet

    params = sum(parameter.numel() for parameter in build_toynet().parameters())
    demo = ModelEntry(DEMO, "ToyNet", "ConvViz", "toynet", True, INPUT_SIZE, params)
    return (demo, *_torchvision_entries(), *_timm_entries())


def find(source: str) -> Architecture:
    """The network that `source` names, as in `ModelSpec`.

    Raises:
        EngineError: there is none; names the closest.
    """
    library, _, name = source.partition(":")
    if source == DEMO:
        from convviz_gui.engine.zoo import demo_zoo

        return demo_zoo.architecture()
    if library == "torchvision":
        from convviz_gui.engine.zoo import torchvision_zoo

        if name in torchvision_zoo.names():
            return torchvision_zoo.architecture(name)
    if library == "timm":
        from convviz_gui.engine.zoo import timm_zoo

        if name in timm_zoo.names():
            return timm_zoo.architecture(name)
    raise _unknown(source)


def _unknown(source: str) -> EngineError:
    library, colon, name = source.partition(":")
    known = entries()
    if not colon and (same := [entry.source for entry in known if source in (entry.name, entry.library)]):
        title = f"{source!r} does not say which library the network is from"
        return EngineError(title, "Did you mean " + " or ".join(same[:3]) + "?")
    candidates = [entry for entry in known if entry.library == library] or known
    # Comparing the names alone: a shared prefix would make all of a library's networks look alike.
    title = f"There is no network called {source!r}"
    close = close_names(name or library, dict.fromkeys(entry.name for entry in candidates))
    offered = [entry.source for word in close for entry in candidates if entry.name == word]
    return EngineError(
        title, did_you_mean(offered[:3], "Networks are demo, torchvision:NAME or timm:NAME; search for one by name")
    )


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _rank(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    return 1 if name.startswith(wanted) else 2


def _torchvision_entries() -> list[ModelEntry]:
    from torchvision.models import get_model_builder

    from convviz_gui.engine.zoo import torchvision_zoo

    made = []
    for name in torchvision_zoo.names():
        weights = torchvision_zoo.weights_of(name)
        family = get_model_builder(name).__module__.rpartition(".")[2]
        size = weights.transforms.keywords["crop_size"]
        made.append(
            ModelEntry(
                torchvision_zoo.PREFIX + name, name, "torchvision", family, True, size, weights.meta["num_params"]
            )
        )
    return made


def _timm_entries() -> list[ModelEntry]:
    from timm.models import get_pretrained_cfg, model_entrypoint

    from convviz_gui.engine.zoo import timm_zoo

    made = []
    for name in timm_zoo.names():
        config = get_pretrained_cfg(name)
        family = model_entrypoint(name).__module__.rpartition(".")[2]
        size = config.input_size[-1] if config else 224
        made.append(ModelEntry(timm_zoo.PREFIX + name, name, "timm", family, bool(config and config.has_weights), size))
    return made
