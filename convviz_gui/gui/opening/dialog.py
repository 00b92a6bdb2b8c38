"""The dialog that opens a network: library, weights file, own code, recent; one path each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.model_header import device_name
from convviz_gui.gui.network.recent_models import RecentModel, RecentModels
from convviz_gui.gui.opening.code_page import CodePage, Trust
from convviz_gui.gui.opening.library_page import LibraryPage
from convviz_gui.gui.opening.own_code import digest_of, split_source
from convviz_gui.gui.opening.page import Page
from convviz_gui.gui.opening.recent_page import RecentPage
from convviz_gui.gui.opening.recogniser import Recogniser
from convviz_gui.gui.opening.weights_page import WeightsPage

LIBRARY, WEIGHTS, CODE, RECENT = range(4)
_TITLES = ("&Library", "&Weights file", "Your &code", "&Recent")

PRECISIONS = ("float32", "bfloat16", "float16")
_PRECISION_TIP = (
    "What forward passes compute in. bfloat16 and float16 are quicker on graphics cards and coarser;\n"
    "attributions compute in float32 whatever is chosen here."
)


class OpenModelDialog(QDialog):
    """Asks which network to open.

    Signals:
        chosen: a `LoadModel`.
    """

    chosen = Signal(object)

    def __init__(
        self,
        devices: tuple[str, ...],
        recogniser: Recogniser,
        recent: RecentModels,
        trust: Trust,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a network")
        self.setAcceptDrops(True)
        self._trust = trust
        recogniser.setParent(self)
        self.sections = QTabBar()
        self.sections.setAccessibleName("Where the network comes from")
        self.sections.setDrawBase(False)
        self.sections.setExpanding(False)
        self.library = LibraryPage()
        self.weights = WeightsPage(recogniser)
        self.code = CodePage(trust)
        self.recent = RecentPage(recent)
        self.pages: tuple[Page, ...] = (self.library, self.weights, self.code, self.recent)
        self.stack = QStackedWidget()
        for title, page in zip(_TITLES, self.pages, strict=True):
            self.sections.addTab(title)
            self.stack.addWidget(page if page is self.library else _scrolling(page))
        self.note = plain(QLabel())
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.demo = QPushButton("Open the demo")
        self.demo.setAutoDefault(False)
        self.demo.setToolTip("ToyNet, a small network trained on drawn things: it comes with the program")
        self.device = self._combo("Device", "Where the network computes; automatic takes the fastest there is")
        self.device.addItem("Automatic device", "auto")
        for device in devices:
            self.device.addItem(device_name(device), device)
        self.precision = self._combo("Precision", _PRECISION_TIP)
        for precision in PRECISIONS:
            self.precision.addItem(precision, precision)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.open_button = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        self.open_button.setProperty("primary", True)
        self.open_button.setDefault(True)
        self._lay_out()
        self._connect()
        self._fit_to_screen()
        self.go_to(LIBRARY)

    def _combo(self, name: str, tip: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(tip)
        return combo

    def _lay_out(self) -> None:
        rule = QFrame()
        rule.setObjectName("rule")
        footer = QHBoxLayout()
        footer.setSpacing(UNIT)
        for widget in (self.demo, self.device, self.precision):
            footer.addWidget(widget)
        footer.addWidget(self.note, 1)
        footer.addWidget(self.buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT * 3 // 2)
        column.addWidget(self.sections)
        column.addWidget(self.stack, 1)
        column.addWidget(rule)
        column.addLayout(footer)

    def _connect(self) -> None:
        self.sections.currentChanged.connect(self._on_section)
        for page in self.pages:
            page.changed.connect(self._refresh)
            page.submitted.connect(self._accept)
        self.weights.another_wanted.connect(self._name_it)
        self.demo.clicked.connect(self._open_demo)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        for keys, by in (("Ctrl+PgDown", 1), ("Ctrl+Tab", 1), ("Ctrl+PgUp", -1), ("Ctrl+Shift+Tab", -1)):
            QShortcut(QKeySequence(keys), self, self._stepper(by))

    def _stepper(self, by: int) -> Callable[[], None]:
        return lambda: self.go_to((self.sections.currentIndex() + by) % len(self.pages))

    def _fit_to_screen(self) -> None:
        room = self.screen().availableGeometry().size()
        self.resize(QSize(142 * UNIT, 78 * UNIT).boundedTo(room - QSize(4 * UNIT, 8 * UNIT)))

    # -------------------------------------------------------------------------------------- where to begin

    def go_to(self, section: int) -> None:
        """Show a section: `LIBRARY`, `WEIGHTS`, `CODE` or `RECENT`."""
        self.sections.setCurrentIndex(section)
        self._on_section(section)

    def set_spec(self, spec: ModelSpec) -> None:
        """Start from the open network."""
        if split_source(spec.source) is not None:
            self.ask_again(spec)
        else:
            self.library.show_spec(spec)

    def set_weights(self, path: str) -> None:
        """Start from a weights file: which network it is of is found out."""
        self.go_to(WEIGHTS)
        self.weights.set_file(path)

    def set_code(self, path: str) -> None:
        """Start from a Python file."""
        self.code.set_file(path)
        self.go_to(CODE)

    def ask_again(self, spec: ModelSpec) -> None:
        """Start from own code that was open, and has changed."""
        self.code.show_spec(spec)
        self.go_to(CODE)

    def set_here(self, sources: frozenset[str]) -> None:
        """Tell whose published weights are on this machine."""
        self.library.set_here(sources)

    def set_device(self, device: str, precision: str) -> None:
        """Start from a device and a precision."""
        self.device.setCurrentIndex(max(0, self.device.findData(device)))
        self.precision.setCurrentIndex(max(0, self.precision.findData(precision)))

    # ------------------------------------------------------------------------------------------ what is asked

    def command(self) -> LoadModel | None:
        """What the section on screen asks for, or None while something is missing."""
        spec = self._page().spec()
        if spec is None:
            return None
        return LoadModel(spec, str(self.device.currentData()), str(self.precision.currentData()))

    def _page(self) -> Page:
        return self.pages[self.sections.currentIndex()]

    def _on_section(self, section: int) -> None:
        self.stack.setCurrentIndex(section)
        self._refresh()
        self._page().take_focus()

    def _refresh(self) -> None:
        if self.sender() is self.recent or self._page() is self.recent:
            entry = self.recent.entry()
            if entry is not None and self._page() is self.recent:
                self.set_device(entry.device, entry.precision)
        self.note.setText(self._page().note())
        self.open_button.setEnabled(self._page().spec() is not None)

    def _name_it(self, weights: str) -> None:
        self.library.show_spec(ModelSpec("", weights))
        self.go_to(LIBRARY)

    def _open_demo(self) -> None:
        self.chosen.emit(LoadModel(ModelSpec(), str(self.device.currentData()), str(self.precision.currentData())))
        self.accept()

    def _accept(self) -> None:
        entry = self.recent.entry() if self._page() is self.recent else None
        if entry is not None and has_changed(entry):
            self.ask_again(entry.spec)
            return
        command = self.command()
        if command is None:
            return
        if self._page() is self.code:
            self.code.remember()
        self.chosen.emit(command)
        self.accept()

    # ---------------------------------------------------------------------------------------- Qt's events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        path = next((url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()), "")
        if not path:
            return
        event.acceptProposedAction()
        if Path(path).suffix.lower() == ".py":
            self.set_code(path)
        else:
            self.set_weights(path)


def _scrolling(page: Page) -> QScrollArea:
    """`page` in an area that scrolls: what it has to say must not push the buttons off a small screen."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area


def has_changed(entry: RecentModel) -> bool:
    """True for own code whose file is not the one that was trusted."""
    own = split_source(entry.spec.source)
    return own is not None and digest_of(own[0]) != entry.spec.trusted
