"""The main window: model and photos on the left, the tabs in the middle, the method on the right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QPaintEvent, QUndoStack
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.jobs import Failed
from convviz_gui.engine.types import Amend, Catalogue, Exported, LoadModel, ModelSpec, MoveModel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.class_list import ClassList
from convviz_gui.gui.network.layer_tree import LayerTree
from convviz_gui.gui.network.model_header import ModelHeader
from convviz_gui.gui.network.model_opener import ModelOpener
from convviz_gui.gui.network.overview_lane import OVERVIEW, OverviewLane
from convviz_gui.gui.network.recent_models import RecentModels
from convviz_gui.gui.photos import samples
from convviz_gui.gui.photos.image_loader import ImageLoader
from convviz_gui.gui.photos.image_tray import ImageTray
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.saver import Saver
from convviz_gui.gui.tabs.tabs import Tabs
from convviz_gui.gui.window.actions import Menus
from convviz_gui.gui.window.commands import Commands
from convviz_gui.gui.window.navigation import Navigation, NavigationButtons
from convviz_gui.gui.window.notices import Notices
from convviz_gui.gui.window.offer import Offer
from convviz_gui.gui.window.status import StatusBar
from convviz_gui.gui.window.window_state import WindowState
from convviz_gui.worker.client import EngineClient
from convviz_gui.worker.mailbox import EXPORT

DEVICE = "device"
"""The notices' topic for devices that failed or cannot be used; it stays until dismissed."""


class MainWindow(QMainWindow):
    """Puts the parts together and connects them; what the menus do is in `commands.py`.

    Signals:
        painted: the window has appeared (sent once).
    """

    painted = Signal()

    def __init__(
        self, client: EngineClient, state: WindowState | None = None, recent: RecentModels | None = None
    ) -> None:
        super().__init__()
        self.client = client
        # Deleted with the window, in its thread: garbage collection may happen in any.
        client.setParent(self)
        self.state = state or WindowState()
        self.recent = recent or RecentModels()
        self.selection = Selection(self)
        self.undo = QUndoStack(self)
        self.loader = ImageLoader(self)
        self.notices = Notices()
        self.offer = Offer()
        self.header = ModelHeader(self.selection)
        self.layers = LayerTree(self.selection)
        self.tray = ImageTray(self.selection, self.loader)
        self.classes = ClassList(self.selection)
        self.tabs = Tabs(self.selection, client, self.undo, self)
        self.opener = ModelOpener(self.selection, client, self.header, self)
        self.overview = OverviewLane(self.selection, client, self)
        self.saver = Saver(client, self)
        self.status = StatusBar(self.selection, client)
        self.catalogue = Catalogue((), ())
        self._appeared = False
        self.navigation = Navigation(self)
        self._lay_out()
        self.commands = Commands(self)
        self.menus = Menus(self, self.commands)
        self._connect()
        if not self.state.restore(self):
            self.arrange()
        self.tabs.start()
        self.layers.tree.setFocus()

    def _lay_out(self) -> None:
        self.setObjectName("main")
        self.setWindowTitle("ConvViz")
        self.setAcceptDrops(True)
        self.setDockOptions(QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks)
        self.setStatusBar(self.status)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        above = QHBoxLayout()
        above.setSpacing(0)
        above.addWidget(NavigationButtons(self.navigation))
        above.addWidget(self.tabs.bar, 1)
        column.addLayout(above)
        column.addWidget(self.notices)
        column.addWidget(self.offer)
        column.addWidget(self.tabs.pages, 1)
        self.setCentralWidget(centre)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.docks = (
            self._dock("model", "Network", _column(self.header, self.layers), left),
            self._dock("images", "Images", _column(self.tray, self.classes), left),
            self._dock("settings", "Settings", self.tabs.panels, right),
        )

    def _dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        self.client.ready.connect(self._on_ready)
        self.client.failed.connect(self._on_failed)
        self.header.open_wanted.connect(self.commands.ask_for_model)
        self.header.health_wanted.connect(self.commands.model.show_health)
        self.header.set_menu(self.menus.model)
        self.offer.accepted.connect(self.commands.model.open_last)
        self.status.stop_wanted.connect(self.client.cancel)
        self.overview.problem.connect(lambda problem: self.notices.tell(OVERVIEW, problem))
        self.overview.settled.connect(lambda: self.notices.settle(OVERVIEW))
        self.opener.began.connect(self._on_opening)
        self.opener.restarted.connect(self._on_restarted)
        self.opener.device_failed.connect(lambda problem: self.notices.tell(DEVICE, problem))
        self.saver.problem.connect(lambda problem: self.notices.tell(EXPORT, problem))
        self.saver.saved.connect(self._on_saved)
        self.tray.problems.connect(lambda problems: self.notices.tell("files", *problems))
        self.tabs.problem.connect(self.notices.tell)
        self.tabs.settled.connect(self.notices.settle)
        self.tabs.status.connect(self.status.say)
        self.tabs.open_image.connect(self.commands.open_picture)
        self.tabs.preprocessing_wanted.connect(self.commands.model.ask_for_preprocessing)
        self.tabs.demo_folder_wanted.connect(self._on_demo_folder)
        self.tabs.save_wanted.connect(self.commands.save_result)
        self.tabs.copy_wanted.connect(self.commands.copy_python)
        self.tabs.compare_wanted.connect(self.commands.compare_result)
        self.selection.model_changed.connect(self._show_title)
        self.selection.image_changed.connect(self._show_title)

    def begin(self, files: Sequence[Path] = ()) -> None:
        """Start the engine, open the demo, then `files`; to be called when the window is on screen."""
        self.client.start()
        self.opener.open(LoadModel(ModelSpec()))
        # Also with files: it is what remains to look at if none of them can be read.
        self.tray.open_sample(samples.toybox(*samples.START))
        self.commands.open_paths(files)
        self.commands.model.offer_last(files)

    def arrange(self) -> None:
        """Put docks and window where they were at first."""
        screen = self.screen().availableGeometry()
        self.resize(min(1440, screen.width() - 4 * UNIT), min(900, screen.height() - 6 * UNIT))
        model, images, settings = self.docks
        for dock, area in (
            (model, Qt.DockWidgetArea.LeftDockWidgetArea),
            (images, Qt.DockWidgetArea.LeftDockWidgetArea),
            (settings, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            dock.setFloating(False)
            self.addDockWidget(area, dock)
            dock.show()
        self.splitDockWidget(model, images, Qt.Orientation.Vertical)
        # On a small screen, or a large one magnified, enough of the width stays for what the window is about.
        widths = [min(44 * UNIT, self.width() // 4), min(35 * UNIT, 3 * self.width() // 10)]
        self.resizeDocks([model, settings], widths, Qt.Orientation.Horizontal)
        self.resizeDocks([model, images], [60 * UNIT, 32 * UNIT], Qt.Orientation.Vertical)

    # -------------------------------------------------------------------------------------------- messages

    def _on_ready(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.header.set_devices(catalogue.devices)
        if catalogue.device_problem is not None:
            self.notices.tell(DEVICE, catalogue.device_problem)
        self.status.set_titles({info.name: info.title for info in catalogue.methods})
        self.tabs.set_methods(catalogue.methods)

    def _on_failed(self, message: Failed) -> None:
        if message.job is None:
            self.notices.tell("engine", message.problem)
            self.header.refresh()

    def _on_opening(self, command: LoadModel | MoveModel | Amend) -> None:
        """What was running stops without having been asked to: that is said, and why."""
        match command:
            case LoadModel():
                why = "another network is being opened"
            case MoveModel():
                why = "the network is being moved"
            case Amend():
                why = "the network is being prepared anew"
        stopped = self.tabs.long_runs()
        if stopped:
            self.status.say(f"{' and '.join(stopped)} {'was' if len(stopped) == 1 else 'were'} stopped: {why}.")

    def _on_demo_folder(self) -> None:
        self.commands.open_demo_folder(self.tabs.current.spec.name)

    def _on_restarted(self) -> None:
        self.overview.run()
        self.tabs.rerun()

    def _on_saved(self, exported: Exported) -> None:
        self.notices.settle(EXPORT)
        self.status.say(f"Saved {len(exported.files)} files in {exported.folder}")

    def _show_title(self) -> None:
        model, image = self.selection.model, self.selection.image
        parts = [image.name if image else "", model.name if model else "", "ConvViz"]
        self.setWindowTitle(" – ".join(part for part in parts if part))

    # ---------------------------------------------------------------------------------------- Qt's events

    def event(self, event: QEvent) -> bool:
        # Space runs, except where it already means something: on a button, a box, a list of choices.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if plain and event.key() == Qt.Key.Key_Space and isinstance(QApplication.focusWidget(), _SPACE_IS_THEIRS):
                event.accept()
                return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        super().paintEvent(event)
        if not self._appeared:
            self._appeared = True
            self.navigation.watch(self.windowHandle())
            QTimer.singleShot(0, self.painted.emit)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() == Qt.Key.Key_Escape and self.notices.isVisible():
            self.notices.dismiss()
        elif event.key() == Qt.Key.Key_Escape and self.offer.isVisible():
            self.offer.hide()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if self.commands.take(event.mimeData(), "dropped picture"):
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        self.state.save(self)
        # Out of sight first: closing waits for the step under way to end.
        self.hide()
        self.loader.close()
        self.client.stop()
        super().closeEvent(event)


_SPACE_IS_THEIRS = (QAbstractButton, QComboBox, QAbstractSpinBox)


def _column(*widgets: QWidget) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget)
    return box
