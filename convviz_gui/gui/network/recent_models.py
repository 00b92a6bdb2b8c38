"""Networks opened before, and what was edited of them: a small JSON file. What cannot be read is forgotten quietly."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convviz_gui import paths
from convviz_gui.engine import atomic
from convviz_gui.engine.types import ModelInfo, ModelSpec
from convviz_gui.gui.network.spec_json import spec_from_json, spec_to_json
from convviz_gui.gui.opening.own_code import split_source

FILE = "recent-models.json"
MOST = 12
"""Networks that are listed."""
MOST_KEPT = 200
"""Networks whose edited preprocessing and class names are kept."""

Key = tuple[str, str | None, bool]


@dataclass(frozen=True, slots=True)
class RecentModel:
    """A network as it was opened. `weights` says in words which weights it had; the rest as in `LoadModel`."""

    spec: ModelSpec
    name: str
    weights: str = ""
    device: str = "auto"
    precision: str = "float32"

    def title(self) -> str:
        """Name and weights in one line: "resnet50 (best.pth)"."""
        return f"{self.name} ({self.weights})" if self.weights else self.name

    def obstacle(self) -> str:
        """Why it cannot be opened as it was ("best.pth is no longer in /home/ada"), or ""."""
        own = split_source(self.spec.source)
        for path in (own[0] if own else None, self.spec.weights, self.spec.class_names):
            if path is not None and not _is_there(Path(path)):
                return f"{Path(path).name} is no longer in {Path(path).parent}"
        return ""


class RecentModels:
    """The list, newest first, in a file of the user's settings; read anew each time, since two windows may be open."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or paths.config_dir() / FILE

    def entries(self) -> tuple[RecentModel, ...]:
        """Networks opened before, newest first; the demo is not among them."""
        return self._read()[0]

    def last(self) -> RecentModel | None:
        """The network of the last session; None if it was the demo."""
        entries, _, offered = self._read()
        return entries[0] if entries and offered else None

    def remember(self, info: ModelInfo, device: str = "auto") -> None:
        """Put the open network first, and keep what was edited of it. The demo is not remembered."""
        if info.spec.source == "demo":
            return
        weights = Path(info.spec.weights).name if info.spec.weights else info.weights
        entry = RecentModel(info.spec, info.name, weights, device, info.precision)
        entries, kept, _ = self._read()
        others = [other for other in entries if _key(other.spec) != _key(entry.spec)]
        kept = [spec for spec in kept if _key(spec) != _key(entry.spec)]
        if entry.spec.preprocess is not None or entry.spec.class_names is not None:
            kept.insert(0, entry.spec)
        self._write((entry, *others), kept, offered=True)

    def went_to_demo(self) -> None:
        """The user chose the demo: at the next start nothing is offered."""
        entries, kept, offered = self._read()
        if offered and entries:
            self._write(entries, kept, offered=False)

    def with_kept(self, spec: ModelSpec) -> ModelSpec:
        """`spec` with the preprocessing and class names that were edited of it before, unless it has its own."""
        kept = next((other for other in self._read()[1] if _key(other) == _key(spec)), None)
        if kept is None:
            return spec
        names = kept.class_names if kept.class_names and _is_there(Path(kept.class_names)) else None
        return dataclasses.replace(
            spec, preprocess=spec.preprocess or kept.preprocess, class_names=spec.class_names or names
        )

    def forget_kept(self, spec: ModelSpec) -> None:
        """Preprocessing and class names are as found again, from now on."""
        entries, kept, offered = self._read()
        entries = tuple(
            dataclasses.replace(entry, spec=as_found(entry.spec)) if _key(entry.spec) == _key(spec) else entry
            for entry in entries
        )
        self._write(entries, [other for other in kept if _key(other) != _key(spec)], offered=offered)

    def clear(self) -> None:
        """Forget the list; what was edited stays kept."""
        self._write((), self._read()[1], offered=False)

    def _read(self) -> tuple[tuple[RecentModel, ...], list[ModelSpec], bool]:
        data: Any = None
        with suppress(OSError, ValueError, RecursionError):
            data = json.loads(self._path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            return (), [], False
        found = [_entry(item) for item in _list(data.get("models"))]
        kept = [spec_from_json(item) for item in _list(data.get("kept"))]
        entries = tuple(entry for entry in found if entry is not None)
        return entries, [spec for spec in kept if spec is not None], data.get("offer") is True

    def _write(self, entries: tuple[RecentModel, ...], kept: list[ModelSpec], *, offered: bool) -> None:
        data = {
            "version": 1,
            "offer": offered,
            "models": [_to_json(entry) for entry in entries[:MOST]],
            "kept": [spec_to_json(spec) for spec in kept[:MOST_KEPT]],
        }
        with suppress(OSError):  # without settings the program works all the same
            atomic.write_bytes(self._path, json.dumps(data, indent=1).encode())


def as_found(spec: ModelSpec) -> ModelSpec:
    """`spec` with the preprocessing and the class names that come with the network."""
    return dataclasses.replace(spec, preprocess=None, class_names=None)


def _key(spec: ModelSpec) -> Key:
    return spec.source, spec.weights, spec.pretrained


def _to_json(entry: RecentModel) -> dict[str, Any]:
    fields = {"name": entry.name, "weights": entry.weights, "device": entry.device, "precision": entry.precision}
    return fields | {"spec": spec_to_json(entry.spec)}


def _entry(data: object) -> RecentModel | None:
    if not isinstance(data, dict):
        return None
    spec = spec_from_json(data.get("spec"))
    texts = [data.get(name, default) for name, default in _TEXTS]
    if spec is None or not all(isinstance(text, str) for text in texts):
        return None
    return RecentModel(spec, *texts)


_TEXTS = (("name", ""), ("weights", ""), ("device", "auto"), ("precision", "float32"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
