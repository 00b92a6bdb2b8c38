"""The user's own code: a Python file with what builds the network, run only if the user trusts that very file."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.names import close_names, did_you_mean
from convviz_gui.engine.network.wrappers import unwrapped
from convviz_gui.engine.opening import guessing
from convviz_gui.engine.opening.factory_names import CHANNELS, CLASSES
from convviz_gui.engine.opening.trust import read_own_code, split_own_code
from convviz_gui.engine.opening.workshop import Workshop
from convviz_gui.engine.types import Finding, ModelSpec
from convviz_gui.engine.zoo.architecture import Architecture

_SUPPOSED = {**dict.fromkeys(CLASSES, 1000), **dict.fromkeys(CHANNELS, 3)}
"""What a factory is given that insists on a number, until its weights tell it."""

SEEDS = (0, 1)
"""Random weights differ between them, and are always those of the first."""


def architecture(spec: ModelSpec) -> Architecture:
    """The network that `spec.source`, "FILE.py:FACTORY", builds; its file is run if `spec.trusted` is its digest.

    The factory is a function or class that is called without arguments, or a network. If it takes a number of classes
    or of input channels by one of the usual names, weights may have another than it has by itself.

    Raises:
        EngineError: the file is not trusted or not there, has no such factory, fails, or builds no network.
    """
    path, factory = split_own_code(spec.source)
    code, digest = read_own_code(path)
    if spec.trusted != digest:
        raise _untrusted(path, digest, spec.trusted is not None)
    shop = Workshop(path)
    with shop.open():
        torch.manual_seed(SEEDS[0])
        names = shop.run(code)
    maker = _Maker(shop, _found(path, factory, names), f"{path.name}:{factory}", spec.weights is not None)
    first = maker.build(None, None, SEEDS[0])
    # Looking at it may fill lazy layers and caches: what is handed out is built anew.
    is_random = maker.is_random(first.state_dict())
    seen = guessing.look_at(first, names)
    return Architecture(
        source=spec.source,
        name=f"{path.stem}.{factory}",
        preprocess=seen.preprocess,
        class_names=seen.class_names,
        n_classes=seen.n_classes,
        build=maker.build,
        takes_channels=maker.takes(CHANNELS),
        findings=(*maker.findings, *seen.findings),
        made="" if is_random else f"as {path.name}:{factory} makes it",
        code=shop.code(),
    )


def _untrusted(path: Path, digest: str, before: bool) -> EngineError:
    changed = ", and it has changed since it was trusted" if before else ""
    return EngineError(
        f"{path} is Python code, which opening it runs{changed} (SHA-256 {digest})",
        "If you trust it, say so: tick “I trust this file”, or add --trust to the command",
    )


@dataclass(slots=True)
class _Maker:
    """Builds the network, as often as asked.

    `supposing`: numbers that the factory insists on are supposed, since its weights will tell them.
    """

    shop: Workshop
    factory: Any
    name: str
    supposing: bool
    findings: tuple[Finding, ...] = ()

    def build(self, n_classes: int | None, channels: int | None, seed: int | None = None) -> nn.Module:
        """A network with random weights, unless the user's code loads its own."""
        wanted = {**dict.fromkeys(CLASSES, n_classes), **dict.fromkeys(CHANNELS, channels)}
        words = self._words({name: value for name, value in wanted.items() if value is not None})
        # Code that computes while it builds cannot do without values.
        real = torch.device("cpu") if torch.get_default_device().type == "meta" else nullcontext()
        with self.shop.open(), real:
            if seed is not None:
                torch.manual_seed(seed)
            made = self.factory if isinstance(self.factory, nn.Module) else self.factory(**words)
        module, self.findings = unwrapped(made)
        if isinstance(module, torch.jit.ScriptModule):
            title = f"{self.name} gives a TorchScript program, whose layers cannot be looked into"
            raise EngineError(title, "Return the network from before it was scripted or traced")
        if not isinstance(module, nn.Module):
            title = f"{self.name} gives {_kind(made)}, not a network (torch.nn.Module)"
            raise EngineError(title, "Let it return the network")
        with self.shop.open():
            # One that contains itself has no end, and its own code may refuse to say what is in it.
            module.state_dict()
        return module

    def takes(self, names: Iterable[str]) -> bool:
        """Whether the factory has a parameter of one of these names."""
        return bool(self._parameters().keys() & set(names))

    def is_random(self, first: Mapping[str, Tensor]) -> bool:
        """Whether most of the weights are others when the network is built with another seed."""
        if isinstance(self.factory, nn.Module) or self.supposing:
            return False
        other = self.build(None, None, SEEDS[1]).state_dict()
        n_same = sum(value.numel() for name, value in first.items() if name in other and _equal(value, other[name]))
        return n_same < sum(value.numel() for value in first.values()) / 2

    def _words(self, known: Mapping[str, int]) -> dict[str, int]:
        parameters = self._parameters()
        words = {name: value for name, value in known.items() if name in parameters}
        required = [name for name, taken in parameters.items() if _is_required(taken) and name not in words]
        if self.supposing:
            words |= {name: _SUPPOSED[name] for name in required if name in _SUPPOSED}
        if missing := [name for name in required if name not in words]:
            title = f"{self.name} cannot be called without arguments: it needs {', '.join(missing)}"
            hint = "Add a function to the file that takes none and returns the network, and name it instead"
            raise EngineError(title, hint)
        return words

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        try:
            return {} if isinstance(self.factory, nn.Module) else inspect.signature(self.factory).parameters
        except (TypeError, ValueError):  # written in C
            return {}


def _found(path: Path, factory: str, names: Mapping[str, Any]) -> Any:
    found: Any = None
    if factory:
        first, *rest = factory.split(".")
        found = names.get(first)
        for name in rest:
            found = getattr(found, name, None)
    if callable(found):
        return found
    known = _makers(names)
    hint = "Name one of: " + ", ".join(f"{path.name}:{name}" for name in known) if known else "It has none"
    if not factory:
        raise EngineError(f"{path.name} alone does not say what builds the network", hint)
    if found is not None:
        raise EngineError(f"{factory} in {path.name} is {_kind(found)}, which builds no network", hint)
    close = [f"{path.name}:{name}" for name in close_names(factory, known)]
    raise EngineError(f"There is no {factory!r} in {path.name}", did_you_mean(close, hint))


def _makers(names: Mapping[str, Any]) -> list[str]:
    """What could be meant: networks, then functions and classes of networks that the file itself defines."""
    networks = [name for name, value in names.items() if isinstance(value, nn.Module)]
    own = [
        name
        for name, value in names.items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == names["__name__"]
        and (inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, nn.Module)))
    ]
    return [*networks, *own]


def _is_required(parameter: inspect.Parameter) -> bool:
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in several


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a dictionary"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)
