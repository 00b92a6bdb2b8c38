"""The layer whose space a run is about."""

from __future__ import annotations

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Run


def chosen_layer(session: Session, request: Run) -> str:
    """The layer that was asked for, or what the classifier looks at. Raises `EngineError` if it cannot be told."""
    wanted = request.target.layer
    if wanted is not None:
        # "fc@input" names what goes into a layer; the tree has only layers.
        return wanted if "@" in wanted else session.layer(wanted).id
    if session.info.penultimate_layer is None:
        raise EngineError("It cannot be told what this network's classifier looks at", "Choose a layer (--layer ID)")
    return session.info.penultimate_layer
