"""Which network a weights file is of: a shortlist from the bundled index, then the networks themselves."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.opening.comparison import compare
from convviz_gui.engine.opening.hints import Hints
from convviz_gui.engine.opening.prefixes import is_aside, module_paths, prefixes_of, unwrapped
from convviz_gui.engine.opening.signatures import Group, Index, Shapes, hashed, index, marks_of
from convviz_gui.engine.opening.weights import Checkpoint, read_checkpoint
from convviz_gui.engine.types import Candidate, Candidates
from convviz_gui.engine.zoo.architecture import State
from convviz_gui.engine.zoo.catalogue import find

OFFERED = 8
"""Candidates offered at most where none fits."""

RESHAPED = 12
"""Tensors that may differ although a network fits: the heads' weights and biases, and the first convolutions'."""

_SHORTLIST = 40

_TRAINING_ONLY = re.compile(r"(aux1|aux2|AuxLogits)\.")
"""Heads that torchvision's networks have in training alone."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tells apart networks whose tensors are the same: module paths, the trainer's words, the file's name."""

    marks: frozenset[int]
    hints: Hints
    file: str

    def rank(self, group: Group, member: int) -> tuple[float | int | str, ...]:
        """Sorts the likelier member of a group before the others."""
        library, _, name = group.sources[member].rpartition(":")
        return (
            -self._by_modules(group, member),
            -self._by_words(library, name),
            -len(_plain(name)) if _plain(name) in _plain(self.file) else 0,
            library == "timm",
            len(name),
            name,
        )

    def _by_modules(self, group: Group, member: int) -> float:
        telling = self.marks & frozenset().union(*group.marks)
        own = group.marks[member]
        return len(telling & own) / len(telling | own) if telling else 0.0

    def _by_words(self, library: str, name: str) -> int:
        words = self.hints.architecture.lower()
        said = _plain(words.rpartition("/")[2].partition(".")[0].rpartition(":")[2])
        of_timm = "timm" in words or "pretrained_cfg" in words or bool(self.hints.settings)
        return 2 * (said == _plain(name)) + (of_timm and library == "timm")


def identify(weights: Path) -> Steps[Candidates]:
    """The networks whose tensors have the names and shapes of a file's, best first. Raises as `read_checkpoint`."""
    yield Update(0, 0, f"reading {weights.name}")
    checkpoint = read_checkpoint(weights)
    return (yield from candidates(checkpoint, weights))


def candidates(checkpoint: Checkpoint, weights: Path) -> Steps[Candidates]:
    """The networks that a checkpoint may be of: those that fit whole, or else the nearest, best first."""
    known, state = _known(), checkpoint.state
    view = _best_view(known, state)
    evidence = Evidence(marks_of(module_paths(state, view.prefix)), checkpoint.hints, weights.name)
    shortlist = [_in_order(group, evidence) for group in view.shortlist]
    fitting: list[_Fit] = []
    for group in shortlist:
        if group.missing <= RESHAPED and group.unexpected <= RESHAPED:
            yield Update(0, 0, f"comparing with {group.sources[0]}")
            fitting += _fitting(group, state, view.whole)
    if fitting:
        # Of equal scores the better evidence decides, and not the order of the index.
        fitting.sort(key=lambda fit: (-fit.group.score, evidence.rank(fit.group, 0)))
        named = tuple(Candidate(source, 1.0) for fit in fitting for source in fit.group.sources)
        return Candidates(str(weights), named, fitting[0].n_classes or None)
    near = []
    for group in shortlist[:OFFERED]:
        yield Update(0, 0, f"comparing with {group.sources[0]}")
        near.append(compare(find(group.sources[0]), state).candidate())
    near.sort(key=lambda candidate: -candidate.score)
    return Candidates(str(weights), tuple(candidate for candidate in near if candidate.score > 0))


def recognised(checkpoint: Checkpoint, weights: Path) -> Steps[Candidates]:
    """The networks that a checkpoint fits whole, best first. Raises `EngineError` if there are none."""
    found = yield from candidates(checkpoint, weights)
    if found.candidates and found.candidates[0].fits:
        return found
    title = f"{weights.name} is not of any network that ConvViz knows by name"
    if not found.candidates:
        raise EngineError(title, "Say which network it is of (command line: --model), your own as FILE.py:FACTORY")
    nearest = ", ".join(f"{near.model} ({_percent(near.score)})" for near in found.candidates[:3])
    hint = (
        "Say which network it is of (command line: --model), your own as FILE.py:FACTORY, or load what fits of the "
        f"first and leave the rest random (--model {found.candidates[0].model} --partial)"
    )
    raise EngineError(f"{title}; the nearest are {nearest}", hint)


def _percent(score: float) -> str:
    # What does not fit whole must not be rounded to 100.
    return f"{min(99, round(100 * score))} % of the tensors fit"


def _known() -> Index:
    try:
        return index()
    except FileNotFoundError as error:
        raise EngineError(str(error).rstrip("."), "Install ConvViz again, or name the network") from None


@dataclass(frozen=True, slots=True)
class _View:
    """A file's tensors under a prefix, and the groups nearest to them; `whole` is False if some were passed over."""

    prefix: str
    whole: bool
    shortlist: tuple[Group, ...]

    @property
    def score(self) -> float:
        return self.shortlist[0].score if self.shortlist else 0.0


def _best_view(known: Index, state: State) -> _View:
    """The prefix without which a file looks most like a network that is known."""
    shapes: Shapes = {_modern(unwrapped(name)): tuple(tensor.shape) for name, tensor in state.items()}
    views = []
    for prefix in prefixes_of(shapes):
        inside = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
        kept = {name: shape for name, shape in inside.items() if not (is_aside(name) or _TRAINING_ONLY.match(name))}
        views.append(_View(prefix, len(kept) == len(inside), known.closest(hashed(kept), _SHORTLIST)))
    return max(views, key=lambda view: view.score)


def _modern(name: str) -> str:
    """A name as networks of today have it: older DenseNets had dots in their modules' names."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", name)


def _in_order(group: Group, evidence: Evidence) -> Group:
    """The group with its likeliest member first."""
    order = sorted(range(len(group.sources)), key=lambda member: evidence.rank(group, member))
    return dataclasses.replace(
        group,
        sources=tuple(group.sources[member] for member in order),
        marks=tuple(group.marks[member] for member in order),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """A group that a file fits whole, and the file's class count."""

    group: Group
    n_classes: int


def _fitting(group: Group, state: State, whole: bool) -> list[_Fit]:
    """The group if a file fits it whole; or, where parts of the file were passed over, its members that do."""
    if whole and not group.missing and not group.unexpected:
        # The same names and shapes; which network it really is, opening it will tell.
        return [_Fit(group, group.n_classes)]
    made = []
    # What fits one of them fits them all, unless their libraries pass over different parts.
    for member in range(1 if whole else len(group.sources)):
        found = compare(find(group.sources[member]), state)
        if found.candidate().fits:
            part = slice(member, None if whole else member + 1)
            fits = dataclasses.replace(group, sources=group.sources[part], marks=group.marks[part])
            made.append(_Fit(fits, found.n_classes or found.architecture.n_classes))
    return made


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
