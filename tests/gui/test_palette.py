"""Colours of classes: told apart under simulated colour blindness, and from the ground."""

from __future__ import annotations

import numpy as np
import pytest

from convviz_gui.engine import palette

# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
GROUNDS = {False: (255, 255, 255), True: (0x17, 0x18, 0x1A)}


def linear(colours: np.ndarray) -> np.ndarray:
    c = colours / 255.0
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    lms = rgb @ np.array([[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]).T  # fmt: skip  # noqa: E501
    return np.cbrt(lms) @ np.array([[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.42859221, 0.45059371], [0.02590404, 0.78277177, -0.80867577]]).T  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_classes_look_alike(sight: str, dark: bool) -> None:
    seen = oklab(np.clip(linear(palette.categorical(palette.DISTINCT, dark=dark)) @ np.array(SIGHT[sight]).T, 0, 1))
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + np.eye(len(seen))
    # Okabe and Ito's seven reach 0.076, matplotlib's ten 0.007.
    assert distance[:12, :12].min() > 0.08
    assert distance.min() > 0.07


@pytest.mark.parametrize("dark", [False, True])
def test_every_class_stands_out_from_the_ground(dark: bool) -> None:
    luminance = linear(palette.categorical(palette.DISTINCT, dark=dark)) @ [0.2126, 0.7152, 0.0722]
    ground = float(linear(np.array(GROUNDS[dark])) @ [0.2126, 0.7152, 0.0722])
    contrast = (np.maximum(luminance, ground) + 0.05) / (np.minimum(luminance, ground) + 0.05)
    assert contrast.min() > 1.7


def test_colours_repeat_in_the_same_order() -> None:
    colours = palette.categorical(2 * palette.DISTINCT + 1, dark=False)
    np.testing.assert_array_equal(colours[: palette.DISTINCT], colours[palette.DISTINCT : -1])
    np.testing.assert_array_equal(colours[-1], colours[0])


def test_mixing_with_the_ground_goes_from_all_to_nothing() -> None:
    colours = palette.categorical(3, dark=True)
    np.testing.assert_array_equal(palette.towards(colours, (1, 2, 3), 0.0), colours)
    np.testing.assert_array_equal(palette.towards(colours, (1, 2, 3), 1.0), [[1, 2, 3]] * 3)
