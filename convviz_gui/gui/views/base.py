"""What every payload view has in common. Views never import each other."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Result, Target
from convviz_gui.gui.selection import Selection


class PayloadView(QWidget):
    """Shows the results of one tab, from the first preview to the finished result.

    Signals:
        status: what is under the cursor, in words, for the status bar; "" when nothing is.
        run_wanted: the view's empty state or a double-click asks for a run.
        open_image: path of a picture the user wants in the image tray.
        show_tab: name of a tab ("activations", "filters", "class map", "latent space") to go to; the selection says
            about what.
    """

    status = Signal(str)
    run_wanted = Signal()
    open_image = Signal(str)
    show_tab = Signal(str)

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection = selection

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        raise NotImplementedError

    def show_result(self, result: Result) -> None:
        """Show a finished (or stopped) run."""
        raise NotImplementedError

    def show_message(self, sentence: str, button: str = "") -> None:
        """Show an empty state: a sentence saying what to do and, if `button` is given, a button for `run_wanted`."""
        raise NotImplementedError

    def set_stale(self, stale: bool) -> None:
        """Dim what is shown while a newer run is under way."""
        raise NotImplementedError

    def target(self, target: Target) -> Target:
        """Refine what the next run is about; the default takes what the selection and the form say."""
        return target
