"""The bundled index of architectures: which of them have tensors of these names and shapes, without building any.

Architectures whose tensors have the same names and shapes, such as torchvision's and timm's resnet18, are one group.
What then tells them apart are the paths of their modules, parameterless ones included, as torch.save keeps them.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convviz_gui.paths import resource

INDEX = "signatures.npz"
"""Name of the index among the resources; `tools/make_signatures.py` writes it."""

COUNTER = "num_batches_tracked"
"""Batch normalisation's counter: evaluation has no use for it, and older files lack it."""

Shapes = dict[str, tuple[int, ...]]
Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Group:
    """Architectures with the same tensors.

    Args:
        sources: as in `ModelSpec`.
        marks: for each of them the hashes of the module paths that not every member has.
        n_classes: their class count.
        score: the fraction 0…1 of all tensors, theirs and a file's, that both have.
        missing, unexpected: tensors that only the architectures have, and only the file.
    """

    sources: tuple[str, ...]
    marks: tuple[frozenset[int], ...]
    n_classes: int
    score: float = 0.0
    missing: int = 0
    unexpected: int = 0


@dataclass(frozen=True, slots=True)
class Index:
    """Every known architecture as hashes of its tensors.

    `vocabulary` u32 [V] holds the hash of every tensor that occurs; `members` i32 [M] indices into it, those of group i
    from `offsets[i]` to `offsets[i + 1]`.
    """

    vocabulary: Hashes
    members: NDArray[np.int32]
    offsets: NDArray[np.int64]
    groups: tuple[Group, ...]

    def closest(self, hashes: Hashes, n: int) -> tuple[Group, ...]:
        """The `n` groups that share the largest fraction of their tensors with a file's, best first; none without any.

        Args:
            hashes: u32 [N] of the file's tensors, as `hashed` gives them.
        """
        present = np.isin(self.vocabulary, hashes)
        shared = np.add.reduceat(present[self.members].astype(np.int64), self.offsets[:-1])
        sizes = np.diff(self.offsets)
        scores = 2 * shared / (sizes + len(hashes))
        return tuple(
            dataclasses.replace(
                self.groups[i],
                score=float(scores[i]),
                missing=int(sizes[i] - shared[i]),
                unexpected=int(len(hashes) - shared[i]),
            )
            for i in np.argsort(-scores, kind="stable")[:n]
            if shared[i] > 0
        )


def hashed(shapes: Shapes) -> Hashes:
    """One hash u32 for every tensor's name and shape, sorted; batch-norm counters left out."""
    words = (f"{name}:{','.join(map(str, shape))}" for name, shape in shapes.items() if not name.endswith(COUNTER))
    return np.array(sorted({zlib.crc32(word.encode()) for word in words}), np.uint32)


def marks_of(paths: Iterable[str]) -> frozenset[int]:
    """Hashes of module paths."""
    return frozenset(zlib.crc32(path.encode()) for path in paths)


@cache
def index() -> Index:
    """The bundled index. Raises `FileNotFoundError` where it is missing."""
    return read_index(resource(INDEX))


def read_index(path: Path) -> Index:
    """The index in a file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    sources = bytes(arrays["sources"]).decode().split("\n")
    marks = np.split(arrays["marks"], np.cumsum(arrays["mark_counts"])[:-1])
    ends = np.cumsum(arrays["group_sizes"])
    groups = tuple(
        Group(
            tuple(sources[end - size : end]),
            tuple(frozenset(part.tolist()) for part in marks[end - size : end]),
            n_classes,
        )
        for size, end, n_classes in zip(
            arrays["group_sizes"].tolist(), ends.tolist(), arrays["n_classes"].tolist(), strict=True
        )
    )
    offsets = np.concatenate(([0], np.cumsum(arrays["counts"], dtype=np.int64)))
    # Neighbouring tensors of a network are neighbours in the vocabulary: their differences pack well.
    members = np.cumsum(arrays["steps"], dtype=np.int32)
    return Index(arrays["vocabulary"], members, offsets, groups)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the index keeps of a network: hashes of its tensors, marks of its modules, its class count."""

    hashes: Hashes
    marks: frozenset[int]
    n_classes: int


def write_index(path: Path, networks: dict[str, Signature]) -> None:
    """Write an index of networks by source, preferred sources first."""
    groups: dict[bytes, list[str]] = {}
    for source, network in networks.items():
        groups.setdefault(network.hashes.tobytes(), []).append(source)
    vocabulary: dict[int, int] = {}
    members: list[int] = []
    marks: list[list[int]] = []
    for sources in groups.values():
        own = [vocabulary.setdefault(value, len(vocabulary)) for value in networks[sources[0]].hashes.tolist()]
        members += sorted(own)
        common = frozenset.intersection(*(networks[source].marks for source in sources))
        marks += [sorted(networks[source].marks - common) for source in sources]
    np.savez_compressed(
        path,
        vocabulary=np.array(list(vocabulary), np.uint32),
        steps=np.diff(np.array(members, np.int32), prepend=np.int32(0)),
        counts=np.array([len(networks[sources[0]].hashes) for sources in groups.values()], np.int32),
        group_sizes=np.array([len(sources) for sources in groups.values()], np.int32),
        n_classes=np.array([networks[sources[0]].n_classes for sources in groups.values()], np.int32),
        sources=np.frombuffer("\n".join(name for names in groups.values() for name in names).encode(), np.uint8),
        marks=np.array([mark for part in marks for mark in part], np.uint32),
        mark_counts=np.array([len(part) for part in marks], np.int32),
    )
