"""Canvases that are varied by their Fourier coefficients: pictures of natural smoothness, and natural colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.optim.colours import LUCID, MACO, mixing
from convviz_gui.engine.payloads import FloatArray
from convviz_gui.engine.spectrum import frequencies

SPREADS = (0.01, 0.3, 1.0)
"""Standard deviations of start coefficients: Lucid's, nearly grey, then ever stronger contrasts for targets that do not
answer to it (of ToyNet's 96 channels at block4_relu1 the first leaves 91 silent, the last 21)."""
_LUCID_CONTRAST = 4
_EPSILON = 1e-5


def normal(seed: int, number: int, variant: int, shape: Sequence[int]) -> FloatArray:
    """N(0, 1) of the shape, depending on the seed, on what a picture is of and on its variant alone."""
    rng = np.random.default_rng(np.random.SeedSequence([seed % 2**64, number, variant]))
    return rng.standard_normal(tuple(shape), dtype=np.float32)


class FourierCanvas:
    """P pictures of S×S pixels, given by their Fourier coefficients divided by frequency (Lucid's parametrisation).

    Picture = sigmoid(colours @ irfft2(coefficients × scale) / 4), where scale = √(S·S) / max(f, 1/S) with f in cycles
    per pixel and irfft2 divides by S·S. One step of an ascent so changes coarse and fine structure alike.
    Reference: Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017.

    Attributes:
        leaf: the coefficients f32 [P, C, S, S // 2 + 1, 2], real and imaginary.
    """

    def __init__(self, leaf: Tensor, size: int) -> None:
        self.leaf = leaf
        self._size = size
        scale = size / np.maximum(frequencies(size), 1 / size)
        self._scale = torch.from_numpy(scale).to(leaf)
        self._mixing = torch.from_numpy(mixing(LUCID, leaf.shape[1])).to(leaf)

    @classmethod
    def start(
        cls, seed: int, which: Sequence[tuple[int, int]], n_colours: int, size: int, spread: float = SPREADS[0]
    ) -> FourierCanvas:
        """Coefficients from N(0, `spread`) for each (number, variant)."""
        shape = (n_colours, size, size // 2 + 1, 2)
        leaves = [torch.from_numpy(normal(seed, number, variant, shape)) for number, variant in which]
        return cls(torch.stack(leaves) * spread, size)

    def to(self, device: torch.device) -> FourierCanvas:
        """The same on a device."""
        return FourierCanvas(self.leaf.to(device), self._size)

    def pixels(self, leaf: Tensor) -> Tensor:
        """Pictures f32 [P, C, S, S] in 0…1, red first, for coefficients; differentiable."""
        return torch.sigmoid(self.contrast(leaf))

    def contrast(self, leaf: Tensor) -> Tensor:
        """The pictures before the sigmoid, f32 [P, C, S, S]."""
        coefficients = torch.view_as_complex(leaf.contiguous()) * self._scale
        components = torch.fft.irfft2(coefficients, s=(self._size, self._size)) / _LUCID_CONTRAST
        return torch.einsum("ij,bjhw->bihw", self._mixing, components)


class PhaseCanvas:
    """P pictures of S×S pixels with given magnitudes, of which only the phases are varied (MACO).

    Picture = sigmoid(components @ colours), where the components are irfft2(magnitude · e^{iφ}) of phases with mean 0
    and standard deviation 1, standardised over the picture.
    Reference: Fel et al., Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization,
    NeurIPS 2023.

    Attributes:
        leaf: the phases f32 [P, C, S, S // 2 + 1], in radians.
    """

    def __init__(self, leaf: Tensor, magnitude: Tensor) -> None:
        self.leaf = leaf
        self._magnitude = magnitude
        self._mixing = torch.from_numpy(mixing(MACO, leaf.shape[1])).to(leaf)

    @classmethod
    def start(cls, seed: int, which: Sequence[tuple[int, int]], magnitude: FloatArray) -> PhaseCanvas:
        """Phases from N(0, 1) for each (number, variant), and magnitudes f32 [C, S, S // 2 + 1]."""
        leaves = [torch.from_numpy(normal(seed, number, variant, magnitude.shape)) for number, variant in which]
        return cls(torch.stack(leaves), torch.from_numpy(magnitude.copy()))

    def to(self, device: torch.device) -> PhaseCanvas:
        """The same on a device."""
        return PhaseCanvas(self.leaf.to(device), self._magnitude.to(device))

    def pixels(self, leaf: Tensor) -> Tensor:
        """Pictures f32 [P, C, S, S] in 0…1, red first, for phases; differentiable."""
        return torch.sigmoid(torch.einsum("bihw,ij->bjhw", self.components(leaf), self._mixing))

    def components(self, leaf: Tensor) -> Tensor:
        """The standardised components f32 [P, C, S, S] before the colours."""
        size = leaf.shape[2]
        phase = _standardised(leaf)
        # Not torch.polar, whose gradient divides by the magnitude.
        spectrum = torch.complex(torch.cos(phase) * self._magnitude, torch.sin(phase) * self._magnitude)
        return _standardised(torch.fft.irfft2(spectrum, s=(size, size)))


def _standardised(values: Tensor) -> Tensor:
    """Each picture's values [C, …] with mean 0 and standard deviation 1."""
    std, mean = torch.std_mean(values, dim=(1, 2, 3), keepdim=True, correction=0)
    return (values - mean) / (std + _EPSILON)
