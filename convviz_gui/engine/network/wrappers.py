"""What training puts around a network: taken off from outside, switched off inside; no part of it is replaced."""

from __future__ import annotations

from typing import Any

from torch import nn

from convviz_gui.engine.types import Finding, Level

_AROUND = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "FullyShardedDataParallel": "module",
    "AveragedModel": "module",
    "ModelEma": "ema",
    "ModelEmaV2": "module",
    "ModelEmaV3": "module",
    "OptimizedModule": "_orig_mod",
}
"""Classes of torch and timm that only pass their input on, and where they keep the network. By name: importing them all
would take seconds, and their subclasses pass it on too."""

_ITSELF = ""
_WORDS = {"OptimizedModule": "torch.compile"}


def unwrapped(module: Any) -> tuple[Any, tuple[Finding, ...]]:
    """The network inside all wrappers that are around it, and a finding for each."""
    found: list[Finding] = []
    seen: set[int] = set()
    while (wrapper := _wrapper(module)) is not None and id(module) not in seen:
        seen.add(id(module))
        name = _WORDS.get(wrapper, wrapper)
        detail = "What it does for training is not needed here; the network inside it is shown"
        found.append(Finding("wrappers", Level.HANDLED, f"The network was wrapped in {name}", detail))
        module = getattr(module, _AROUND[wrapper])
    return module, tuple(found)


def on_one_device(module: nn.Module) -> tuple[Finding, ...]:
    """Switch off what is wrapped around parts of a network, and say so; the parts and their names stay.

    A `DataParallel` inside would insist on its GPUs: it gets none, and so passes its input on.
    """
    inside = [(path, part, _wrapper(part)) for path, part in module.named_modules() if path]
    names: dict[str, list[str]] = {}
    for path, part, wrapper in inside:
        if wrapper == "DataParallel":
            part.device_ids = []
        if wrapper is not None:
            names.setdefault(_WORDS.get(wrapper, wrapper), []).append(path)
        elif getattr(part, "_compiled_call_impl", None) is not None:
            names.setdefault(_WORDS["OptimizedModule"], []).append(path)
    if getattr(module, "_compiled_call_impl", None) is not None:
        names.setdefault(_WORDS["OptimizedModule"], []).insert(0, _ITSELF)
    detail = "It runs without it, so that layers can be seen"
    return tuple(
        Finding("wrappers", Level.HANDLED, f"{_places(paths)} in {name}", detail) for name, paths in names.items()
    )


def _places(paths: list[str]) -> str:
    first = "The network itself" if paths[0] == _ITSELF else repr(paths[0])
    return f"{first} is wrapped" if len(paths) == 1 else f"{len(paths)} parts, such as {first}, are wrapped"


def _wrapper(module: Any) -> str | None:
    """The name of the wrapper that a module is, if it is one and holds a network."""
    for kind in type(module).__mro__:
        inside = _AROUND.get(kind.__name__)
        if inside is not None and kind.__module__.partition(".")[0] in ("torch", "timm"):
            return kind.__name__ if isinstance(getattr(module, inside, None), nn.Module) else None
    return None
