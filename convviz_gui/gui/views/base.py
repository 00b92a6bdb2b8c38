"""What every payload view has in common. Views never import each other."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Locate, Nearest, Outcome, Reproject, Result, Target
from convviz_gui.gui.look.stage import Stage
from convviz_gui.gui.selection import Selection

Errand = Reproject | Locate | Nearest
"""What a view may want done about the result on screen."""


class PayloadView(QWidget):
    """Shows the results of one tab, from the first preview to the finished result.

    Signals:
        status: what is under the cursor, in words, for the status bar; "" when nothing is.
        run_wanted: the view's empty state or a double-click asks for a run.
        open_image: path of a picture the user wants in the image tray.
        show_tab: name of a tab ("input", "activations", "filters", "class map", "latent space") to go to; the selection
            says about what.
        show_method: name of a method to go to, in whichever tab it is; the selection says about what.
        settings_wanted: parameters, as (name, value) pairs, that the form of the method on screen is to take.
        layer_wanted: id of the layer that the tab's methods are to be asked at.
        preprocessing_wanted: the user wants to change how photos are prepared for the network.
        compare_wanted: the user wants the result on screen beside another.
        command_wanted: an `Errand` about the result on screen that the user wants done.
        problem: a `Problem` to tell the user.
        screen_changed: `on_screen` is something else now.
    """

    status = Signal(str)
    run_wanted = Signal()
    open_image = Signal(str)
    show_tab = Signal(str)
    show_method = Signal(str)
    settings_wanted = Signal(object)
    layer_wanted = Signal(str)
    preprocessing_wanted = Signal()
    compare_wanted = Signal()
    command_wanted = Signal(object)
    problem = Signal(object)
    screen_changed = Signal()

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection = selection

    def set_content(self, content: QWidget) -> None:
        """Put the view's content on a stage, where sentences can take its place."""
        self.stage = Stage(content)
        self.stage.asked.connect(self.run_wanted)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stage)

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        raise NotImplementedError

    def show_result(self, result: Result) -> None:
        """Show a finished (or stopped) run."""
        raise NotImplementedError

    def show_working(self, command: Errand, preview: Payload) -> None:
        """Show a picture of a wanted command under way."""

    def show_outcome(self, command: Errand, outcome: Outcome) -> None:
        """Show what came of a wanted command."""

    def show_given_up(self, command: Errand) -> None:
        """A wanted command failed or was stopped: show what was there before."""

    def on_screen(self, result: Result) -> Result:
        """What is to be saved when `result` was shown last: that, or what the user has made of it in the view."""
        return result

    def show_message(self, sentence: str, button: str = "") -> None:
        """Show an empty state: a sentence saying what to do and, if `button` is given, a button for `run_wanted`."""
        self.stage.show_message(sentence, button)

    def set_stale(self, stale: bool) -> None:
        """Dim what is shown while a newer run is under way."""
        self.stage.set_stale(stale)

    def target(self, target: Target) -> Target:
        """Refine what the next run is about; the default takes what the selection and the form say."""
        return target
