"""What a method is, and the registry that finds them. One method is one file in `engine/methods`."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.params import Params, Settings
from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import MethodInfo, ModelInfo, Run, Score

if TYPE_CHECKING:
    from convviz_gui.engine.session import Session

P = TypeVar("P", bound=Params)
T = TypeVar("T")


class Category(StrEnum):
    """The tab a method belongs to."""

    INPUT = "input"
    ACTIVATIONS = "activations"
    FILTERS = "filters"
    CLASS_MAPS = "class maps"
    PIXEL_MAPS = "pixel maps"
    UNITS = "units"
    SWITCH_OFF = "switch off"
    LATENT = "latent space"


class Need(StrEnum):
    """What a method must be given. A class or a layer left out means the method's default.

    SOURCE: what is traced back is a class, or else one channel of a layer, or one unit (position) of that channel.
    CHANNEL: one channel of the layer. AGAINST: a second class may be given, to explain the difference of the two.
    PLACE: a position, (row, column) of the layer's map, goes with it. OPTIONAL_FOLDER: a folder of pictures, if any.
    CLASSES: one class, or all of them (as far as the method goes) where none is given.
    """

    IMAGE = "image"
    LAYER = "layer"
    CHANNELS = "channels"
    CLASS = "class"
    FOLDER = "folder"
    SOURCE = "source"
    CHANNEL = "channel"
    AGAINST = "against"
    PLACE = "place"
    OPTIONAL_FOLDER = "optional folder"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Update:
    """Progress. `preview` makes the picture so far; it is called only when somebody waits for one."""

    done: int
    total: int
    note: str = ""
    preview: Callable[[], Payload] | None = None


Steps = Generator[Update, None, T]
"""A method at work: every `yield` is progress, frame and cancellation point at once."""


class Method(ABC, Generic[P]):
    """A way of looking into a network. The class's docstring is its one-line answer to "what am I seeing?".

    At every `yield` the model must be as it was found, with no hook left: another job may run on it there
    (docs/adr/0003).
    """

    name: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[Category]
    needs: ClassVar[frozenset[Need]]
    needs_by: ClassVar[tuple[str, Mapping[str, frozenset[Need]]] | None] = None
    """Of a method whose needs depend on a parameter: its name, and the needs by value; `needs` are the default's."""
    live: ClassVar[bool] = False
    by_chance: ClassVar[bool] = False
    """True if its result depends on the seed."""
    lower_precision: ClassVar[bool] = False
    """True if its forward passes run in `Session.computing`: it shows what the network computes, without gradients."""
    params: ClassVar[type[Params]]
    payload: ClassVar[type[Any]]
    how_to_read: ClassVar[str]
    how_it_misleads: ClassVar[str]
    reference: ClassVar[str]
    when_to_use: ClassVar[str] = ""
    """For which question to take it, and when to take another, in one to three sentences."""
    known_to_fail_randomisation: ClassVar[str] = ""
    """What is published of its maps hardly depending on the weights, in one sentence without a final stop, or ""."""
    check_settings: ClassVar[Settings] = ()
    """Cheaper settings for the many runs that a check of its map takes (`engine/trust`), if it is slow."""
    check_stages: ClassVar[int] = 8
    """Into how many stages the network's weights are shuffled then, at most."""

    @abstractmethod
    def run(self, session: Session, request: Run, params: P) -> Steps[Payload]:
        """Yield `Update`s and return the payload. Raises `EngineError` for what the user can mend."""

    def scores(self, payload: Any) -> tuple[Score, ...]:
        """Numbers worth saying beside the result."""
        return ()

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """ "" if the method works on this network, else in one sentence without a final stop why it cannot."""
        if cls.needs & {Need.LAYER, Need.CHANNELS} and not any(node.channels for node in info.layers() if node.id):
            return "No layer of this network gives maps or a vector"
        return ""

    @classmethod
    def needs_with(cls, settings: Settings) -> frozenset[Need]:
        """What it needs with these settings."""
        return frozenset(map(Need, cls.info().needs_with(settings)))

    @classmethod
    def info(cls) -> MethodInfo:
        """The method as data, for the window and the command line."""
        return MethodInfo(
            name=cls.name,
            title=cls.title,
            category=cls.category.value,
            summary=(cls.__doc__ or "").split("\n\n")[0].strip(),
            how_to_read=cls.how_to_read,
            how_it_misleads=cls.how_it_misleads,
            reference=cls.reference,
            needs=frozenset(need.value for need in cls.needs),
            live=cls.live,
            by_chance=cls.by_chance,
            specs=cls.params.specs(),
            payload=cls.payload.__name__,
            when_to_use=cls.when_to_use,
            known_to_fail_randomisation=cls.known_to_fail_randomisation,
            needs_by=None if cls.needs_by is None else (cls.needs_by[0], _by_value(cls.needs_by[1])),
        )


def _by_value(needs: Mapping[str, frozenset[Need]]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((value, frozenset(need.value for need in needed)) for value, needed in needs.items())


_registry: dict[str, type[Method[Any]]] = {}


def register(cls: type[Method[Any]]) -> type[Method[Any]]:
    """Class decorator: make a method known by its name."""
    if cls.name in _registry:
        raise ValueError(f"two methods are called {cls.name}")
    _registry[cls.name] = cls
    return cls


def methods() -> dict[str, type[Method[Any]]]:
    """All methods by name, found by importing every module of `engine/methods` (which imports torch)."""
    package = importlib.import_module("convviz_gui.engine.methods")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_registry.items()))


def find_method(name: str) -> Method[Any]:
    """The method of that name; raises `EngineError` listing the known ones."""
    known = methods()
    if name not in known:
        raise EngineError(f"There is no method called {name!r}", "Known: " + ", ".join(known))
    return known[name]()
