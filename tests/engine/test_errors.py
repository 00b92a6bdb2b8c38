"""Exceptions become sentences: whose move it is, what is wrong, what to do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import ProblemKind, problem_from
from convviz_gui.engine.network.hooks import visiting
from convviz_gui.engine.network.intervening import scaled
from convviz_gui.engine.network.passes import forward


def test_memory_that_torch_cannot_get_is_no_bug() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    problem = problem_from(caught.value)
    assert problem.kind is ProblemKind.RESOURCE
    assert problem.title.startswith("Not enough memory")
    assert "enforce fail" not in problem.title


def test_anything_unforeseen_is_ours_and_keeps_its_details() -> None:
    problem = problem_from(ZeroDivisionError("division by zero"))
    assert problem.kind is ProblemKind.BUG
    assert "ZeroDivisionError" in problem.detail


class _OneAtATime(nn.Module):
    """As some write it: the batch's size is part of the code."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)).reshape(3)[None]


def test_a_network_that_fails_on_what_it_is_given_is_not_our_bug() -> None:
    with pytest.raises(RuntimeError) as caught:
        forward(_OneAtATime(), torch.zeros(2, 3, 4, 4))
    problem = problem_from(caught.value)
    assert problem.kind is ProblemKind.USER
    assert "network" in problem.title
    assert "--batch" in problem.hint


def test_but_our_hook_in_it_is() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1))
    # A channel that is not there.
    with pytest.raises(IndexError) as caught, visiting(net, {"0": lambda output: scaled(output, 1, [99], 0.5)}):
        forward(net, torch.zeros(2, 3, 4, 4))
    assert problem_from(caught.value).kind is ProblemKind.BUG
