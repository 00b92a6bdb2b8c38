"""What is needed to repeat a result and to know what it is: the manifest beside every export."""

from __future__ import annotations

import dataclasses
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import convviz_gui
from convviz_gui.engine.payloads import Coverage, Origin, Skipped
from convviz_gui.engine.types import ImageInput, Level, ModelInfo, Preprocess, Result

FORMAT = 1
_PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow", "umap-learn", "openTSNE")


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """What the manifest says of one result; `common` is the same for all results of one command."""

    common: dict[str, Any]
    own: dict[str, Any]


def result_facts(result: Result, place: str) -> ResultFacts:
    """The facts of a result that lies in the sub-folder `place`; keeps no array of it alive."""
    common = {
        "method": result.run.method,
        "parameters": dict(result.settings),
        "target": dataclasses.asdict(result.run.target),
        "seed": result.run.seed,
        "model": _model(result.model) | {"precision": result.precision},
        "preprocessing": _preprocessing(result.model.preprocess),
        "preprocessing_found": _preprocessing(result.model.found_preprocess),
        "input_folder": result.run.folder,
        "input_splits": list(result.run.splits),
    }
    own = {
        "folder": place,
        # What the method chose itself is as much part of the result as what it was told.
        "layer": getattr(result.payload, "layer", None),
        "class_index": getattr(result.payload, "class_index", None),
        "class_name": _class_name(result),
        "image": _image(result.run.image) if result.run.image is not None else None,
        "scores": {score.label: score.value if math.isfinite(score.value) else None for score in result.scores},
        "seconds": round(result.seconds, 6),
    }
    coverage = getattr(result.payload, "coverage", None)
    if isinstance(coverage, Coverage):
        own["coverage"] = dataclasses.asdict(coverage) | {"unhandled": dict(coverage.unhandled)}
    origin = getattr(result.payload, "origin", None)
    if isinstance(origin, Origin):
        own["features_of"] = dataclasses.asdict(origin)
    if how := getattr(result.payload, "how", ""):
        own["how"] = how
    if result.trust is not None:
        # Here, since depictions draw with Pillow and manifests are part of the window's start.
        from convviz_gui.engine.depiction.trust import trust_facts

        own["trust"] = trust_facts(result.trust)
    return ResultFacts(common, own)


def manifest(
    facts: Sequence[ResultFacts], skipped: Sequence[Skipped], command: Sequence[str], files: Sequence[str]
) -> dict[str, Any]:
    """The manifest of at least one result, as JSON-ready values. `command` repeats it, `files` are those beside it."""
    return {
        "format": FORMAT,
        "program": f"ConvViz {convviz_gui.__version__}",
        "command": shlex.join(command),
        **facts[0].common,
        "results": [fact.own for fact in facts],
        "timings": {"seconds": round(sum(fact.own["seconds"] for fact in facts), 6)},
        "versions": versions(),
        "skipped": [{"path": item.path, "reason": item.reason} for item in skipped],
        "files": list(files),
    }


def _class_name(result: Result) -> str | None:
    index = getattr(result.payload, "class_index", None)
    return result.model.class_name(index) if isinstance(index, int) else None


def _model(model: ModelInfo) -> dict[str, Any]:
    return {
        "source": model.spec.source,
        "name": model.name,
        "weights": model.weights,
        "weights_file": model.spec.weights,
        "pretrained": model.spec.pretrained,
        "partial": model.spec.partial,
        "trusted": model.spec.trusted,
        "class_names": model.spec.class_names,
        "trained": model.trained,
        "digest": model.digest,
        "parameters": model.n_params,
        "device": model.device,
        "notes": list(model.notes),
        "warnings": [
            {"kind": finding.kind, "title": finding.title, "detail": finding.detail}
            for finding in model.health
            if finding.level is Level.WARNING
        ],
    }


def _preprocessing(preprocess: Preprocess | None) -> dict[str, Any] | None:
    return None if preprocess is None else dataclasses.asdict(preprocess)


def _image(image: ImageInput) -> dict[str, Any]:
    height, width = image.pixels.shape[:2]
    return {
        "name": image.name,
        "path": image.path,
        "digest": image.digest,
        "width": width,
        "height": height,
        "notes": list(image.notes),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    found = {"python": sys.version.split()[0], "convviz": convviz_gui.__version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
