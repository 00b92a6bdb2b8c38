"""The latest results of a tab, so that going back to a layer or a photo shows it at once."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

import numpy as np

from convviz_gui.engine.types import ModelInfo, Result, Run

KEPT_BYTES = 128 * 2**20


class ResultCache:
    """Results by model and request, the oldest forgotten beyond `KEPT_BYTES` of arrays and photos.

    What another device computed stays valid: it differs by rounding alone. Lower precision stands only for itself,
    float32 for every precision.
    """

    def __init__(self) -> None:
        self._results: OrderedDict[object, Result] = OrderedDict()

    def put(self, result: Result) -> None:
        """Keep a result."""
        key = _key(result.model, result.run, result.precision)
        self._results.pop(key, None)
        self._results[key] = result
        total = sum(size_of(kept) for kept in self._results.values())
        while total > KEPT_BYTES and len(self._results) > 1:
            _, dropped = self._results.popitem(last=False)
            total -= size_of(dropped)

    def get(self, model: ModelInfo, run: Run) -> Result | None:
        """The result of exactly that request."""
        for precision in (model.precision, "float32"):
            key = _key(model, run, precision)
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        return None

    def similar(self, model: ModelInfo, run: Run) -> Result | None:
        """The latest result about the same subject, whatever its channels and settings."""
        wanted = subject(run)
        for result in reversed(self._results.values()):
            if result.model.digest == model.digest and subject(result.run) == wanted and precise(result, model):
                return result
        return None

    def keep_only(self, model: ModelInfo | None) -> None:
        """Forget the results of every other network."""
        for key, result in list(self._results.items()):
            if model is None or (result.model.spec, result.model.digest) != (model.spec, model.digest):
                del self._results[key]


def precise(result: Result, model: ModelInfo) -> bool:
    """True if the result is as exact as what the model computes in."""
    return result.precision in (model.precision, "float32")


def subject(run: Run) -> object:
    """What a run is about: method, photo or folder, layer, channel, unit and classes; not a choice of many channels."""
    image, target = run.image.digest if run.image is not None else None, run.target
    channel = target.channels if target.channels is not None and len(target.channels) == 1 else None
    dataset = run.folder, run.splits
    return run.method, image, dataset, target.layer, channel, target.unit, target.class_index, target.against


def size_of(result: Result) -> int:
    """Bytes of a result's arrays and of its photo."""
    return _bytes(result.payload) + (result.run.image.pixels.nbytes if result.run.image is not None else 0)


def _bytes(value: object) -> int:
    """Bytes of the arrays in a payload, those of its parts included."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if dataclasses.is_dataclass(value):
        return sum(_bytes(getattr(value, field.name)) for field in dataclasses.fields(value))
    return 0


def _key(model: ModelInfo, run: Run, precision: str) -> object:
    return model.name, model.digest, precision, subject(run), run.target.channels, run.settings, run.seed
