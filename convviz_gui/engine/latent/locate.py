"""Where a picture that is not in a dataset belongs on its map."""

from __future__ import annotations

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import Located
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Locate


def locate(session: Session, command: Locate) -> Steps[Located]:
    """Carry out a `Locate`. Raises `EngineError` if the result holds no points or is of another network."""
    del session, command
    yield Update(0, 1, "forward pass")
    raise EngineError("Pictures cannot be placed on a map yet", "Add the picture to the folder")
