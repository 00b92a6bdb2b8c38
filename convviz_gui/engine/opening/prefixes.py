"""Names in a weights file and names in a network, brought together: what wrappers and trainers put around them."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from convviz_gui.engine.opening.signatures import Shapes
from convviz_gui.engine.zoo.architecture import State

WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"})
"""Names under which wrappers hold what they wrap: data parallelism, compilation, sharding, checkpointing."""

DEEPEST = 6
"""Parts that a prefix may have."""

COVERING = 0.3
"""Fraction of a file's tensors that must be under a prefix for it to be the network's."""

_AVERAGED = re.compile(r"(^|[._])(ema|teacher|averaged|swa)", re.IGNORECASE)

_ASIDE = re.compile(
    r"(criterion|criteria|loss\w*|\w*_loss|metrics?|\w*_metrics?|\w*_acc|\w*accuracy|n_averaged|ema|\w*_ema|teacher"
    r"|optimizer|scheduler|normalize|preprocess)(\.|$)|(.*\.)?total_(ops|params)$"
)
"""What trainers and profilers leave beside a network's tensors."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A state dict by the network's names.

    Args:
        state: with the names that are under the prefix.
        prefix: what stood before every name in the file, with its dot; "" for nothing.
        wrappers: the wrappers' names that were taken out, wherever they stood.
        ignored: names as in the file that are not the network's: beside the prefix, or what trainers leave behind.
    """

    state: State
    prefix: str
    wrappers: tuple[str, ...]
    ignored: tuple[str, ...]


def unwrapped(name: str) -> str:
    """A name without what wrappers put into it: `features.module.0.weight` is `features.0.weight`."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def is_aside(name: str) -> bool:
    """True for names of what trainers and profilers leave beside a network's tensors."""
    return bool(_ASIDE.match(name))


def prefixes_of(names: Collection[str]) -> list[str]:
    """Every prefix that enough of the names have, with its dot; "" first, shorter before longer."""
    counts = Counter(prefix for name in names for prefix in _prefixes(name))
    enough = [prefix for prefix, count in counts.items() if count >= COVERING * len(names)]
    return ["", *sorted(enough, key=lambda prefix: (prefix.count("."), prefix))]


def align(state: State, wanted: Shapes) -> Aligned:
    """The file's tensors by the names that a network uses, with the prefix under which most of them fit.

    Of prefixes under which equally many fit, averaged weights come first (as timm prefers them), then the shortest.
    """
    # A network may itself be wrapped, or call a part of itself by a wrapper's name.
    plain_wanted = _renaming(wanted)
    plain_state = _renaming(state)
    prefix, inner = _best(
        {plain: tuple(state[name].shape) for plain, name in plain_state.items()},
        {plain: wanted[name] for plain, name in plain_wanted.items()},
    )
    aligned: OrderedDict[str, Tensor] = OrderedDict()
    ignored = []
    for plain, name in plain_state.items():
        inside = inner + plain.removeprefix(prefix)
        if not plain.startswith(prefix) or (inside not in plain_wanted and is_aside(inside)):
            ignored.append(name)
        else:
            aligned[plain_wanted.get(inside, inside)] = state[name]
    _keep_metadata(state, aligned, prefix)
    taken_out = {part for plain, name in plain_state.items() if plain != name for part in name.split(".")}
    return Aligned(aligned, prefix, tuple(sorted(taken_out & WRAPPERS)), tuple(ignored))


def metadata_of(state: State) -> Mapping[str, object]:
    """What torch keeps beside a state dict: an entry for the path of every module; empty in other files."""
    metadata = getattr(state, "_metadata", None)
    return metadata if isinstance(metadata, dict) else {}


def module_paths(state: State, prefix: str) -> list[str]:
    """Paths of the modules under `prefix`, those without parameters included, unwrapped."""
    paths = {unwrapped(str(path)) + "." for path in metadata_of(state)}
    return sorted(path.removeprefix(prefix).rstrip(".") for path in paths if path.startswith(prefix))


def _keep_metadata(state: State, aligned: OrderedDict[str, Tensor], prefix: str) -> None:
    # Some networks look up in here which version of themselves the file is of.
    kept = {
        unwrapped(str(path)).removeprefix(prefix.rstrip(".")).lstrip("."): value
        for path, value in metadata_of(state).items()
        if isinstance(value, dict) and f"{unwrapped(str(path))}.".startswith(prefix)
    }
    if kept:
        aligned._metadata = kept  # type: ignore[attr-defined]


def _renaming(names: Iterable[str]) -> dict[str, str]:
    """Names by their unwrapped forms; by themselves if two would be the same."""
    names = list(names)
    renamed = {unwrapped(name): name for name in names}
    return renamed if len(renamed) == len(names) else {name: name for name in names}


def _prefixes(name: str) -> list[str]:
    """Every prefix of a tensor's name, with its dot, the shortest first."""
    parts = name.split(".")[:-1][:DEEPEST]
    return [".".join(parts[: i + 1]) + "." for i in range(len(parts))]


def _best(found: Shapes, wanted: Shapes) -> tuple[str, str]:
    """The prefix to take from the file's names and the one to put before them, under which most of them fit."""
    best, best_fit = ("", ""), 0
    for inner in prefixes_of(wanted):
        inside = {name.removeprefix(inner): shape for name, shape in wanted.items() if name.startswith(inner)}
        fits: Counter[str] = Counter()
        for name, shape in found.items():
            for prefix in ("", *_prefixes(name)):
                if (rest := name[len(prefix) :]) in inside:
                    fits[prefix] += 2 if inside[rest] == shape else 1
        if not fits:
            continue
        prefix = min(fits, key=lambda p: (-fits[p], not _AVERAGED.search(p), p.count("."), p))
        # A part of the network is named only where the whole would fit worse.
        if fits[prefix] > best_fit:
            best, best_fit = (prefix, inner), fits[prefix]
    return best
