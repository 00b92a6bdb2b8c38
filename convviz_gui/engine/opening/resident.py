"""The network at work: looked into, as the user wishes it, and on its device."""

from __future__ import annotations

import dataclasses

import torch
from torch import nn

from convviz_gui.engine import devices
from convviz_gui.engine.devices import CPU, Device
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.examine import examine
from convviz_gui.engine.network.home import Home
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.network.readying import LAYOUTS, lay_out, refusal
from convviz_gui.engine.opening.amending import Wishes, cannot_take, check_count, fulfilled, wishes_of
from convviz_gui.engine.types import Amend, ModelInfo, ModelSpec


class ResidentModel:
    """An `OpenedModel` that works. What fails here leaves it as it was.

    Attributes:
        module: in eval mode, no parameter requiring a gradient.
        info: what is known of it.
        place: where it computes.
        opened: how it came in; None for a variant of another.
    """

    def __init__(self, module: nn.Module, info: ModelInfo, place: Device) -> None:
        """A network that is on its device already; it stays there."""
        self.module = module
        self.info = info
        self.place = place
        self.opened: OpenedModel | None = None
        self._home: Home | None = None
        self._wishes = Wishes()

    @classmethod
    def settle(
        cls, opened: OpenedModel, spec: ModelSpec, device: Device, precision: str, wishes: Wishes
    ) -> ResidentModel:
        """Look into a network that has been made ready, on its device, in the fastest layout that it takes.

        Raises:
            EngineError: its forward pass fails, or the wishes or the precision cannot be met. It is on the host then.
        """
        devices.checked_precision(precision, device)
        for layout in LAYOUTS:
            try:
                return cls._settle_in(layout, opened, spec, device, precision, wishes)
            except Exception as error:
                last = layout is LAYOUTS[-1]
                if (isinstance(error, EngineError) and last) or fault_of(error) is not None:
                    raise
                if last:
                    raise refusal(error, wishes.preprocess or opened.preprocess) from None
        raise AssertionError("there is a layout")

    @classmethod
    def _settle_in(
        cls,
        layout: torch.memory_format,
        opened: OpenedModel,
        spec: ModelSpec,
        device: Device,
        precision: str,
        wishes: Wishes,
    ) -> ResidentModel:
        module = opened.module
        lay_out(module, layout)
        home = Home(module)
        try:
            home.move(device.torch)
            info = _examined(module, opened, spec, wishes, device.torch, precision)
        except Exception:
            home.bring_back()
            raise
        made = cls(module, dataclasses.replace(info, device=device.name), device)
        made.opened, made._home, made._wishes = opened, home, wishes
        return made

    def amend(self, command: Amend) -> None:
        """Take another preprocessing or other class names."""
        assert self.opened is not None
        spec = self.info.spec
        if command.preprocess is not None:
            spec = dataclasses.replace(spec, preprocess=command.preprocess)
        if command.class_names is not None:
            spec = dataclasses.replace(spec, class_names=command.class_names or None)
            wishes = wishes_of(spec)
        else:
            # The file may be gone by now.
            wishes = dataclasses.replace(self._wishes, preprocess=spec.preprocess, change=None)
        amended = _examined(self.module, self.opened, spec, wishes, self.place.torch, self.info.precision)
        self._wishes = wishes
        self.info = dataclasses.replace(amended, device=self.info.device)

    def move(self, device: Device, precision: str) -> None:
        """Go to another device, or compute in another precision, which must be one of that device's."""
        assert self._home is not None
        if device != self.place:
            try:
                self._home.move(device.torch)
            except Exception:
                self._home.move(self.place.torch)
                raise
        self.place = device
        self.info = dataclasses.replace(self.info, device=device.name, precision=precision)

    def leave(self, kind: str) -> bool:
        """Come back to the CPU, asking nothing of a kind of device that failed; False if it was not there."""
        if self.place.kind != kind or self._home is None:
            return False
        self._home.bring_back()
        self.place = CPU
        try:
            precision = devices.checked_precision(self.info.precision, CPU)
        except EngineError:
            precision = "float32"
        self.info = dataclasses.replace(self.info, device=CPU.name, precision=precision)
        return True


def _examined(
    module: nn.Module, opened: OpenedModel, spec: ModelSpec, wishes: Wishes, device: torch.device, precision: str
) -> ModelInfo:
    """What is known of a network once it is as wished. `opened` is as it was found."""
    wished, spec = fulfilled(opened, spec, wishes)
    edited = wished.preprocess != opened.preprocess
    try:
        info = examine(module, wished, spec, device, precision)
    except EngineError:
        raise
    except Exception as error:
        if not edited or fault_of(error) is not None:
            raise
        raise cannot_take(wished, opened.preprocess, error) from None
    check_count(info, wishes)
    return dataclasses.replace(info, found_preprocess=opened.preprocess if edited else None)
