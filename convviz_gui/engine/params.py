"""A method's parameters: fields declared once, read by the form, the command line, the manifest and the docs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast, get_type_hints

from convviz_gui.engine.errors import EngineError

ParamValue = bool | int | float | str
Settings = tuple[tuple[str, ParamValue], ...]
"""Parameter values as they cross the thread line and go into manifests: (name, value) pairs."""
When = tuple[str, tuple[ParamValue, ...]]
"""Another field's name, and the values of it with which a field counts."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One field of a `Params` class, as data. `lo` and `hi` are inclusive; `log` asks for a logarithmic control.

    With any other value than those of `when` the method does not look at the field.
    """

    name: str
    kind: type[bool] | type[int] | type[float] | type[str]
    default: ParamValue
    label: str
    help: str
    lo: float | None = None
    hi: float | None = None
    choices: tuple[str, ...] = ()
    log: bool = False
    unit: str = ""
    advanced: bool = False
    when: When | None = None

    def counts(self, values: Mapping[str, ParamValue]) -> bool:
        """False if the method does not look at the field while the others have these values."""
        return self.when is None or values.get(self.when[0]) in self.when[1]

    @property
    def flag(self) -> str:
        """The command-line option: `learning_rate` → `--learning-rate`."""
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> ParamValue:
        """Read a value written by hand; raises `EngineError` naming the field and what it accepts."""
        if self.kind is bool:
            known = {"true": True, "yes": True, "on": True, "1": True}
            known |= {"false": False, "no": False, "off": False, "0": False}
            if text.lower() in known:
                return known[text.lower()]
            raise self._refusal(text)
        try:
            return self.check(self.kind(text))
        except ValueError:
            raise self._refusal(text) from None

    def check(self, value: ParamValue) -> ParamValue:
        """Return `value` in the field's own type; raises `EngineError` when it is of another kind or out of range."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.kind:
            raise self._refusal(value)
        if self.choices and value not in self.choices:
            raise self._refusal(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not self._in_range(value):
            raise self._refusal(value)
        return value

    def _in_range(self, value: float) -> bool:
        # Written so that NaN, for which every comparison is false, is refused.
        return value == value and (self.lo is None or value >= self.lo) and (self.hi is None or value <= self.hi)

    def _refusal(self, value: object) -> EngineError:
        return EngineError(f"{self.label} ({self.flag}) cannot be {value!r}", f"Give {self.accepts()}")

    def accepts(self) -> str:
        """What the field takes, in words: `a whole number from 1 to 512`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "a text"
        noun = "a whole number" if self.kind is int else "a number"
        if self.lo is not None and self.hi is not None:
            return f"{noun} from {self.lo:g} to {self.hi:g}"
        if self.lo is not None:
            return f"{noun} of at least {self.lo:g}"
        return noun if self.hi is None else f"{noun} of at most {self.hi:g}"


def param(
    default: ParamValue,
    label: str,
    help: str = "",
    *,
    lo: float | None = None,
    hi: float | None = None,
    choices: tuple[str, ...] = (),
    log: bool = False,
    unit: str = "",
    advanced: bool = False,
    when: When | None = None,
) -> Any:
    """Declare a field of a `Params` class. `help` is the tooltip: what it does and when to change it.

    `when=("projection", ("umap",))`: it counts only while the field `projection` is "umap".
    """
    facts = {
        "label": label,
        "help": help,
        "lo": lo,
        "hi": hi,
        "choices": choices,
        "log": log,
        "unit": unit,
        "advanced": advanced,
        "when": when,
    }
    return dataclasses.field(default=default, metadata=facts)


def that_count(specs: Iterable[Spec], values: Mapping[str, ParamValue]) -> Settings:
    """The values, those of fields that do not count replaced by their defaults: what tells one run from another."""
    return tuple((spec.name, values[spec.name] if spec.counts(values) else spec.default) for spec in specs)


@dataclass(frozen=True)
class Params:
    """Base of a method's parameters: a frozen dataclass of fields made by `param()`, checked on creation."""

    def __post_init__(self) -> None:
        for spec in self.specs():
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))

    @classmethod
    def specs(cls) -> tuple[Spec, ...]:
        """The fields in order of declaration."""
        hints = get_type_hints(cls)
        return tuple(
            Spec(
                name=field.name,
                kind=hints[field.name],
                default=cast(ParamValue, field.default),
                **field.metadata,
            )
            for field in dataclasses.fields(cls)
        )

    @classmethod
    def from_settings(cls, settings: Settings | Mapping[str, ParamValue]) -> Self:
        """Build from (name, value) pairs; raises `EngineError` for an unknown name or a value out of range."""
        values = dict(settings)
        known = [spec.name for spec in cls.specs()]
        for name in values:
            if name not in known:
                raise EngineError(f"There is no parameter called {name!r}", "Known: " + ", ".join(known))
        return cls(**values)

    def settings(self) -> Settings:
        """The values as (name, value) pairs, in order of declaration."""
        return tuple((spec.name, getattr(self, spec.name)) for spec in self.specs())


@dataclass(frozen=True)
class NoParams(Params):
    """Nothing to set."""
