"""docs/zoo.md, from what the sweep found."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

Results = dict[str, dict[str, Any]]

TARGETS = {"torchvision": 100.0, "timm": 98.0}
"""Percent of the networks that have to allow everything."""

_TITLES = {
    "torchvision": "torchvision: every classification network",
    "timm": "timm: the smallest network of every family",
}
_HEAD = ("network", "input", "layers", "as maps", "receptive fields", "Grad-CAM looks at", "its map", "")
_INTRODUCTION = """\
# Both libraries, looked through

Every classification network of torchvision, and of every family of timm (`timm.list_modules()`) the network with the
fewest parameters, each with random weights and the smallest pictures it takes: the first that it accepts of
32, 64, 96, … pixels a side, or its own size where that is fixed (torchvision's ViTs: built for 224). What a library
fills with zeros (the last scale of a residual branch, a head) has small noise instead, since no gradient passes zeros.
Of families that come without a head the network has one for 1,000 classes.

Each was opened and asked for:

- its layer tree, with shapes and receptive fields;
- the activations of five layers, spread over its depth;
- Grad-CAM at the automatic layer, which must have more than one position and a map that is not zero;
- the gradient of the top class's score with respect to the picture, finite and not zero;
- two steps of gradient ascent on two channels of three layers each, spread over its depth;
- the overview, and the features of a folder's pictures where the classifier looks.

After each of these no hook, flag, changed weight or grad mode may be left behind.

This page is written by `.venv/bin/python -m tests.benchmarks.zoo`. The tests run fifteen of these networks
(`tests/engine/test_zoo_sample.py`).

"Layers" counts every module that ran; "as maps" those whose output is shown as maps, tokens included; "receptive
fields" those whose field is known. At such small sizes the last stages of many networks have a single position, and
Grad-CAM looks at the last layer that has more. Hiera keeps its tokens in an order of its own, by windows: they make no
maps, and only its patch embedding is shown as such.
"""


def write_page(results: Results, out: Path) -> None:
    """Write the page, all or nothing."""
    libraries = {name: _of(results, name) for name in _TITLES}
    lines = [_INTRODUCTION, f"Versions: {_versions()}.", "", *_summary(libraries), ""]
    for library, found in libraries.items():
        lines += [f"## {_TITLES[library]}", "", *_table(found), ""]
    fresh = out.with_suffix(".new")
    fresh.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    fresh.replace(out)


def _of(results: Results, library: str) -> Results:
    mine = {name.partition(":")[2]: found for name, found in results.items() if name.startswith(library + ":")}
    return dict(sorted(mine.items()))


def _versions() -> str:
    return ", ".join(f"{package} {metadata.version(package)}" for package in ("torch", "torchvision", "timm"))


def _summary(libraries: dict[str, Results]) -> Iterator[str]:
    yield "| library | networks | everything works | target |"
    yield "|---|---|---|---|"
    for library, found in libraries.items():
        if found:
            fine = sum(not result["fault"] for result in found.values())
            share = f"{fine} ({100 * fine / len(found):.1f} %)"
            yield f"| {library} | {len(found)} | {share} | ≥ {TARGETS[library]:g} % |"
    faults = [(library, name, r["fault"]) for library, found in libraries.items() for name, r in found.items()]
    exceptions = [f"- `{library}:{name}`: {fault}" for library, name, fault in faults if fault]
    yield ""
    if exceptions:
        yield "Exceptions, and why:"
        yield ""
        yield from exceptions
    else:
        yield "There are no exceptions."


def _table(found: Results) -> Iterator[str]:
    yield "| " + " | ".join(_HEAD) + " |"
    yield "|---" * len(_HEAD) + "|"
    for name, result in found.items():
        if "side" not in result:
            yield f"| `{name}` |" + " – |" * 6 + " see above |"
            continue
        height, width = result["cam_map"]
        cells = (
            f"`{name}`",
            f"{result['side']}",
            f"{result['layers']:,}",
            f"{result['maps']:,}",
            f"{result['fields']:,}",
            f"`{result['cam_layer']}`" if result["cam_layer"] else "–",
            f"{height}×{width}",
            "see above" if result["fault"] else "",
        )
        yield "| " + " | ".join(cells) + " |"
