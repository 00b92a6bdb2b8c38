"""What the menus, the header, drops and the offer do to the open network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from convviz_gui.engine.errors import Problem, ProblemKind
from convviz_gui.engine.types import Amend, LoadModel, ModelSpec
from convviz_gui.engine.zoo.index import downloaded
from convviz_gui.gui.network.health_panel import HealthPanel
from convviz_gui.gui.network.health_words import report
from convviz_gui.gui.network.overview_lane import OVERVIEW
from convviz_gui.gui.network.preprocess_dialog import PreprocessDialog
from convviz_gui.gui.network.recent_models import RecentModel
from convviz_gui.gui.opening.dialog import RECENT, OpenModelDialog, has_changed
from convviz_gui.gui.opening.page import NAMES_FILTER
from convviz_gui.gui.opening.recogniser import Recogniser
from convviz_gui.worker.client import SESSION_LANE

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow


class ModelCommands(QObject):
    """Commands about the network of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._plain: LoadModel | None = None
        self._kept = False
        window.opener.problem.connect(self._on_problem)
        window.opener.settled.connect(lambda: window.notices.settle(SESSION_LANE))
        window.opener.restarted.connect(self._on_nothing)
        window.selection.model_changed.connect(self._on_model)
        window.selection.place_changed.connect(self._remember)

    # --------------------------------------------------------------------------------------------- opening

    def ask(self, weights: str = "", code: str = "") -> OpenModelDialog:
        """Show the dialog that opens a network, starting from a weights file or a Python file if one is given."""
        window = self._window
        dialog = OpenModelDialog(
            window.catalogue.devices, Recogniser(window.client), window.recent, window.state, window
        )
        model = window.selection.model
        if model is not None:
            dialog.set_spec(model.spec)
            dialog.set_device("auto", model.precision)
        if weights:
            dialog.set_weights(weights)
        elif code:
            dialog.set_code(code)
        dialog.chosen.connect(self.open)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        self._look_what_is_here(dialog)
        return dialog

    def ask_recent(self) -> None:
        """Show the networks opened before."""
        self.ask().go_to(RECENT)

    def _look_what_is_here(self, dialog: OpenModelDialog) -> None:
        """The dialog does not wait for the disk."""
        closed: list[int] = []
        dialog.finished.connect(closed.append)

        def then(found: object) -> None:
            if isinstance(found, frozenset) and not closed:
                dialog.set_here(found)

        self._window.loader.call(downloaded, then)

    def open(self, command: LoadModel) -> None:
        """Open a network; what was edited of it before is kept."""
        if command.spec.source == "demo":
            self._window.recent.went_to_demo()
        self._window.offer.hide()
        self._plain = command
        spec = self._window.recent.with_kept(command.spec)
        self._kept = spec != command.spec
        self._window.opener.open(dataclasses.replace(command, spec=spec))

    def open_demo(self) -> None:
        """Go back to the demo network."""
        self.open(LoadModel(ModelSpec()))

    def open_recent(self, entry: RecentModel) -> None:
        """Open a network as it was; own code that has changed is asked about first."""
        if has_changed(entry):
            self.ask().ask_again(entry.spec)
        else:
            self.open(LoadModel(entry.spec, entry.device, entry.precision))

    def open_last(self) -> None:
        """Open the network of the last session, or the newest of the recent ones."""
        entries = [entry for entry in self._window.recent.entries() if not entry.obstacle()]
        if entries:
            self.open_recent(entries[0])
        else:
            self._window.status.say("No network was opened before.")

    def offer_last(self, files: Sequence[Path] = ()) -> None:
        """At the start: offer the network of the last session, unless the user named what to open."""
        last = self._window.recent.last()
        if last is not None and not files:
            self._window.offer.offer(last)

    # -------------------------------------------------------------------------------------------- amending

    def ask_for_preprocessing(self) -> None:
        """Change how photos are prepared for the open network."""
        model = self._window.selection.model
        if model is None:
            self._window.status.say("Open a network first.")
            return
        dialog = PreprocessDialog(model, self._window)
        dialog.chosen.connect(lambda preprocess: self._window.opener.amend(Amend(preprocess)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_for_class_names(self) -> None:
        """Take class names from a file."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Class names", self._window.state.folder, NAMES_FILTER)
        if chosen:
            self._window.state.remember_folder(chosen)
            self._window.opener.amend(Amend(class_names=chosen))

    def ask_for_class_folder(self) -> None:
        """Take the names of a dataset's sub-folders for class names."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, "A dataset with a folder for each class", self._window.state.folder
        )
        if chosen:
            self._window.state.remember_folder(chosen)
            self._window.opener.amend(Amend(class_names=chosen))

    def restore_as_found(self) -> None:
        """Preprocessing and class names as they were found from the network."""
        model = self._window.selection.model
        if model is None:
            return
        self._window.recent.forget_kept(model.spec)
        names = "" if model.spec.class_names is not None else None
        if model.found_preprocess is not None or names is not None:
            self._window.opener.amend(Amend(model.found_preprocess, names))
        else:
            self._window.status.say("Preprocessing and class names are as found.")

    def set_precision(self, precision: str) -> None:
        """Compute forward passes in another precision."""
        model = self._window.selection.model
        if model is not None and model.precision != precision:
            self._window.opener.move_to(model.device, precision)

    # ---------------------------------------------------------------------------------------------- health

    def show_health(self) -> None:
        """Show what was found on opening."""
        window = self._window
        if window.selection.model is None:
            return
        panel = HealthPanel(window.selection.model, self._titles(), window)
        panel.preprocessing_wanted.connect(self.ask_for_preprocessing)
        corner = window.header.mapToGlobal(QPoint(0, window.header.height()))
        highest = window.mapToGlobal(QPoint(0, window.height() - panel.height() - 8))
        panel.move(corner.x(), max(0, min(corner.y(), highest.y())))
        panel.show()

    def copy_report(self) -> None:
        """Copy the health report as text."""
        model = self._window.selection.model
        if model is not None:
            QGuiApplication.clipboard().setText(report(model, self._titles()))
            self._window.status.say("The health report is in the clipboard.")

    def _titles(self) -> dict[str, str]:
        return {info.name: info.title for info in self._window.catalogue.methods if info.name != OVERVIEW}

    # -------------------------------------------------------------------------------------------- messages

    def _on_model(self) -> None:
        model = self._window.selection.model
        if model is None:
            return
        if model.spec.source != "demo":
            self._window.offer.hide()
        self._remember()
        if self._kept:
            self._kept = False
            self._window.status.say("What you edited last time is kept. Model ▸ As found undoes it.")

    def _on_nothing(self) -> None:
        self._kept = False

    def _remember(self) -> None:
        model, devices = self._window.selection.model, self._window.catalogue.devices
        if model is not None:
            best = bool(devices) and devices[0] == model.device
            self._window.recent.remember(model, "auto" if best else model.device)

    def _on_problem(self, problem: Problem) -> None:
        remedy = None
        plain = self._plain
        if self._kept and plain is not None and problem.kind is ProblemKind.USER:
            # What was kept may be the reason: a file of class names that has changed, say.
            remedy = ("Open as found", lambda: self._open_plainly(plain))
        elif problem.kind is ProblemKind.RESOURCE:
            remedy = ("Try again", self._window.opener.retry)
        self._kept = False
        self._window.notices.tell(SESSION_LANE, problem, remedy=remedy)

    def _open_plainly(self, command: LoadModel) -> None:
        self._window.recent.forget_kept(command.spec)
        self._window.opener.open(command)
