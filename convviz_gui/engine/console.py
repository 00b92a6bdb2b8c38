"""The engine without a window: opens a model, runs a method over pictures, writes what came out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convviz_gui.engine import devices
from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.datasets import list_dataset
from convviz_gui.engine.errors import EngineError, Problem, one_line
from convviz_gui.engine.export import MANIFEST, write_results
from convviz_gui.engine.images import load_image
from convviz_gui.engine.jobs import (
    Cancelled,
    Failed,
    Finished,
    Job,
    Message,
    Moved,
    Progressed,
    Ready,
    Started,
    run_job,
)
from convviz_gui.engine.params import Settings
from convviz_gui.engine.payloads import MAP_NAMES, Located, Skipped
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import (
    Candidates,
    Check,
    Command,
    Embed,
    Embedded,
    Identify,
    ImageInput,
    LoadModel,
    Locate,
    MethodInfo,
    ModelInfo,
    Outcome,
    Result,
    Run,
    Target,
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, as written on the command line: `channels` still in words, `images` still paths."""

    method: str
    settings: Settings = ()
    layer: str | None = None
    class_index: int | None = None
    channels: str | None = None
    images: tuple[str, ...] = ()
    folder: str | None = None
    splits: tuple[str, ...] = ()
    seed: int = 0
    against: int | None = None
    unit: tuple[int, int] | None = None
    trust_check: bool = False


PLACEABLE = "Points"
"""The payload on whose map the pictures ordered are placed."""


class Console:
    """A session whose progress goes to the terminal. Raises `EngineError` where the window would show a problem."""

    def __init__(self) -> None:
        self.session = Session()

    def open(self, command: LoadModel) -> ModelInfo:
        """Open a network."""
        problem = devices.unusable() if command.device == "auto" else None
        if problem is not None:
            _say(problem)
        outcome = self._do(command)
        assert isinstance(outcome, ModelInfo)
        return outcome

    def identify(self, weights: str) -> Candidates:
        """The networks that a weights file may be of, best first."""
        outcome = self._do(Identify(weights))
        assert isinstance(outcome, Candidates)
        return outcome

    def run(self, info: MethodInfo, order: Order, out: str, command: list[str]) -> dict[str, Any]:
        """Run a method over the pictures ordered and write the results; returns the manifest."""
        if order.trust_check and info.payload not in MAP_NAMES:
            raise EngineError(f"{info.title} makes no map that could be checked", "Leave --trust-check out")
        skipped: list[Skipped] = []
        paths = self._paths(info, order, skipped)
        pictures = self._pictures(paths, skipped) if paths else [None]
        orders = self._orders(info, order)
        results = (self._result(one, picture) for one in orders for picture in pictures)
        if info.payload == PLACEABLE and order.images:
            results = (self._located(result, order.images, skipped) for result in results)
        write_results(results, skipped, out, command, several=max(len(paths), len(orders)) > 1)
        facts: dict[str, Any] = json.loads((Path(out) / MANIFEST).read_text(encoding="utf-8"))
        return facts

    def embed(self, command: Embed) -> Embedded:
        """Write a dataset's features into a directory."""
        outcome = self._do(command)
        assert isinstance(outcome, Embedded)
        return outcome

    def _orders(self, info: MethodInfo, order: Order) -> list[Order]:
        """The order itself, or one for each layer where maps of several are; there is one pass over the pictures."""
        text = str(dict(order.settings).get("layers", "")).strip()
        if info.payload != PLACEABLE or not text or order.layer is not None:
            return [order]
        from convviz_gui.engine.desk.transfer_layers import chosen_layers

        return [replace(order, layer=layer) for layer in chosen_layers(self.session, text)]

    def _paths(self, info: MethodInfo, order: Order, skipped: list[Skipped]) -> list[str]:
        needs = info.needs_with(order.settings)
        if "image" not in needs:
            return []
        paths = list(order.images)
        # A folder that the method itself looks through holds no pictures to run on.
        if order.folder is not None and not needs & {"folder", "optional folder"}:
            listing = list_dataset(order.folder, order.splits)
            paths += listing.paths
            skipped += listing.skipped
        if not paths:
            raise EngineError(f"{info.title} needs a picture", "Name one with --image FILE, or a folder of them")
        return paths

    def _pictures(self, paths: list[str], skipped: list[Skipped]) -> Iterator[ImageInput]:
        for path in paths:
            try:
                yield load_image(path)
            except EngineError as error:
                if len(paths) == 1:
                    raise
                skipped.append(Skipped(path, str(error)))

    def _result(self, order: Order, picture: ImageInput | None) -> Result:
        target = Target(order.layer, self._channels(order), order.class_index, order.against, order.unit)
        run = Run(order.method, target, picture, order.folder, order.settings, order.seed, order.splits)
        outcome = self._do(run)
        assert isinstance(outcome, Result)
        if order.trust_check:
            outcome = self._do(Check(outcome))
            assert isinstance(outcome, Result)
        return outcome

    def _located(self, result: Result, images: tuple[str, ...], skipped: list[Skipped]) -> Result:
        """The result with the pictures ordered placed on its map."""
        found = [self._do(Locate(result, picture)) for picture in self._pictures(list(images), skipped)]
        return replace(result, located=tuple(one for one in found if isinstance(one, Located)))

    def _channels(self, order: Order) -> tuple[int, ...] | None:
        if order.channels is None:
            return None
        layer = order.layer or self.session.info.default_layer
        return parse_channels(order.channels, self.session.layer(layer).channels if layer is not None else None)

    def _do(self, command: Command) -> Outcome:
        sink = _Terminal()
        run_job(self.session, Job(0, "console", command), sink)
        sink.clear()
        last = sink.last
        if isinstance(last, Failed):
            raise _raised_again(last.problem)
        assert isinstance(last, Finished)
        return last.outcome


def _raised_again(problem: Problem) -> EngineError:
    error = EngineError(problem.title, problem.hint, problem.kind)
    error.detail = problem.detail
    return error


def _say(problem: Problem) -> None:
    if sys.stderr is not None:
        print(f"convviz: {one_line(' '.join(str(problem).split()))}", file=sys.stderr, flush=True)


_MANY = 1_000_000
"""From so many steps on their number says less than the part that is done."""


def _percent(done: int, total: int) -> str:
    return f"{100 * done // total} %"


class _Terminal:
    """Shows progress on one line of stderr if somebody sits there; keeps the last message."""

    def __init__(self) -> None:
        self.last: Message | None = None
        self._seen = sys.stderr is not None and sys.stderr.isatty()
        self._written = False

    def send(self, message: Message) -> None:
        """Show progress, keep what ends a job."""
        match message:
            case Progressed():
                self._show(message)
            case Finished() | Failed() | Cancelled():
                self.last = message
            case Moved():
                self.clear()
                _say(message.problem)
            case Ready() | Started():
                pass

    def wants_preview(self) -> bool:
        """Nobody sees previews here."""
        return False

    def _show(self, message: Progressed) -> None:
        if not self._seen or message.total <= 1:
            return
        left = f", {message.seconds_left:.0f} s left" if message.seconds_left is not None else ""
        # A download counts bytes, and says in its note how many.
        part = f"{message.done} of {message.total}" if message.total < _MANY else _percent(message.done, message.total)
        print(f"\r\x1b[K{part}{left} {one_line(message.note)}", end="", file=sys.stderr, flush=True)
        self._written = True

    def clear(self) -> None:
        """Remove the progress line."""
        if self._written:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._written = False
