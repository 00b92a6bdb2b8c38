"""Some of the points of a map, projected anew and laid where they were."""

from __future__ import annotations

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Reproject, Result


def reproject(session: Session, command: Reproject) -> Steps[Result]:
    """Carry out a `Reproject`. Raises `EngineError` if the result holds no points or the rows are too few."""
    del session, command
    yield Update(0, 1, "projecting")
    raise EngineError("Points cannot be projected anew yet", "Run the whole map again")
