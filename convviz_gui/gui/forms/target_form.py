"""What a method is asked about: rows for layer, channels, class and folder, as the method needs them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import MethodInfo, Target
from convviz_gui.gui.forms.fields import IntBox
from convviz_gui.gui.forms.form import form_layout
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.tab_spec import TabSpec

_TOP_CLASS = "Top class"
_FIRST = "first 64"
_SEED = "seed"


class TargetForm(QWidget):
    """Rows by `MethodInfo.needs`.

    Signals:
        changed: what a run would be about has changed by this form's hand.
        demo_folder_wanted: the user asks for the demo's folder.
    """

    changed = Signal()
    demo_folder_wanted = Signal()

    def __init__(self, tab: TabSpec, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tab = tab
        self._selection = selection
        self._needs: frozenset[str] = frozenset()
        self._rows = form_layout(self)
        self.layer = QComboBox() if tab.automatic else None
        self._tree_layer = None if tab.automatic else ElidedLabel()
        self.channels = QLineEdit(_FIRST)
        self.classes = QComboBox()
        self.folder = QLineEdit()
        self.seed = IntBox()
        self._layer_row = self._set_up_layer()
        self._set_up_channels()
        self._set_up_classes()
        self._folder_row = self._set_up_folder()
        self._set_up_seed()
        selection.model_changed.connect(self._on_model)
        selection.layer_changed.connect(self._show_layer)
        selection.class_changed.connect(self._show_class)
        selection.overview_changed.connect(self._show_class)
        self._show_rows()
        self._on_model()

    def _set_up_layer(self) -> QWidget:
        row: QWidget | None = self._tree_layer
        if self.layer is not None:
            self.layer.addItems(["Automatic", "Selected in the tree"])
            self.layer.setAccessibleName("Layer")
            self.layer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.layer.setMinimumContentsLength(8)
            self.layer.setToolTip("Automatic: the layer this method is usually asked at")
            self.layer.activated.connect(self._on_changed)
            row = self.layer
        assert row is not None
        self._rows.addRow("Layer", row)
        return row

    def _set_up_channels(self) -> None:
        self.channels.setAccessibleName("Channels")
        self.channels.setToolTip("Channels by number: 0,3,8-15 · or “first 64” · or “all”")
        self.channels.editingFinished.connect(self._on_changed)
        self.channels.textChanged.connect(self._mark_channels)
        self._rows.addRow("Channels", self.channels)

    def _set_up_classes(self) -> None:
        self.classes.setAccessibleName("Class")
        self.classes.setToolTip("The class to explain. Type to search; the predictions on the left choose it too.")
        self.classes.setEditable(True)
        self.classes.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.classes.setMinimumContentsLength(8)
        completer = self.classes.completer()
        assert completer is not None
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.classes.activated.connect(self._on_class)
        line = self.classes.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._show_class)
        self._rows.addRow("Class", self.classes)

    def _set_up_folder(self) -> QWidget:
        self.folder.setAccessibleName("Folder")
        self.folder.setAcceptDrops(False)
        self.folder.setPlaceholderText("A folder of pictures")
        self.folder.setToolTip("Sub-folders, where there are any, become the labels")
        self.folder.editingFinished.connect(self._on_changed)
        browse, demo = QPushButton("Browse…"), QPushButton("Demo pictures")
        demo.setToolTip("600 Toybox pictures in 12 classes, a few of them wrongly labelled or odd: find them")
        browse.clicked.connect(self._browse)
        demo.clicked.connect(self.demo_folder_wanted)
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.folder)
        buttons = QHBoxLayout()
        buttons.addWidget(browse)
        buttons.addWidget(demo)
        column.addLayout(buttons)
        self._rows.addRow("Folder", row)
        return row

    def _set_up_seed(self) -> None:
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Where chance begins. The same seed gives the same result")
        self.seed.valueChanged.connect(self._on_changed)
        self._rows.addRow("Seed", self.seed)

    def set_method(self, info: MethodInfo) -> None:
        """Show the rows the method needs; only what runs on demand leaves anything to chance."""
        self._needs = info.needs if info.live else info.needs | {_SEED}
        self._show_rows()

    def _show_rows(self) -> None:
        rows = (
            ("layer", self._layer_row),
            ("channels", self.channels),
            ("class", self.classes),
            ("folder", self._folder_row),
            (_SEED, self.seed),
        )
        for need, row in rows:
            self._rows.setRowVisible(row, need in self._needs)

    def uses_tree(self) -> bool:
        """True if the layer chosen in the tree is the one asked about."""
        return "layer" in self._needs and (self.layer is None or self.layer.currentIndex() == 1)

    def target(self) -> Target:
        """What the next run is about. Raises `EngineError` for channels that cannot be read."""
        model = self._selection.model
        layer = None
        if "layer" in self._needs and model is not None:
            automatic = self._tab.automatic(model) if self._tab.automatic else None
            layer = self._selection.layer if self.uses_tree() else automatic
        channels = None
        if "channels" in self._needs and model is not None and layer is not None:
            node = model.find(layer)
            if node is None or node.channels is None:
                raise EngineError(f"{layer} has no channels", "Choose a layer with maps or a vector in the tree")
            channels = parse_channels(self.channels.text(), node.channels)
        return Target(layer, channels, self._selection.class_index if "class" in self._needs else None)

    def chosen_folder(self) -> str | None:
        """The folder as an absolute path, or None."""
        text = self.folder.text().strip()
        return str(Path(text).expanduser().absolute()) if text and "folder" in self._needs else None

    def set_folder(self, folder: str) -> None:
        """Choose a folder."""
        self.folder.setText(folder)
        self.folder.setCursorPosition(0)
        self._on_changed()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder of pictures", self.folder.text())
        if chosen:
            self.set_folder(chosen)

    def _on_changed(self) -> None:
        self.changed.emit()

    def _on_model(self) -> None:
        self.classes.blockSignals(True)
        self.classes.clear()
        self.classes.addItem(_TOP_CLASS)
        model = self._selection.model
        if model is not None:
            self.classes.addItems([f"{model.class_name(index)}" for index in range(model.n_classes)])
        self.classes.blockSignals(False)
        self._show_layer()
        self._show_class()

    def _show_layer(self) -> None:
        model = self._selection.model
        chosen = self._selection.layer or "–"
        if self._tree_layer is not None:
            self._tree_layer.setText(chosen)
        if self.layer is not None and model is not None and self._tab.automatic is not None:
            self.layer.setItemText(0, f"Automatic ({self._tab.automatic(model) or '–'})")
            self.layer.setItemText(1, f"Selected in the tree: {chosen}")
        self._mark_channels()

    def _on_class(self, row: int) -> None:
        self._selection.set_class(None if row <= 0 else row - 1)
        self._show_class()

    def _show_class(self) -> None:
        chosen, overview, model = self._selection.class_index, self._selection.overview, self._selection.model
        top = _TOP_CLASS
        if overview is not None and model is not None and overview.probabilities.size:
            top = f"{_TOP_CLASS} ({model.class_name(int(overview.probabilities.argmax()))})"
        self.classes.setItemText(0, top)
        self.classes.setCurrentIndex(0 if chosen is None else chosen + 1)
        self.classes.setEditText(self.classes.currentText())
        line = self.classes.lineEdit()
        if line is not None:
            line.setCursorPosition(0)

    def _mark_channels(self) -> None:
        node = self._selection.node()
        problem = ""
        if node is not None and node.channels is not None:
            try:
                parse_channels(self.channels.text(), node.channels)
            except EngineError as error:
                problem = str(error)
        if bool(self.channels.property("invalid")) != bool(problem):
            self.channels.setProperty("invalid", bool(problem))
            self.channels.style().polish(self.channels)
        self.channels.setToolTip(problem or "Channels by number: 0,3,8-15 · or “first 64” · or “all”")
