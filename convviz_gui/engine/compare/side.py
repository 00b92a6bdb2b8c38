"""One of two things compared."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from convviz_gui.engine.command_line import command_line
from convviz_gui.engine.compare.facts import facts_of
from convviz_gui.engine.compare.shown import Shown, is_comparable, shown_map
from convviz_gui.engine.manifest import result_facts
from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.types import ImageInput, Result


@dataclass(frozen=True, slots=True)
class Side:
    """What is shown, and what it is.

    Args:
        record: the entries of its manifest.
        facts: the same in words, by name.
        photo: the picture it is of, if it is at hand.
        photo_size: height and width of that picture in pixels, or None without one.
        logits: f32 [K] what the network said of the photo, or None.
        names: the network's class names, where they are known.
    """

    shown: Shown
    record: Mapping[str, Any] = field(repr=False)
    facts: Mapping[str, str] = field(repr=False)
    photo: ImageInput | None = None
    photo_size: tuple[int, int] | None = None
    logits: FloatArray | None = field(default=None, repr=False, compare=False)
    names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        """What it is, in one line: "grad-cam · features.12 · 281 tabby · cat.jpg · SqueezeNet"."""
        parts = (self.facts.get(name, "") for name in ("Method", "Layer", "Channel", "Class", "Photo", "Network"))
        return " · ".join(part for part in parts if part)

    @property
    def digest(self) -> object:
        """What tells networks with other weights apart."""
        model = self.record.get("model")
        return model.get("digest") if isinstance(model, Mapping) else None


def can_compare(result: Result) -> bool:
    """True if a result holds a map or a picture to compare."""
    return is_comparable(_arrays(result))


def side_of(result: Result, item: int | None = None, title: str = "") -> Side:
    """A result of the window as a side.

    Args:
        item: as in `shown_map`; None takes the run's own channel, if it has one.
        title: the method's, to be read in place of its name.

    Raises `EngineError` for results that show nothing to compare, and for an item that is not there.
    """
    told = result_facts(result, ".")
    record = told.common | told.own | {"command": shlex.join(command_line(result, "DIR"))}
    image, target = result.run.image, result.run.target
    if item is None and target.channels is not None and len(target.channels) == 1:
        item = None if record["method"] == "filters" else target.channels[0]
    shown = shown_map(_arrays(result), record, item)
    return Side(
        shown,
        record,
        facts_of(record, shown, result.model.class_names) | ({"Method": title} if title else {}),
        image,
        image.pixels.shape[:2] if image is not None else None,
        getattr(result.payload, "logits", None),
        result.model.class_names,
    )


def _arrays(result: Result) -> dict[str, NDArray[Any]]:
    # Imported here: depictions draw with Pillow, and the window that compares must be on screen before that is loaded.
    from convviz_gui.engine.depiction import arrays

    return arrays(result.payload)
