"""What a directory of features says of itself: `manifest.json`, written last (docs/adr/0012)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.desk.fingerprint import VERSION as VERSION_OF_PRINTS
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import printable
from convviz_gui.engine.payloads import Skipped
from convviz_gui.engine.types import Preprocess

MANIFEST = "manifest.json"
UNFINISHED = "unfinished.json"
"""Stands in for the manifest while parts are missing."""
FORMAT = "convviz-embedded"
VERSION = 1
STORES = ("float16", "float32")
_LARGEST = 64 * 2**20
_WIDEST = 2**24
"""Features or classes, more than any network has."""


@dataclass(frozen=True, slots=True)
class Description:
    """What features depend on. `dimension` is D, `n_classes` K; `class_names` has K entries or none.

    `model` and `weights` are words, `source` is as in `ModelSpec`, `digest` is of the weights. `store` is the type that
    features and logits are kept in, "float16" or "float32"; `precision` what they were computed in. `fingerprint` is
    the version of the pictures' fingerprints.
    """

    model: str
    source: str
    weights: str
    trained: bool
    digest: str
    layer: str
    preprocess: Preprocess
    precision: str
    store: str
    dimension: int
    n_classes: int
    class_names: tuple[str, ...] = field(default=(), repr=False)
    thumbnails: bool = False
    fingerprint: int = VERSION_OF_PRINTS

    @property
    def key(self) -> str:
        """The same for features that may stand in one directory; names do not count."""
        facts = {name: value for name, value in dataclasses.asdict(self).items() if name not in _WORDS}
        facts["preprocess"].pop("source")
        return hashlib.sha256(json.dumps([VERSION, facts], sort_keys=True).encode()).hexdigest()


_WORDS = frozenset({"model", "source", "weights", "trained", "class_names"})


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows. `sha256` is of its `size` bytes."""

    file: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a directory. `parts` is empty while it is unfinished; `n_parts` is how many there will be.

    `map` is the file with the principal components of large ones, or None.
    """

    description: Description
    sources: tuple[str, ...]
    rows_per_part: int
    n_parts: int
    command: str = ""
    parts: tuple[Part, ...] = field(default=(), repr=False)
    skipped: tuple[Skipped, ...] = field(default=(), repr=False)
    map: Part | None = None

    @property
    def rows(self) -> int:
        """Pictures in all parts."""
        return sum(part.rows for part in self.parts)


def is_embedded(folder: str | Path) -> bool:
    """True for a directory that says it holds features, finished or not; opens one small file."""
    root = Path(folder)
    return any((root / name).is_file() and _format_of(root / name) for name in (MANIFEST, UNFINISHED))


def _format_of(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return f'"format": "{FORMAT}"'.encode() in file.read(200)
    except OSError:
        return False


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest atomically."""
    facts = {"format": FORMAT, "version": VERSION, "rows": manifest.rows, **dataclasses.asdict(manifest)}
    write_bytes(path, json.dumps(facts, indent=1, ensure_ascii=False).encode())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises `EngineError` for one that is damaged, foreign or of a newer version."""
    folder = path.parent
    try:
        if path.stat().st_size > _LARGEST:
            raise _damaged(path, "it is too large")
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise EngineError(f"{folder} was not written by convviz embed", "Choose a directory that was")
    if facts.get("version") != VERSION:
        raise EngineError(
            f"{folder} was written by another version of ConvViz (format {facts.get('version')!r}, here {VERSION})",
            "Update ConvViz, or write the directory anew with convviz embed",
        )
    try:
        return _manifest(facts)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None


def _manifest(facts: dict[str, Any]) -> Manifest:
    described = dict(facts["description"])
    described["preprocess"] = _preprocess(described["preprocess"])
    described["class_names"] = tuple(map(str, described["class_names"]))
    description = Description(**described)
    _check(description)
    parts = tuple(_part(part) for part in facts["parts"])
    if len({part.file for part in parts}) < len(parts):
        raise ValueError("a part stands in it twice")
    return Manifest(
        description,
        tuple(map(str, facts["sources"])),
        int(facts["rows_per_part"]),
        int(facts["n_parts"]),
        str(facts["command"]),
        parts,
        tuple(Skipped(printable(str(item["path"])), printable(str(item["reason"]))) for item in facts["skipped"]),
        _part(facts["map"]) if facts["map"] is not None else None,
    )


def _check(said: Description) -> None:
    """Raise `ValueError` for what no run has written: a manifest may come from anywhere."""
    words = (said.model, said.source, said.weights, said.digest, said.layer, said.precision, *said.class_names)
    if not all(isinstance(word, str) and printable(word) == word for word in words):
        raise ValueError("words that are none")
    numbers, (height, width) = (said.dimension, said.n_classes), said.preprocess.size
    if not all(isinstance(number, int) and number <= _WIDEST for number in (*numbers, height, width)):
        raise ValueError("impossible numbers")
    if said.store not in STORES or said.dimension < 1 or said.n_classes < 0 or min(height, width) < 1:
        raise ValueError("impossible numbers")
    if len(said.class_names) not in (0, said.n_classes):
        raise ValueError(f"{len(said.class_names)} names of {said.n_classes} classes")


def _part(facts: dict[str, Any]) -> Part:
    part = Part(**facts)
    # A manifest from elsewhere must not lead out of its directory.
    inside = Path(part.file).name == part.file and part.file not in ("", "..") and "\0" not in part.file
    if not inside or not isinstance(part.rows, int) or part.rows < 0 or not isinstance(part.size, int):
        raise ValueError(f"{part.file!r} cannot be a part")
    return part


def _preprocess(facts: dict[str, Any]) -> Preprocess:
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    return Preprocess(**known)


def _damaged(path: Path, why: str) -> EngineError:
    return EngineError(f"{path} cannot be read ({why[:200]})", "Copy the directory anew, or write it anew")
