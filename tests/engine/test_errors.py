"""Exceptions become sentences: whose move it is, what is wrong, what to do."""

from __future__ import annotations

import pytest
import torch

from convviz_gui.engine.errors import ProblemKind, problem_from


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
