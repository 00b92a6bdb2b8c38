"""The bundled index of every network that can be opened: searched without torch, without a network, at once.

`python tools/make_model_index.py` writes it. What the installed libraries can really build is for `catalogue.find` to
say: they may be older or newer than the index.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convviz_gui.paths import resource

INDEX = "models.json"
"""Name of the index among the resources."""

DEMO = "demo"

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""What weights are called in a Hugging Face repository, unless something else is said."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A network that can be opened.

    Args:
        source: what opens it, as in `ModelSpec`.
        family: the group of networks it belongs to ("resnet").
        pretrained: whether its library publishes weights.
        input_size: the longer side of its input in pixels.
        params: number of parameters, with the head as published.
        licence: of the published weights, as the library names it; "" if it does not.
        download: bytes of the published weights; 0 if there are none, or none to download.
        estimated: whether `download` was counted from the network and not from the file.
        n_classes: of the network as published; 0 for a network without a classifier.
        repository: the Hugging Face repository of the weights, or "" if they are elsewhere.
        files: names of the file with the weights, the preferred one first.
    """

    source: str
    name: str
    library: str
    family: str
    pretrained: bool
    input_size: int
    params: int = 0
    licence: str = ""
    download: int = 0
    estimated: bool = False
    n_classes: int = 0
    repository: str = ""
    files: tuple[str, ...] = ()


@cache
def entries() -> tuple[ModelEntry, ...]:
    """Every network: the demo, torchvision's, timm's."""
    index = json.loads(resource(INDEX).read_text(encoding="utf-8"))
    families, licences = index["families"], index["licences"]
    return tuple(
        ModelEntry(
            source=f"{library}:{name}" if library != "ConvViz" else DEMO,
            name=name,
            library=library,
            family=families[family],
            pretrained=bool(place),
            input_size=size,
            params=params,
            licence=licences[licence],
            download=download,
            estimated=bool(estimated),
            n_classes=n_classes,
            repository=_repository(place),
            files=_files(place),
        )
        for library, rows in index["networks"].items()
        for name, family, size, params, n_classes, licence, download, estimated, place in rows
    )


def entry_of(source: str) -> ModelEntry | None:
    """The network that `source` names, or None if it is not in the index."""
    return _by_source().get(source)


def search(text: str = "") -> tuple[ModelEntry, ...]:
    """Networks with every word of `text` in name, family, library or licence, best matches first.

    "resnet-50" finds resnet50: only letters and digits count.
    """
    words = [plain for word in text.split() if (plain := _plain(word))]
    found = [
        (_rank(name, words), entry)
        for (name, texts), entry in zip(_texts(), entries(), strict=True)
        if all(word in texts for word in words)
    ]
    # The sort is stable: within a rank the order stays demo, torchvision, timm.
    return tuple(entry for _, entry in sorted(found, key=lambda one: one[0]))


def downloaded() -> frozenset[str]:
    """Sources whose published weights are on this machine already: in torch.hub's cache, Hugging Face's, or bundled."""
    checkpoints = _names_in(torch_hub() / "checkpoints")
    hub = hugging_face_cache()
    repositories = {name for name in _names_in(hub) if name.startswith("models--")}
    here = set()
    for entry in entries():
        if entry.repository:
            repository, _, revision = entry.repository.partition("@")
            folder = "models--" + repository.replace("/", "--")
            there = folder in repositories and _in_snapshot(hub / folder, revision or "main", entry.files)
        else:
            there = entry.source == DEMO or any(name in checkpoints for name in entry.files)
        if there:
            here.add(entry.source)
    return frozenset(here)


def torch_hub() -> Path:
    """Where torch.hub keeps its downloads, by the rules of `torch.hub.get_dir`."""
    cache_home = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return Path(os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache_home, "torch")))) / "hub"  # noqa: PTH111, PTH118


def hugging_face_cache() -> Path:
    """Where Hugging Face's hub keeps its downloads, by the rules of `huggingface_hub.constants`."""
    cache_home = os.getenv("XDG_CACHE_HOME", os.path.join(os.path.expanduser("~"), ".cache"))  # noqa: PTH111, PTH118
    home = _expanded(os.getenv("HF_HOME", os.path.join(cache_home, "huggingface")))  # noqa: PTH118
    older = os.getenv("HUGGINGFACE_HUB_CACHE", os.path.join(home, "hub"))  # noqa: PTH118
    return Path(_expanded(os.getenv("HF_HUB_CACHE", older)))


def _expanded(path: str) -> str:
    return os.path.expandvars(os.path.expanduser(path))  # noqa: PTH111


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - names, without 3,000 paths made of them
    except OSError:
        return frozenset()


def _in_snapshot(repository: Path, revision: str, files: Iterable[str]) -> bool:
    """Whether one of `files` is in the cached snapshot that `revision` stands for."""
    try:
        commit = (repository / "refs" / revision).read_text(encoding="utf-8")
    except (OSError, ValueError):
        commit = revision
    return any((repository / "snapshots" / commit / name).is_file() for name in files)


def _repository(place: str) -> str:
    return place.partition("#")[0] if "/" in place else ""


def _files(place: str) -> tuple[str, ...]:
    """The files of "owner/repository[@revision][#file]", or of the name of a file in torch.hub's cache."""
    if "/" in place:
        file = place.partition("#")[2]
        return (file,) if file else HUB_FILES
    return (place,) if place else ()


@cache
def _by_source() -> dict[str, ModelEntry]:
    return {entry.source: entry for entry in entries()}


@cache
def _texts() -> tuple[tuple[str, str], ...]:
    """Of every network its name, and all that a word may be in."""
    return tuple(
        (
            _plain(entry.name),
            "\n".join(map(_plain, (entry.source, entry.name, entry.family, entry.library, entry.licence))),
        )
        for entry in entries()
    )


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def _rank(name: str, words: list[str]) -> int:
    """How well words that all fit fit the name: they are it, begin it, are in it, or are elsewhere."""
    named = [word for word in words if word in name]
    if not named and words:
        return 3
    whole = "".join(named)
    if name == whole:
        return 0
    return 1 if name.startswith(whole) else 2
