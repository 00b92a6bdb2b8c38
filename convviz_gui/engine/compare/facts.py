"""What a result is, in words, and in which of these two results differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convviz_gui.engine.compare.shown import Shown

_ALWAYS = ("Method", "Layer", "Class", "Photo", "Network", "Weights")
"""Told even where both sides agree in them."""
_PREPROCESSING = {
    "size": "Input size",
    "resize": "Resize",
    "interpolation": "Interpolation",
    "mean": "Mean",
    "std": "Standard deviation",
    "channel_order": "Colour order",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of both sides; "" where a side has none."""

    name: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """True if the sides do not agree."""
        return self.a != self.b


def facts_of(record: Mapping[str, Any], shown: Shown, names: tuple[str, ...] = ()) -> dict[str, str]:
    """A result's facts by name.

    Args:
        record: the manifest's entries, those of the one result included (`manifest.result_facts`).
        shown: what of the result is meant: a channel, a tile, a layer of a film strip.
        names: the network's class names, where they are known.
    """
    target, model, image = (_part(record, key) for key in ("target", "model", "image"))
    index = record.get("class_index")
    explained = target.get("class_index") if index is None else index
    stage = shown.label if shown.kind == "class map" else ""
    found = {
        "Method": _words(record.get("method")),
        "Layer": stage or _words(record.get("layer") or target.get("layer")),
        "Channel": ("" if stage else shown.label) or _words(target.get("channels")),
        "Unit": _words(target.get("unit")),
        "Class": class_words(explained, names, record.get("class_name") if explained == index else None),
        "Against": class_words(target.get("against"), names),
        "Photo": _words(image.get("name")),
        "Pixels": _words(image.get("digest"))[:12],
        "Folder": _words(record.get("input_folder")),
        "Network": _words(model.get("name")),
        "Weights": _words(model.get("weights")),
        "Digest": _words(model.get("digest"))[:12],
        "Precision": _words(model.get("precision")),
    }
    preparing = _part(record, "preprocessing")
    found |= {title: _words(preparing.get(key)) for key, title in _PREPROCESSING.items()}
    found |= {f"--{name.replace('_', '-')}": _words(value) for name, value in _part(record, "parameters").items()}
    return found | {"Seed": _words(record.get("seed"))}


def compared(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Fact, ...]:
    """The facts that are always told, and every other in which the two differ."""
    names = [*a, *(name for name in b if name not in a)]
    facts = (Fact(name, a.get(name, ""), b.get(name, "")) for name in names)
    return tuple(fact for fact in facts if fact.differs or (fact.name in _ALWAYS and fact.a))


def class_words(index: object, names: tuple[str, ...], name: object = None) -> str:
    """ "281 tabby", or "class 281" where no name is known, "" for none; `name` counts where `names` has none."""
    if not isinstance(index, int) or isinstance(index, bool):
        return ""
    if isinstance(name, str) and name and name != f"class {index}" and index >= len(names):
        return f"{index} {name}"
    return f"{index} {names[index]}" if 0 <= index < len(names) else f"class {index}"


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ", ".join(_words(one) for one in value)
        case _:
            return str(value)
