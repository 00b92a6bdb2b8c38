"""Classes from logits in numpy against the same in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convviz_gui.engine import logits
from convviz_gui.engine.network import classes


@pytest.mark.parametrize("n_logits", [1, 2, 7])
def test_the_same_as_in_torch(n_logits: int) -> None:
    values = np.random.default_rng(0).normal(0, 4, (9, n_logits)).astype(np.float32)
    tensor = torch.from_numpy(values)
    np.testing.assert_allclose(logits.class_scores(values), classes.class_scores(tensor).numpy(), rtol=1e-6)
    np.testing.assert_allclose(logits.probabilities(values), classes.probabilities(tensor).numpy(), rtol=1e-5)
    wanted = [classes.chosen_class(row[None], None) for row in tensor]
    assert logits.top_classes(values).tolist() == wanted


def test_a_single_logit_decides_between_two_classes() -> None:
    assert logits.top_classes(np.array([[-2.0], [3.0]], np.float32)).tolist() == [0, 1]


def test_nan_and_no_logits_have_no_top_class() -> None:
    assert logits.top_classes(np.array([[1.0, np.nan], [1.0, 0.0]], np.float32)).tolist() == [-1, 0]
    assert logits.top_classes(np.zeros((2, 0), np.float32)).tolist() == [-1, -1]
