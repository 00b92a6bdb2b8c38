"""Parameters: declared once, checked everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.params import Params, param, that_count


@dataclass(frozen=True)
class Example(Params):
    steps: int = param(30, "Steps", "How many", lo=1, hi=100)
    rate: float = param(0.5, "Rate", lo=0.0)
    mode: str = param("fast", "Mode", choices=("fast", "slow"))
    on: bool = param(True, "On")


def test_round_trip_through_settings() -> None:
    example = Example(steps=7, mode="slow", on=False)
    assert Example.from_settings(example.settings()) == example
    assert [spec.flag for spec in Example.specs()] == ["--steps", "--rate", "--mode", "--on"]


@dataclass(frozen=True)
class Conditional(Params):
    way: str = param("short", "Way", choices=("short", "long"))
    stops: int = param(3, "Stops", when=("way", ("long",)))


def test_what_does_not_count_tells_no_two_runs_apart() -> None:
    specs = Conditional.specs()
    assert that_count(specs, {"way": "short", "stops": 9}) == Conditional().settings()
    assert that_count(specs, {"way": "long", "stops": 9}) == (("way", "long"), ("stops", 9))
    assert [spec.counts({"way": "short"}) for spec in specs] == [True, False]


def test_text_is_read_by_kind() -> None:
    steps, rate, mode, on = Example.specs()
    assert (steps.parse("12"), rate.parse("1e-3"), mode.parse("slow"), on.parse("No")) == (12, 1e-3, "slow", False)
    assert Example(rate=1).rate == 1.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "0"),
        ("steps", "101"),
        ("steps", "1.5"),
        ("rate", "nan"),
        ("rate", "-1"),
        ("mode", "FAST"),
        ("on", "?"),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_is(name: str, text: str) -> None:
    spec = next(spec for spec in Example.specs() if spec.name == name)
    with pytest.raises(EngineError) as caught:
        spec.parse(text)
    assert spec.flag in caught.value.title
    assert spec.accepts() in caught.value.hint


def test_unknown_names_and_wrong_types() -> None:
    with pytest.raises(EngineError, match="no parameter called 'stepz'"):
        Example.from_settings((("stepz", 3),))
    with pytest.raises(EngineError):
        Example(steps=True)
