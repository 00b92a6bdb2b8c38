"""The session: the one mutable object of the engine. It owns the open model, its device and what was computed of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import torch
from torch import Tensor, nn

from convviz_gui.engine import devices, preprocess
from convviz_gui.engine.cache import ByteCache
from convviz_gui.engine.devices import CPU
from convviz_gui.engine.errors import EngineError, Problem, problem_from
from convviz_gui.engine.faults import FaultKind, fault_of, forget
from convviz_gui.engine.method import Steps, Update, find_method
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.network.readying import made_ready
from convviz_gui.engine.opening import guessing
from convviz_gui.engine.opening.amending import Wishes, wishes_of
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.opening.recognition import identify
from convviz_gui.engine.opening.resident import ResidentModel
from convviz_gui.engine.payloads import FloatArray, Maps
from convviz_gui.engine.precision import precision_scores
from convviz_gui.engine.run_checks import check_run, layer_named
from convviz_gui.engine.spectrum import Spectrum
from convviz_gui.engine.types import (
    Amend,
    Check,
    Command,
    Embed,
    Export,
    Exported,
    Finding,
    Identify,
    ImageInput,
    LayerNode,
    Level,
    LoadModel,
    Locate,
    ModelInfo,
    ModelSpec,
    MoveModel,
    Nearest,
    Outcome,
    Preprocess,
    Reproject,
    Result,
    Run,
)

MAPS_CACHE_BYTES = 256 * 2**20
SPECTRA_CACHE_BYTES = 64 * 2**20


class Session:
    """Executes commands on one network. Not thread-safe: it belongs to the thread that uses it."""

    def __init__(self) -> None:
        # cuDNN's defaults round float32 to 10 bits and may add in another order at every run. Its benchmark mode stays
        # off: it takes whichever algorithm was fastest a moment ago, and so rounds differently from run to run.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        self._network: ResidentModel | None = None
        self.maps_cache: ByteCache[tuple[str, str], Maps] = ByteCache(MAPS_CACHE_BYTES)
        self.spectra: ByteCache[Hashable, Spectrum] = ByteCache(SPECTRA_CACHE_BYTES)
        self._input: tuple[str, Tensor, FloatArray] | None = None

    @classmethod
    def beside(cls, other: Session, module: nn.Module) -> Session:
        """A session on a variant of another's network, such as a copy with other weights; `other` is left as it is.

        The variant is taken for the same network in everything else: layers, preprocessing, device.
        """
        made = cls()
        made._network = ResidentModel(module, other.info, other._open_network.place)
        return made

    # ------------------------------------------------------------------------------------------ what methods use

    @property
    def model(self) -> nn.Module:
        """The open network, in eval mode, no parameter requiring a gradient. Raises `EngineError` if none is open."""
        return self._open_network.module

    @property
    def info(self) -> ModelInfo:
        """What is known of the open network. Raises `EngineError` if none is open."""
        return self._open_network.info

    @property
    def _open_network(self) -> ResidentModel:
        if self._network is None:
            raise EngineError("No network is open", "Open one first, for instance the demo")
        return self._network

    @property
    def opened(self) -> OpenedModel | None:
        """How the network came in; None for a variant of another session's (`beside`)."""
        return self._network.opened if self._network is not None else None

    @property
    def device(self) -> torch.device:
        """Where the network computes. Another job may change it at any `yield`, if a device fails."""
        return (self._network.place if self._network is not None else CPU).torch

    @contextmanager
    def computing(self) -> Iterator[None]:
        """While inside, the network computes in the precision that the user chose; the weights stay float32.

        For forward passes whose numbers are shown, in methods with `lower_precision`; never for attributions, and
        never across a `yield`: another job may run there. Values beyond a precision's range become infinite.
        """
        dtype = devices.PRECISIONS[self.info.precision]
        # Without its cache, autocast keeps no copy of the weights.
        with torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None, cache_enabled=False):
            yield

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
        return layer_named(self.info, layer_id)

    # ----------------------------------------------------------------------------------------------- opening

    def adopt(
        self,
        module: nn.Module,
        preprocess: Preprocess | None = None,
        name: str = "model",
        class_names: Sequence[str] | None = None,
        device: str = "cpu",
    ) -> ModelInfo:
        """Open a network that is already in memory. Left out, preprocessing and names are found in it, or guessed.

        The network itself is taken, not a copy: it is put in eval mode, its parameters are frozen, half precision
        becomes float32, and it moves to the device. Its hooks stay, and no part of it is replaced. Of wrappers such as
        `DataParallel` the network inside is taken.
        """
        guessing.fill(module, preprocess)
        module, done = made_ready(module, CPU.torch)
        if preprocess is None:
            seen = guessing.look_at(module)
            preprocess, done = seen.preprocess, (*done, *seen.findings)
            class_names = seen.class_names if class_names is None else class_names
        opened = OpenedModel(
            module, name, "weights in memory", True, "", preprocess, tuple(class_names or ()), findings=done
        )
        return self._take(ResidentModel.settle(opened, ModelSpec(name), devices.resolve(device), "float32", Wishes()))

    def execute(self, command: Command) -> Steps[Outcome]:
        """Carry out a command; the generator returns its outcome. Raises `EngineError` for what the user can mend."""
        match command:
            case LoadModel():
                return (yield from self._load(command))
            case Identify():
                return (yield from identify(Path(command.weights)))
            case Amend():
                yield Update(0, 1, "forward pass")
                # If that fails, the network stays as it is.
                self._open_network.amend(command)
                return self._now()
            case MoveModel():
                return self._move(command)
            case Run():
                return (yield from self._run(command))
            case Check() | Reproject() | Locate() | Nearest() | Embed():
                return (yield from self._about_result(command))
            case Export():
                from convviz_gui.engine.export import write_result

                return Exported(command.folder, write_result(command.result, command.folder).files)
            case _:
                assert_never(command)

    def _about_result(self, command: Check | Reproject | Locate | Nearest | Embed) -> Steps[Outcome]:
        """What builds on a result or on a dataset; imported when it is asked for."""
        match command:
            case Check():
                from convviz_gui.engine.trust.check import check

                return (yield from check(self, command.result))
            case Reproject():
                from convviz_gui.engine.latent.reproject import reproject

                return (yield from reproject(self, command))
            case Locate():
                from convviz_gui.engine.latent.locate import locate

                return (yield from locate(self, command))
            case Nearest():
                from convviz_gui.engine.embedded.source import nearest_of

                return (yield from nearest_of(command))
            case Embed():
                from convviz_gui.engine.embedded.local_engine import embed_dataset

                return (yield from embed_dataset(self, command))
            case _:
                assert_never(command)

    def _load(self, command: LoadModel) -> Steps[ModelInfo]:
        # A device or a precision that is not there is said before a download, not after it.
        device = devices.resolve(command.device)
        devices.checked_precision(command.precision, device)
        wishes = wishes_of(command.spec, command.change)
        opened = yield from open_model(command.spec)
        module, done = made_ready(opened.module, CPU.torch)
        opened = dataclasses.replace(opened, module=module, findings=(*opened.findings, *done))
        spec = opened.spec or command.spec
        try:
            return self._take(ResidentModel.settle(opened, spec, device, command.precision, wishes))
        except Exception as error:
            fault = fault_of(error)
            # "auto" asks for where it works; what the whole device fails of is dealt with by the job.
            if command.device != "auto" or device == CPU or fault is None or fault.kind is FaultKind.DEVICE:
                raise
            problem = problem_from(error)
            forget(error)
        self.free_memory()
        reason = Finding("device", Level.WARNING, problem.title, "The network computes on the CPU instead")
        opened = dataclasses.replace(opened, findings=(*opened.findings, reason))
        return self._take(ResidentModel.settle(opened, spec, CPU, command.precision, wishes))

    def _move(self, command: MoveModel) -> ModelInfo:
        network = self._open_network
        device = devices.resolve(command.device)
        network.move(device, devices.checked_precision(command.precision, device))
        moved = self._now()
        devices.empty_caches()
        return moved

    def _take(self, network: ResidentModel) -> ModelInfo:
        self._network = network
        return self._now()

    def _now(self) -> ModelInfo:
        """The network as it is now; what was kept of it as it was is let go."""
        self.maps_cache.clear()
        self._input = None
        return self.info

    # ---------------------------------------------------------------------------------------- after a fault

    def free_memory(self) -> None:
        """Let go of what was only kept for speed, and give the devices' free memory back to the system."""
        self.maps_cache.clear()
        self._input = None
        devices.empty_caches()

    def devices_left(self) -> tuple[str, ...]:
        """Devices that can be chosen, best first."""
        return devices.available()

    def lost_devices(self) -> frozenset[str]:
        """Kinds of device ("cuda") that failed in this process and are not used again."""
        return devices.lost()

    def give_up(self, kind: str, problem: Problem) -> ModelInfo | None:
        """Carry on without a kind of device that has failed, on the CPU; nothing is asked of the device any more.

        Returns the open network if it was there.
        """
        devices.give_up(kind, problem)
        return self._now() if self._network is not None and self._network.leave(kind) else None

    # ----------------------------------------------------------------------------------------------- running

    def _run(self, request: Run) -> Steps[Result]:
        method = find_method(request.method)
        params = method.params.from_settings(request.settings)
        check_run(method, request, self.info)
        began = time.monotonic()
        payload = yield from method.run(self, request, params)
        precision = self.info.precision if method.lower_precision else "float32"
        return Result(
            run=request,
            payload=payload,
            settings=params.settings(),
            model=self.info,
            seconds=time.monotonic() - began,
            scores=(*method.scores(payload), *precision_scores(payload, precision)),
            precision=precision,
        )


def read_only(tensor: Tensor) -> Any:
    """A tensor as a read-only host array of the same values: float32 for floats, int64 for integers, bool for bools."""
    tensor = tensor.detach()
    if tensor.is_floating_point():
        tensor = tensor.float()
    array = np.ascontiguousarray(tensor.cpu().contiguous().numpy())
    array.flags.writeable = False
    return array
