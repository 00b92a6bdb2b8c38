"""A state dict held against a network: what fits, what is missing, and the counts that the shapes tell."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convviz_gui.engine.opening.heads import Head, with_own_head
from convviz_gui.engine.opening.prefixes import Aligned, align
from convviz_gui.engine.opening.signatures import COUNTER
from convviz_gui.engine.types import Candidate
from convviz_gui.engine.zoo.architecture import Architecture, State

SEED = 0
"""Random weights are drawn with this seed, so that they are the same every time."""

Mismatch = tuple[str, tuple[int, ...], tuple[int, ...]]
"""A tensor's name, its shape in the network and its shape in the file."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a file's tensors fit a network with the file's class count and input channels.

    Args:
        module: the network, without memory for its weights unless it cannot be built without.
        wanted: its tensors by name, perhaps without values.
        state: the file's tensors by the network's names.
        n_classes, channels: as in the file, None where they are as published.
        stem: the first convolution, where it has to be made anew for `channels`.
        prefix, wrappers, ignored: as in `Aligned`.
        head: the classifier's names where it was wrapped when it was trained anew.
    """

    architecture: Architecture
    module: nn.Module
    wanted: State
    state: State
    n_classes: int | None
    channels: int | None
    stem: str | None
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[Mismatch, ...]
    prefix: str = ""
    wrappers: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    head: Head | None = None

    @property
    def ready(self) -> bool:
        """True if `module` has memory for its weights."""
        return not any(tensor.is_meta for tensor in self.wanted.values())

    @property
    def counted(self) -> list[str]:
        """The network's tensors, batch-norm counters left out."""
        return [name for name in self.wanted if not name.endswith(COUNTER)]

    @property
    def matching(self) -> list[str]:
        """Names of the tensors that fit by name and shape."""
        differing = {name for name, _, _ in self.mismatched}
        return [name for name in self.wanted if name in self.state and name not in differing]

    def candidate(self) -> Candidate:
        """The comparison as a value."""
        found = [name for name in self.state if not name.endswith(COUNTER)]
        total = len(self.counted) + len(found)
        shared = len(set(self.matching).intersection(found))
        return Candidate(
            model=self.architecture.source,
            score=2 * shared / total if total else 0.0,
            missing=self.missing,
            unexpected=self.unexpected,
            mismatched=self.mismatched,
        )


def compare(architecture: Architecture, state: State) -> Comparison:
    """Hold a file's tensors against a network."""
    module = outline(architecture)
    wanted = module.state_dict()
    aligned = align(state, {name: tuple(tensor.shape) for name, tensor in wanted.items()})
    named, head = with_own_head(architecture.adapt(aligned.state), wanted, architecture.n_classes)
    n_classes, channels, stem = _counts(architecture, wanted, named)
    if n_classes is not None or channels is not None:
        module = outline(architecture, n_classes, channels, stem)
        before, wanted = wanted, module.state_dict()
        if {name: tensor.shape for name, tensor in wanted.items()} == {n: t.shape for n, t in before.items()}:
            n_classes = channels = stem = None  # it cannot be made for another number
    compared = _compared(architecture, module, wanted, named, aligned, (n_classes, channels, stem))
    return dataclasses.replace(compared, head=head)


def _compared(
    architecture: Architecture,
    module: nn.Module,
    wanted: State,
    state: State,
    aligned: Aligned,
    counts: tuple[int | None, int | None, str | None],
) -> Comparison:
    return Comparison(
        architecture,
        module,
        wanted,
        state,
        *counts,
        missing=tuple(name for name in wanted if name not in state and not name.endswith(COUNTER)),
        unexpected=tuple(name for name in state if name not in wanted),
        mismatched=tuple(
            (name, tuple(wanted[name].shape), tuple(state[name].shape))
            for name in wanted
            if name in state and wanted[name].shape != state[name].shape
        ),
        prefix=aligned.prefix,
        wrappers=aligned.wrappers,
        ignored=aligned.ignored,
    )


# ----------------------------------------------------------------------------------------------- building


def outline(
    architecture: Architecture, n_classes: int | None = None, channels: int | None = None, stem: str | None = None
) -> nn.Module:
    """The network without memory for its weights, for its names and shapes; with it where it cannot do without.

    Raises: what the network's own code raises, where it is the user's.
    """
    if not is_librarys(architecture):
        # The user's code may do anything while it builds; it is asked once, for the network itself.
        return reseeded(architecture, n_classes, channels, stem)
    # Some networks compute with values while they are built: first without any, then without those of weights.
    for without in (torch.device("meta"), _Unfilled()):
        try:
            with without:
                return built(architecture, n_classes, channels, stem)
        except (RuntimeError, TypeError):
            continue
    return reseeded(architecture, n_classes, channels, stem)


class _Unfilled(TorchFunctionMode):
    """While it is entered, layers' tensors take no memory; what is computed from numbers is computed."""

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        if func in (torch.empty, torch.zeros, torch.ones) and options.get("device") is None:
            options["device"] = "meta"
        return func(*args, **options)


def is_librarys(architecture: Architecture) -> bool:
    """True for networks whose code is a library's or our own, not the user's."""
    return architecture.source == "demo" or architecture.source.startswith(("torchvision:", "timm:"))


def reseeded(
    architecture: Architecture, n_classes: int | None = None, channels: int | None = None, stem: str | None = None
) -> nn.Module:
    """The network with random weights that are the same every time; the generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return built(architecture, n_classes, channels, stem)


def built(architecture: Architecture, n_classes: int | None, channels: int | None, stem: str | None) -> nn.Module:
    """The network for a number of classes and of input channels; `stem` is the convolution to make anew for these."""
    if stem is None:
        return architecture.build(n_classes, channels)
    module = architecture.build(n_classes, None)
    assert channels is not None
    path, _, name = stem.rpartition(".")
    old = module.get_submodule(stem)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        old.dilation,  # type: ignore[arg-type]
        bias=old.bias is not None,
        padding_mode=old.padding_mode,
    )
    setattr(module.get_submodule(path), name, new)
    if getattr(module, "transform_input", False):
        module.transform_input = False  # type: ignore[assignment]  # it mixes three colours
    return module


# ------------------------------------------------------------------------------------------------- counts


def _counts(architecture: Architecture, wanted: State, state: State) -> tuple[int | None, int | None, str | None]:
    reshaped = {name for name in wanted.keys() & state.keys() if wanted[name].shape != state[name].shape}
    n_classes = _class_count(reshaped, wanted, state, architecture.n_classes)
    if not architecture.n_classes:  # published without a head
        heads = {state[name].shape[0] for name in state.keys() - wanted.keys() if state[name].ndim}
        n_classes = heads.pop() if len(heads) == 1 else None
    stems, channels = _channel_count(reshaped, wanted, state)
    if channels is None or architecture.takes_channels:
        return n_classes, channels, None
    # torchvision's networks are built for three channels only; their users replace the first convolution.
    if architecture.source.startswith("torchvision:") and len(stems) == 1:
        return n_classes, channels, stems[0].removesuffix(".weight")
    return n_classes, None, None


def _class_count(reshaped: set[str], wanted: State, state: State, published: int) -> int | None:
    """The class count that explains the tensors whose first axis alone differs and is the published count, or None."""
    pairs = {
        (wanted[name].shape[0], state[name].shape[0])
        for name in reshaped
        if _differs_in(wanted[name], state[name]) == [0]
    }
    found = {after for before, after in pairs if before == published}
    return found.pop() if len(found) == 1 else None


def _channel_count(reshaped: set[str], wanted: State, state: State) -> tuple[list[str], int | None]:
    """The convolutions whose second axis alone differs and is three, and the number of input channels in the file."""
    stems = sorted(
        name
        for name in reshaped
        if wanted[name].ndim == 4 and wanted[name].shape[1] == 3 and _differs_in(wanted[name], state[name]) == [1]
    )
    found = {state[name].shape[1] for name in stems}
    return stems, found.pop() if len(found) == 1 else None


def _differs_in(one: Tensor, other: Tensor) -> list[int]:
    if one.ndim != other.ndim:
        return []
    return [axis for axis in range(one.ndim) if one.shape[axis] != other.shape[axis]]
