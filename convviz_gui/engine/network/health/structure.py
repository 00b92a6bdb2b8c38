"""What the health report says of layers: what works in place, by function, more than once, or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import nn

from convviz_gui.engine.network.functional import Heard
from convviz_gui.engine.network.health.evidence import Check, Evidence, count, named
from convviz_gui.engine.types import Finding, Level, ModelInfo

_TRAINING_ONLY = ("aux", "auxlogits", "aux1", "aux2", "aux_head", "aux_classifier", "auxiliary", "auxiliary_head")
"""Names that heads have which only training uses."""


def _in_place(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    ran = {call.module for call in evidence.trace.calls}
    modules = sum(getattr(module, "inplace", False) is True for module in ran if not isinstance(module, _dropouts()))
    functions = evidence.heard.in_place
    if modules + functions:
        parts = [count(modules, "layer")] * bool(modules) + [count(functions, "function")] * bool(functions)
        title = f"{count(modules + functions, 'activation works', 'activations work')} in place"
        detail = f"{' and '.join(parts)}: values are taken before they are overwritten".capitalize()
        yield Finding("in-place", Level.HANDLED, title, detail)


def _functional(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    heard = evidence.heard.activations
    if heard:
        kinds = ", ".join(f"{name} ×{number}" if number > 1 else name for name, number in heard.most_common())
        total = sum(heard.values())
        what = "activation is a function, not a layer" if total == 1 else "activations are functions, not layers"
        title = f"{total:,} {what}: {kinds}"
        they, them = ("It is", "it") if total == 1 else ("They are", "them")
        detail = f"{they} not in the layer tree: the layer before shows values before {them}, the next one after"
        yield Finding("functional", Level.HANDLED, title, detail)


def _reused(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    calls = Counter(call.path for call in evidence.trace.calls)
    reused = {path: number for path, number in calls.items() if number > 1}
    if reused:
        path, most = max(reused.items(), key=lambda item: item[1])
        title = f"{count(len(reused), 'layer is', 'layers are')} called more than once"
        last = path + f"#{most}"
        detail = f"Each call is a layer of its own, as {path + '#1'!r} {'and' if most == 2 else 'to'} {last!r}"
        yield Finding("reused", Level.HANDLED, title, detail)


def _unused(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    ran = {call.path for call in evidence.trace.calls}
    unused = list(_idle(evidence.module, ran, evidence.heard))
    training = [path for path in unused if path.rpartition(".")[2].lower() in _TRAINING_ONLY]
    others = [path for path in unused if path not in training]
    if training:
        title = f"{count(len(training), 'head')} for training alone: {named(training)}"
        yield Finding("training-only", Level.FACT, title, "An evaluated network does not run them")
    if others:
        title = f"{count(len(others), 'layer')} with weights never ran: {named(others)}"
        yield Finding("never-ran", Level.FACT, title, "Nothing can be shown of them, and nothing depends on them")


def _idle(module: nn.Module, ran: set[str], heard: Heard, path: str = "") -> Iterator[str]:
    """Outermost modules with weights of which no part was called and no weight went into any function."""
    below = {f"{path}.{name}" if path else name: child for name, child in module.named_children()}
    for place, child in below.items():
        parameters = list(child.parameters())
        if place in ran or not parameters or any(id(parameter) in heard.used for parameter in parameters):
            yield from _idle(child, ran, heard, place)
        else:
            yield place


def _chance(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    chance = evidence.heard.chance
    if chance:
        kinds = ", ".join(f"{name} ×{number}" if number > 1 else name for name, number in chance.most_common())
        title = f"The network draws random numbers even when it is evaluated: {kinds}"
        detail = "Its answers differ from run to run; functional dropout stops that with training=self.training"
        yield Finding("chance", Level.WARNING, title, detail)
    training = [path for path, module in evidence.module.named_modules() if module.training]
    if training:
        title = f"{count(len(training), 'layer stays', 'layers stay')} in training mode: {named(training)}"
        detail = "Their eval() leaves them there: batch norms and dropout in them work as in training"
        yield Finding("chance", Level.WARNING, title, detail)


def _dropout(_info: ModelInfo, evidence: Evidence) -> Iterator[Finding]:
    ran = {call.module for call in evidence.trace.calls}
    drops = [module for module in ran if not module.training and _probability(module) > 0]
    plain = sum(isinstance(module, _dropouts()) for module in drops)
    parts = [count(plain, "dropout")] * bool(plain)
    if deep := len(drops) - plain:
        parts.append(f"stochastic depth in {count(deep, 'block')}")
    if parts:
        title = " and ".join(parts)
        detail = "Switched off, as always outside training: answers do not vary"
        yield Finding("dropout", Level.FACT, title[:1].upper() + title[1:], detail)


def _dropouts() -> tuple[type[nn.Module], ...]:
    return (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def _probability(module: nn.Module) -> float:
    """With which probability a module drops something, 0 for all other modules."""
    if isinstance(module, _dropouts()):
        return float(module.p)  # type: ignore[arg-type]
    if type(module).__name__ in ("DropPath", "StochasticDepth"):
        return float(getattr(module, "drop_prob", None) or getattr(module, "p", None) or 0.0)
    return 0.0


def _layout(info: ModelInfo, _evidence: Evidence) -> Iterator[Finding]:
    turned = sum(node.channels_last for node in info.layers())
    if turned:
        title = f"{count(turned, 'layer has', 'layers have')} the channels last, [h, w, C]"
        yield Finding("layout", Level.HANDLED, title, "Their maps are turned before they are shown")
    grids = [node.grid for node in info.layers() if node.grid is not None]
    if grids:
        title = f"{count(len(grids), 'layer gives', 'layers give')} tokens, [N, C]"
        last = grids[-1]
        detail = f"They are shown as maps, {last.height}×{last.width} in the last of these layers"
        if last.before:
            before = "token" if last.before == 1 else f"{last.before} tokens"
            detail += f", without the {before} before the picture's places"
        yield Finding("tokens", Level.HANDLED, title, detail)


CHECKS: tuple[Check, ...] = (_chance, _in_place, _functional, _reused, _unused, _layout, _dropout)
