"""Channels written by hand."""

from __future__ import annotations

import pytest

from convviz_gui.engine.channels import parse_channels, write_channels
from convviz_gui.engine.errors import EngineError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,3,8-11", (0, 3, 8, 9, 10, 11)),
        (" 5 , 2 5", (5, 2)),
        ("first 3", (0, 1, 2)),
        ("First 99", tuple(range(16))),
        ("all", tuple(range(16))),
    ],
)
def test_forms(text: str, expected: tuple[int, ...]) -> None:
    assert parse_channels(text, 16) == expected


@pytest.mark.parametrize("text", ["", "a", "3-1", "16", "0-16", "-1", "first 0", "1..3", "0-99999999999", "٣"])
def test_refusals(text: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse_channels(text, 16)
    assert caught.value.hint


def test_what_would_fill_the_memory_is_refused_before_the_layer_is_known() -> None:
    with pytest.raises(EngineError, match="no channel 99999999999"):
        parse_channels("0-99999999999")
    assert parse_channels("first 99999999999", 16) == tuple(range(16))


def test_writing_is_the_inverse_of_reading() -> None:
    for channels in [(0,), (0, 1, 2), (3, 1, 2, 7), tuple(range(64))]:
        assert parse_channels(write_channels(channels)) == channels
    assert write_channels((0, 3, 8, 9, 10)) == "0,3,8-10"
