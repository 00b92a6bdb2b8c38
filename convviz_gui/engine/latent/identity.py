"""Which network it is: whether rows that were computed in another process are those that it would give now."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import PIL
import torch
from torch import Tensor, nn

import convviz_gui
from convviz_gui.engine.latent.structure import NotToldError, structure
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.network.layers import noise
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.opening.trust import is_own_code
from convviz_gui.engine.session import Session

VERSION = 1
"""Goes up with every change of what rows are made of: averaging, decoding, resizing."""

_STEP_BYTES = 32 * 2**20

CHANCE = "the network answers the same picture differently each time"
CHANGES = "the network changes while it computes"
UNTOLD = "it cannot be told for sure which network this is"

_told: WeakKeyDictionary[nn.Module, tuple[object, str, str]] = WeakKeyDictionary()


def identity_of(session: Session) -> Steps[tuple[str, str]]:
    """A digest of the open network: its weights as they are in memory, its structure and its code; and "".

    Or "" and why nothing may be kept of it, in a sentence's words: it is a variant of the open one, or was not opened
    from files; its code cannot be told; it answers by chance, or changes itself. Preprocessing, device and precision
    are no part of it. Reads all weights once in the network's life; yields in between.
    """
    model = session.model
    known = _told.get(model)
    if known is not None and known[0] == state_of(model):
        return known[1:]
    opened = session.opened
    if opened is None or not opened.digest or opened.code is None:
        return "", UNTOLD
    try:
        told, why = (yield from _digest(session, opened.code)), ""
        if why := _unsteady(session):
            told = ""
    except NotToldError:
        told, why = "", UNTOLD
    _told[model] = (state_of(model), told, why)
    return told, why


def _digest(session: Session, code: str) -> Steps[str]:
    digest = hashlib.blake2b(digest_size=16)

    def add(*words: object) -> None:
        digest.update("\0".join(map(str, words)).encode("utf-8", "surrogateescape") + b"\n")

    model, source = session.model, session.info.spec.source
    # A file's path says nothing of what is in it, and what is in it is in `code`.
    add(VERSION, convviz_gui.__version__, torch.__version__, np.__version__, PIL.__version__)
    add(source.rpartition(":")[2] if is_own_code(source) else source, code)
    for line in structure(model):
        add(line)
    done = 0
    for name, tensor in _tensors(model):
        add(name, tensor.dtype, tuple(tensor.shape))
        values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        for start in range(0, len(values), _STEP_BYTES):
            digest.update(values[start : start + _STEP_BYTES].data)
            done += len(values[start : start + _STEP_BYTES])
            if done >= _STEP_BYTES:
                done = 0
                yield Update(0, 1, "recognising the network")
    return digest.hexdigest()


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, those that a state dict leaves out included. Raises `NotToldError` for odd ones."""
    for path, module in model.named_modules():
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is None:
                continue
            if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
                raise NotToldError
            yield f"{path}.{name}", tensor


def _unsteady(session: Session) -> str:
    """Why two passes of one input are not the same, or might not be another time; "" if they are."""
    size = (session.info.preprocess.channels, *session.info.preprocess.size)
    x = session.to_device(noise(size, session.device))
    before, watch = list(structure(session.model)), Watch(session.model)
    with watch.watching(), torch.no_grad(), session.computing():
        first, second = (logits_of(forward(session.model, x)).clone() for _ in range(2))
    if list(structure(session.model)) != before:
        return CHANGES
    return watch.why or ("" if torch.equal(first, second) else CHANCE)


class Watch:
    """Tells whether a network draws random numbers or changes itself while it computes; `why` says so, or is ""."""

    def __init__(self, model: nn.Module) -> None:
        self.why = ""
        self._model = model

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, the network computes; afterwards `why` is about this time."""
        drawn, state = _generators(), state_of(self._model)
        yield
        self.why = CHANCE if _generators() != drawn else CHANGES if state_of(self._model) != state else ""


def _generators() -> object:
    kind, keys, *rest = np.random.get_state(legacy=True)
    drawn: list[Any] = [torch.get_rng_state().numpy().tobytes(), random.getstate(), kind, np.asarray(keys).tobytes()]
    if torch.cuda.is_available():
        drawn += [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    return drawn + rest


def state_of(model: nn.Module) -> object:
    """What changes with every change of a tensor of the network, in place or not. Some 100 µs."""
    return [
        (id(tensor), _version(tensor))
        for module in model.modules()
        for tensors in (module._parameters, module._buffers)
        if tensors
        for tensor in tensors.values()
        if tensor is not None
    ]


def _version(tensor: Tensor) -> int:
    try:
        return int(tensor._version)
    except RuntimeError:  # tensors of the inference mode have none
        return 0
