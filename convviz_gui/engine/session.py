"""The session: the one mutable object of the engine. It owns the open model, its device and what was computed of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import torch
from torch import Tensor, nn

from convviz_gui.engine import devices, preprocess
from convviz_gui.engine.cache import ByteCache
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Method, Need, Steps, Update, find_method
from convviz_gui.engine.names import close_names, did_you_mean
from convviz_gui.engine.network.examine import examine, made_ready
from convviz_gui.engine.opening.class_names import read_class_names
from convviz_gui.engine.opening.models import OpenedModel, open_model
from convviz_gui.engine.opening.recognition import identify
from convviz_gui.engine.payloads import FloatArray, Maps
from convviz_gui.engine.types import (
    Amend,
    Command,
    Export,
    Exported,
    Identify,
    ImageInput,
    LayerNode,
    LoadModel,
    ModelInfo,
    ModelSpec,
    MoveModel,
    Outcome,
    Preprocess,
    Result,
    Run,
)

MAPS_CACHE_BYTES = 256 * 2**20


class Session:
    """Executes commands on one network. Not thread-safe: it belongs to the thread that uses it."""

    def __init__(self) -> None:
        # cuDNN's defaults round float32 to 10 bits and may add in another order at every run.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        self._model: nn.Module | None = None
        self._info: ModelInfo | None = None
        self._opened: OpenedModel | None = None
        self.device = torch.device("cpu")
        self.maps_cache: ByteCache[tuple[str, str], Maps] = ByteCache(MAPS_CACHE_BYTES)
        self._input: tuple[str, Tensor, FloatArray] | None = None

    # ------------------------------------------------------------------------------------------ what methods use

    @property
    def model(self) -> nn.Module:
        """The open network, in eval mode, no parameter requiring a gradient. Raises `EngineError` if none is open."""
        if self._model is None:
            raise EngineError("No network is open", "Open one first, for instance the demo")
        return self._model

    @property
    def info(self) -> ModelInfo:
        """What is known of the open network. Raises `EngineError` if none is open."""
        if self._info is None:
            raise EngineError("No network is open", "Open one first, for instance the demo")
        return self._info

    def input(self, image: ImageInput) -> tuple[Tensor, FloatArray]:
        """The preprocessed photo f32 [1, C, H, W] on the device, and the crop's box f32 [4] in the photo's pixels."""
        if self._input is None or self._input[0] != image.digest:
            values, box = preprocess.prepare(image.pixels, self.info.preprocess)
            self._input = (image.digest, self.to_device(torch.from_numpy(values.copy()).unsqueeze(0)), box)
        return self._input[1], self._input[2]

    def to_device(self, batch: Tensor) -> Tensor:
        """A batch [N, C, H, W] on the model's device in the layout that convolutions run fastest in."""
        return batch.to(self.device, memory_format=torch.channels_last)

    def layer(self, layer_id: str) -> LayerNode:
        """The layer of that id; raises `EngineError` naming close ones."""
        node = self.info.find(layer_id) or self.info.find(layer_id.removesuffix("#1"))
        if node is None and not layer_id.endswith("#1"):
            node = self.info.find(layer_id + "#1")
        if node is None:
            title = f"There is no layer {layer_id!r} in {self.info.name}"
            close = close_names(layer_id, self._ids())
            raise EngineError(title, did_you_mean(close, "List them with: convviz layers --model …"))
        return node

    def _ids(self) -> list[str]:
        return [node.id for node in self.info.layers() if node.id]

    # ----------------------------------------------------------------------------------------------- opening

    def adopt(
        self,
        module: nn.Module,
        preprocess: Preprocess,
        name: str = "model",
        class_names: Sequence[str] = (),
        device: str = "cpu",
    ) -> ModelInfo:
        """Open a network that is already in memory. It is put in eval mode and its parameters are frozen."""
        opened = OpenedModel(module, name, "weights in memory", True, "", preprocess, tuple(class_names))
        return self._open(opened, ModelSpec(name), devices.resolve(device), "float32")

    def execute(self, command: Command) -> Steps[Outcome]:
        """Carry out a command; the generator returns its outcome. Raises `EngineError` for what the user can mend."""
        match command:
            case LoadModel():
                # A device that is not there is said before a download, not after it.
                device = devices.resolve(command.device)
                opened = yield from open_model(command.spec)
                return self._open(opened, opened.spec or command.spec, device, command.precision)
            case Identify():
                return (yield from identify(Path(command.weights)))
            case Amend():
                yield Update(0, 1, "forward pass")
                return self._amend(command)
            case MoveModel():
                return self._move(command.device)
            case Run():
                return (yield from self._run(command))
            case Export():
                from convviz_gui.engine.export import write_result

                return Exported(command.folder, write_result(command.result, command.folder).files)
            case _:
                assert_never(command)

    def _open(self, opened: OpenedModel, spec: ModelSpec, device: torch.device, precision: str) -> ModelInfo:
        module = made_ready(opened.module, device)
        info = examine(module, opened, spec, device, precision)
        self._model, self._opened, self.device = module, opened, device
        return self._now(info)

    def _amend(self, command: Amend) -> ModelInfo:
        """The open network with another preprocessing or other class names."""
        info, opened = self.info, self._opened
        assert opened is not None
        spec = info.spec
        if command.preprocess is not None:
            spec = dataclasses.replace(spec, preprocess=command.preprocess)
            opened = dataclasses.replace(opened, preprocess=command.preprocess)
        if command.class_names is not None:
            spec = dataclasses.replace(spec, class_names=command.class_names)
            opened = dataclasses.replace(opened, class_names=read_class_names(command.class_names))
        amended = examine(self.model, opened, spec, self.device, info.precision)
        self._opened = opened
        return self._now(amended)

    def _move(self, device_name: str) -> ModelInfo:
        device = devices.resolve(device_name)
        try:
            self._model = self.model.to(device)
        except Exception:
            # Half of it may have moved before the memory was full.
            self.model.to(self.device)
            raise
        self.device = device
        return self._now(dataclasses.replace(self.info, device=str(device)))

    def _now(self, info: ModelInfo) -> ModelInfo:
        self._info = info
        self.maps_cache.clear()
        self._input = None
        return info

    # ----------------------------------------------------------------------------------------------- running

    def _run(self, request: Run) -> Steps[Result]:
        method = find_method(request.method)
        params = method.params.from_settings(request.settings)
        self._check(method, request)
        began = time.monotonic()
        payload = yield from method.run(self, request, params)
        return Result(
            run=request,
            payload=payload,
            settings=params.settings(),
            model=self.info,
            seconds=time.monotonic() - began,
            scores=method.scores(payload),
        )

    def _check(self, method: Method[Any], request: Run) -> None:
        if Need.IMAGE in method.needs and request.image is None:
            raise EngineError(f"{method.title} needs a picture", "Open one (command line: --image FILE)")
        if Need.FOLDER in method.needs and request.folder is None:
            raise EngineError(f"{method.title} needs a folder of pictures", "Open one (command line: --folder DIR)")
        target = request.target
        node = self.layer(target.layer) if target.layer is not None and "@" not in target.layer else None
        if target.class_index is not None and not 0 <= target.class_index < self.info.n_classes:
            raise EngineError(
                f"There is no class {target.class_index} in {self.info.name}",
                f"Classes go from 0 to {self.info.n_classes - 1}",
            )
        if target.channels is not None and node is not None and node.channels is not None:
            wrong = [channel for channel in target.channels if not 0 <= channel < node.channels]
            if wrong:
                raise EngineError(
                    f"Layer {node.id!r} has no channel {wrong[0]}", f"Its channels go from 0 to {node.channels - 1}"
                )


def read_only(tensor: Tensor) -> Any:
    """A tensor as a read-only host array of the same values: float32 for floats, int64 for integers, bool for bools."""
    tensor = tensor.detach()
    if tensor.is_floating_point():
        tensor = tensor.float()
    array = np.ascontiguousarray(tensor.cpu().contiguous().numpy())
    array.flags.writeable = False
    return array
