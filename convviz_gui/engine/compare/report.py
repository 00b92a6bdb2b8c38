"""A comparison in files: manifest.json, data.npz and pictures."""

from __future__ import annotations

import io
import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import convviz_gui
from convviz_gui.engine.atomic import staged
from convviz_gui.engine.compare.colours import difference_picture
from convviz_gui.engine.compare.comparison import Comparison
from convviz_gui.engine.compare.predictions import predictions
from convviz_gui.engine.compare.sheet import comparison_sheet
from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.export import MANIFEST
from convviz_gui.engine.manifest import FORMAT, versions
from convviz_gui.engine.types import Exported


def write_comparison(found: Comparison, folder: str, command: Sequence[str]) -> Exported:
    """Write a comparison; the folder holds all of it afterwards, or what it held before.

    Raises `EngineError` if the folder cannot be written.
    """
    root = Path(folder)
    with staged(root, MANIFEST) as staging:
        (staging / "data.npz").write_bytes(_arrays(found))
        Image.fromarray(comparison_sheet(found)).save(staging / "comparison.png", format="PNG")
        if found.difference is not None:
            Image.fromarray(difference_picture(found)).save(staging / "difference.png", format="PNG")
        names = sorted(path.name for path in staging.iterdir())
        text = json.dumps(comparison_manifest(found, command, names), indent=2, ensure_ascii=False)
        (staging / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return Exported(str(root), tuple(str(root / name) for name in (*names, MANIFEST)))


def _arrays(found: Comparison) -> bytes:
    """`a`, `b` on one grid with `difference` and, of a photo, `box`; or as they are where places do not correspond."""
    arrays = {"a": found.a.shown.values, "b": found.b.shown.values}
    if found.grid is not None and found.difference is not None:
        arrays = {"a": found.grid.a, "b": found.grid.b, "difference": found.difference}
        if found.grid.box is not None:
            arrays["box"] = found.grid.box
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def comparison_manifest(found: Comparison, command: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """What was compared, in which facts it differs and how alike it is, as JSON-ready values."""
    likeness = found.likeness
    numbers = {} if likeness is None else asdict(likeness)
    return {
        "format": FORMAT,
        "program": f"ConvViz {convviz_gui.__version__}",
        "command": shlex.join(command),
        "comparison": {
            "reason": found.reason,
            "caveats": list(found.caveats),
            "scale": "locked" if found.locked else "own",
            "unit": found.unit,
            "range_a": list(found.ranges[0]),
            "range_b": list(found.ranges[1]),
            "interpolated": found.grid.interpolated if found.grid is not None else None,
            "statistics": {name: _finite(number) for name, number in numbers.items()},
            "differs": {fact.name: [fact.a, fact.b] for fact in found.facts if fact.differs},
        },
        "a": _told(found.a),
        "b": _told(found.b),
        "versions": versions(),
        "files": list(files),
    }


def _told(side: Side) -> dict[str, Any]:
    return {
        "title": side.title,
        "kind": side.shown.kind,
        "unit": side.shown.unit,
        "item": side.shown.item,
        "shape": list(side.shown.values.shape),
        "command": side.record.get("command"),
        "facts": dict(side.facts),
        "predictions": [asdict(one) for one in predictions(side)],
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
