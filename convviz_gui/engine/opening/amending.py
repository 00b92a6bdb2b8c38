"""What the user wants otherwise than it was found with a network: its preprocessing, the names of its classes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from convviz_gui.engine.errors import EngineError, problem_from
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.opening.class_names import ClassNames, read_class_names
from convviz_gui.engine.opening.models import UNKNOWN_NAMES
from convviz_gui.engine.preprocess_rules import EDITED, changed, checked, in_words, same_numbers
from convviz_gui.engine.types import Finding, Level, ModelInfo, ModelSpec, Preprocess, PreprocessChange


@dataclass(frozen=True, slots=True)
class Wishes:
    """Read and checked before anything is built; None is for what is to stay as it is found."""

    preprocess: Preprocess | None = None
    change: PreprocessChange | None = None
    names: ClassNames | None = None


def wishes_of(spec: ModelSpec, change: PreprocessChange | None = None) -> Wishes:
    """What `spec` and `change` ask for; reads the class names.

    Raises:
        EngineError: the class names cannot be read, or the preprocessing makes no sense.
    """
    names = read_class_names(spec.class_names) if spec.class_names else None
    return Wishes(spec.preprocess and checked(spec.preprocess), change, names)


def fulfilled(opened: OpenedModel, spec: ModelSpec, wishes: Wishes) -> tuple[OpenedModel, ModelSpec]:
    """The opened network as wished, and the spec that opens it so again. Raises `EngineError` as `changed` does."""
    found = opened.preprocess
    wanted = checked(wishes.preprocess or found)
    if wishes.change is not None:
        wanted = changed(wanted, wishes.change)
    if same_numbers(wanted, found):
        spec = dataclasses.replace(spec, preprocess=None)
    else:
        source = EDITED if wanted.source in ("", found.source) else wanted.source
        wanted = dataclasses.replace(wanted, source=source)
        spec = dataclasses.replace(spec, preprocess=wanted)
        finding = Finding("preprocessing", Level.FACT, "The preprocessing is edited", f"Found was {in_words(found)}")
        # What was guessed of the preprocessing no longer matters.
        others = (earlier for earlier in opened.findings if earlier.kind != finding.kind)
        opened = dataclasses.replace(opened, preprocess=wanted, findings=(*others, finding))
    if wishes.names is not None:
        opened = _named(opened, wishes.names, Path(spec.class_names or "").name)
    return opened, spec


def _named(opened: OpenedModel, names: ClassNames, file: str) -> OpenedModel:
    known = tuple(note.removesuffix(UNKNOWN_NAMES) for note in opened.notes)
    said = (f"Class names from {file}", *names.notes)
    return dataclasses.replace(opened, class_names=names.names, notes=(*known, *said))


def check_count(info: ModelInfo, wishes: Wishes) -> None:
    """Raise `EngineError` unless the names wished for are as many as the network's classes."""
    if wishes.names is not None and len(wishes.names.names) != info.n_classes:
        title = (
            f"{Path(info.spec.class_names or '').name} names {len(wishes.names.names)} classes, "
            f"but {info.name} tells {info.n_classes} apart"
        )
        raise EngineError(title, "Give the names of the classes that it was trained on, in their order")


def cannot_take(opened: OpenedModel, found: Preprocess, error: Exception) -> EngineError:
    """What to say of a network that failed on an input it was not made for."""
    problem = problem_from(error)
    wanted = opened.preprocess
    why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".")
    refusal = EngineError(
        f"{opened.name} cannot take an input of {_shape(wanted)} ({why})", f"Found was {_shape(found)}: go back to it"
    )
    refusal.detail = problem.detail
    return refusal


def _shape(preprocess: Preprocess) -> str:
    channels = "1 channel" if preprocess.channels == 1 else f"{preprocess.channels} channels"
    return f"{channels} and {preprocess.size[0]}×{preprocess.size[1]} pixels"
