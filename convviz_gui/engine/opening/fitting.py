"""A state dict into a network: names matched, class count and input channels read from the shapes."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sized
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.opening.comparison import Comparison, compare, reseeded
from convviz_gui.engine.opening.prefixes import metadata_of
from convviz_gui.engine.types import Finding, Level
from convviz_gui.engine.zoo.architecture import Architecture, State

SHOWN = 3
"""Names said in a sentence; the others are counted."""

PARTIAL_HINT = "or load what fits and leave the rest random (command line: --partial)"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A network with its weights in it.

    `n_classes` and `channels` are None where they are as published. `left_out` counts the network's tensors that the
    file has no values for, of `total`; `unused` those of the file that the network has no use for; `findings` say what
    was made of the file.
    """

    module: nn.Module
    n_classes: int | None = None
    channels: int | None = None
    left_out: int = 0
    total: int = 0
    unused: int = 0
    findings: tuple[Finding, ...] = ()


def fit(architecture: Architecture, state: State, file: str, partial: bool = False) -> Fitted:
    """Build the network and load `state` into it, with the class count and input channels that `state` has.

    Args:
        file: how sentences call it.
        partial: load what fits and leave the rest random, always the same.

    Raises:
        EngineError: it belongs to another network, or nothing of it fits.
    """
    found = compare(architecture, state)
    unfit = _unfit(found.wanted, found.state)
    if not partial:
        _refuse(found, unfit, file)
    fitting = [name for name in found.matching if name not in unfit]
    if not fitting:
        title = f"Nothing of {file} fits {architecture.source}, so there is nothing to load in part"
        raise EngineError(title, "Choose the network that these weights were trained in")
    module = found.module if found.ready else reseeded(architecture, found.n_classes, found.channels, found.stem)
    _load(module, found, fitting, file)
    random = [name for name in found.counted if name not in set(fitting)]
    findings = [*_naming(found), *_precision(found.state, fitting)]
    if random or found.unexpected:
        findings.append(_left_out(found, random, unfit))
    left_out, unused = len(random), len(found.unexpected)
    return Fitted(module, found.n_classes, found.channels, left_out, len(found.counted), unused, tuple(findings))


def _load(module: nn.Module, found: Comparison, fitting: Iterable[str], file: str) -> None:
    wanted = module.state_dict()
    loaded = OrderedDict(wanted | {name: found.state[name] for name in fitting})
    loaded._metadata = metadata_of(found.state) or metadata_of(wanted)  # type: ignore[attr-defined]
    try:
        module.load_state_dict(loaded)
    except RuntimeError as error:
        if fault_of(error) is not None:
            raise
        why = str(error).strip().splitlines()[-1].strip()[:200].rstrip(".")
        title = f"The weights in {file} cannot be put into {found.architecture.source} ({why})"
        raise EngineError(
            title, "Convert them to float32 in the program that made them, and save its state dict"
        ) from None


def _refuse(found: Comparison, unfit: list[str], file: str) -> None:
    faults = []
    if found.missing:
        of = f"{len(found.missing)} of the network's {len(found.counted)} tensors {_are(found.missing)} missing"
        faults.append(f"{of}, such as {_listed(found.missing)}")
    if found.unexpected:
        of = f"{len(found.unexpected)} of the file's {len(found.state)} {_are(found.unexpected)} unknown to it"
        faults.append(f"{of}, such as {_listed(found.unexpected)}")
    if found.mismatched:
        shapes = "; ".join(
            f"{name!r} is {_shape(there)} instead of {_shape(expected)}"
            for name, expected, there in found.mismatched[:SHOWN]
        )
        have = "has" if len(found.mismatched) == 1 else "have"
        faults.append(f"{len(found.mismatched)} {have} another shape, such as {shapes}")
    if faults:
        title = f"The weights in {file} are not of {found.architecture.source}: " + "; ".join(faults)
        hint = "Choose the network that these weights were trained in"
        raise EngineError(title, f"{hint}, {PARTIAL_HINT}" if found.matching else hint)
    if unfit:
        title = f"The weights in {file} are not plain floating-point numbers, such as {unfit[0]!r}"
        hint = "Convert them to float32 in the program that made them, and save its state dict"
        raise EngineError(f"{title} ({_form(found.state[unfit[0]])})", hint)


def _are(things: Sized) -> str:
    return "is" if len(things) == 1 else "are"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(map(repr, names[:SHOWN])) + (" …" if len(names) > SHOWN else "")


def _unfit(wanted: State, state: State) -> list[str]:
    """Names of tensors that could be loaded only by changing or losing values, or not at all."""
    return [
        name
        for name in wanted
        if name in state
        and (
            state[name].layout != torch.strided
            or state[name].is_quantized
            or state[name].is_meta
            or (wanted[name].is_floating_point() and not state[name].is_floating_point())
            or (state[name].is_complex() and not wanted[name].is_complex())
        )
    ]


def _form(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "saved without its values"
    kind = str(tensor.dtype).removeprefix("torch.")
    return kind if tensor.layout == torch.strided else f"{kind}, {str(tensor.layout).removeprefix('torch.')}"


def _shape(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape)) or "a single number"


# ----------------------------------------------------------------------------------------------- findings


def _naming(found: Comparison) -> list[Finding]:
    """What stood around the names, and what the file holds besides the network."""
    made = []
    around = [repr(found.prefix)] if found.prefix else []
    if around := around + [repr(f"{word}.") for word in found.wrappers]:
        title = f"{' and '.join(around)} was taken out of the names in the file"
        made.append(Finding("weights", Level.HANDLED, title, "Wrappers and trainers put it there"))
    if found.head is not None:
        title = f"The file's classifier {found.head[0]!r} was taken for the network's {found.head[1]!r}"
        detail = (
            "Dropout beside it does nothing outside training; an activation there would, and leaves no trace in a file"
        )
        made.append(Finding("weights", Level.HANDLED, title, detail))
    if found.ignored:
        one = len(found.ignored) == 1
        what = "1 tensor in the file is" if one else f"{len(found.ignored)} tensors in the file are"
        title = f"{what} not the network's"
        made.append(Finding("weights", Level.HANDLED, title, f"Left aside: {_listed(found.ignored)}"))
    return made


def _precision(state: State, names: Iterable[str]) -> list[Finding]:
    """How many tensors are of another floating-point type than the float32 they are computed in."""
    types = Counter(state[name].dtype for name in names if state[name].is_floating_point())
    made = []
    for dtype, count in sorted(types.items(), key=str):
        if dtype == torch.float32:
            continue
        kind = str(dtype).removeprefix("torch.")
        title = f"{count} {'tensor is' if count == 1 else 'tensors are'} {kind} in the file; computed in float32"
        detail = "Rounded to float32" if dtype == torch.float64 else "float32 holds their values exactly"
        made.append(Finding("precision", Level.FACT, title, detail))
    return made


def _left_out(found: Comparison, random: list[str], unfit: list[str]) -> Finding:
    details = []
    if missing := [name for name in random if name in found.missing]:
        details.append(f"Not in the file: {_listed(missing)}")
    if found.mismatched:
        shapes = (
            f"{name!r} ({_shape(there)} in the file, {_shape(expected)} here)"
            for name, expected, there in found.mismatched[:SHOWN]
        )
        details.append(f"Of another shape: {', '.join(shapes)}{' …' if len(found.mismatched) > SHOWN else ''}")
    if unfit:
        details.append(f"No plain floating-point numbers: {_listed(unfit)}")
    if found.unexpected:
        details.append(f"In the file alone: {_listed(found.unexpected)}")
    if random:
        keep = f"as the code makes {'it' if len(random) == 1 else 'them'}" if found.architecture.made else "random"
        title = f"{len(random)} of the network's {len(found.counted)} tensors {_are(random)} {keep}"
    else:
        title = f"{len(found.unexpected)} of the file's {len(found.state)} tensors {_are(found.unexpected)} not used"
    return Finding("weights", Level.WARNING, f"Loaded in part: {title}", ". ".join(details))
