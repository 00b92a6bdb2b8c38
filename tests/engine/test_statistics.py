"""Channel statistics against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from convviz_gui.engine.statistics import channel_statistics, layer_sparsity


def test_after_a_relu_silent_means_exactly_zero() -> None:
    maps = torch.tensor([[[0.0, 1e-9], [2.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    found = channel_statistics(maps)
    assert found.sparsity.tolist() == [0.5, 1.0]
    assert found.blank.tolist() == [False, True]
    assert found.max.tolist() == [2.0, 0.0]
    assert found.mean.tolist() == pytest.approx([0.5, 0.0])
    assert found.std[0].item() == pytest.approx(0.75**0.5)
    assert layer_sparsity(maps) == (0.75, 0.5)


def test_with_negative_values_silent_means_below_a_hundredth_of_the_maximum() -> None:
    maps = torch.tensor([[[-5.0, 0.05]], [[0.2, 10.0]]])
    found = channel_statistics(maps)
    assert found.sparsity.tolist() == [1.0, 0.0]
    assert found.blank.tolist() == [False, False]


def test_a_layer_without_any_positive_value_is_blank() -> None:
    assert channel_statistics(-torch.ones(3, 2, 2)).blank.tolist() == [True] * 3
    assert channel_statistics(torch.zeros(3, 2, 2)).blank.tolist() == [True] * 3
