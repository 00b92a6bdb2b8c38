"""A network's weights on the host, wherever it computes: what a device that fails cannot take away."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Home:
    """Moves a network between devices. The host's tensors stay as they are, so that coming back reads no device.

    Costs the weights' size in host memory while the network is elsewhere. Right as long as nothing changes the
    weights, which a session's networks are held to (eval mode, no gradients).
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        here: dict[int, Tensor] = {}
        # Tensors that several parts share stay shared.
        self._parameters = [
            (part, name, parameter, here.setdefault(id(parameter), parameter.data.cpu()))
            for part in module.modules()
            for name, parameter in part._parameters.items()
            if parameter is not None
        ]
        self._buffers = [
            (part, name, here.setdefault(id(buffer), buffer.cpu()))
            for part in module.modules()
            for name, buffer in part._buffers.items()
            if buffer is not None
        ]

    def move(self, device: torch.device) -> None:
        """Take the network to a device. If that fails, it is on the host afterwards."""
        self.bring_back()
        if device.type == "cpu":
            return
        try:
            self._module.to(device)
        except Exception:
            # Half of it may have moved before the memory was full.
            self.bring_back()
            raise

    def bring_back(self) -> None:
        """Put the host's tensors into the network again; what was on the device is let go, unread."""
        for part, name, parameter, values in self._parameters:
            parameter.data = values
            part._parameters[name] = parameter
        for part, name, values in self._buffers:
            part._buffers[name] = values
