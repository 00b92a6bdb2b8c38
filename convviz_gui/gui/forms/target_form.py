"""What a method is asked about: rows for layer, channels, class and folder, as the method needs them."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Target
from convviz_gui.gui.forms.class_combo import ClassCombo
from convviz_gui.gui.forms.fields import IntBox
from convviz_gui.gui.forms.folder_row import FolderRow
from convviz_gui.gui.forms.form import form_layout
from convviz_gui.gui.forms.place_row import PlaceRow
from convviz_gui.gui.forms.source_row import SourceRow
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.tab_spec import TabSpec

_TOP_CLASS = "Top class"
_OWN_TOP_CLASS = "Each picture's top class"
_ALL_CLASSES = "All classes"
_NOTHING = "No other class"
_SEED = "seed"


class TargetForm(QWidget):
    """Rows by what the method needs (`MethodInfo.needs_with`).

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
        self.channels = QLineEdit(tab.channels)
        self.channel = IntBox()
        self.source = SourceRow(selection)
        self.classes = ClassCombo(_TOP_CLASS)
        self.against = ClassCombo(_NOTHING)
        self._against: int | None = None
        self.folder = FolderRow(selection)
        self.place = PlaceRow(selection)
        self.seed = IntBox()
        self._layer_row = self._set_up_layer()
        self._set_up_channels()
        self._set_up_classes()
        self.folder.demo_wanted.connect(self.demo_folder_wanted)
        self._rows.addRow("Place", self.place)
        self._rows.addRow("Folder", self.folder)
        self._set_up_seed()
        selection.model_changed.connect(self._on_model)
        selection.layer_changed.connect(self._show_layer)
        selection.layer_changed.connect(self._show_channel)
        selection.channel_changed.connect(self._show_channel)
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
        self.channel.setAccessibleName("Channel")
        self.channel.setToolTip("The channel chosen in the grid; another one here becomes the chosen one")
        self.channel.valueChanged.connect(self._selection.set_channel)
        self._rows.addRow("Channel", self.channel)
        self.source.changed.connect(self._on_source)
        self._rows.addRow("Explain", self.source)
        self.classes.setAccessibleName("Class")
        self.classes.setToolTip("The class to explain. Type to search; the predictions on the left choose it too.")
        self.classes.chosen.connect(self._on_class)
        self._rows.addRow("Class", self.classes)
        self.against.setAccessibleName("Against")
        self.against.setToolTip(
            "Explain what speaks for the class rather than for this one: the difference of the two scores"
        )
        self.against.chosen.connect(self._on_against)
        self._rows.addRow("Against", self.against)

    def _set_up_seed(self) -> None:
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Where chance begins. The same seed gives the same result")
        self.seed.valueChanged.connect(self._on_changed)
        self._rows.addRow("Seed", self.seed)

    def set_needs(self, needs: frozenset[str], *, by_chance: bool) -> None:
        """Show the rows for what a method needs; `by_chance`: it depends on the seed."""
        wanted = needs | {_SEED} if by_chance else needs
        if wanted != self._needs:
            self._needs = wanted
            self._show_rows()
            self._show_class()

    def _show_rows(self) -> None:
        needs, source = self._needs, "source" in self._needs
        of_class = (bool({"class", "classes"} & needs) and not source) or (source and not self.source.is_channel())
        rows: tuple[tuple[bool, QWidget], ...] = (
            ("layer" in needs, self._layer_row),
            ("channels" in needs, self.channels),
            ("channel" in needs, self.channel),
            (source, self.source),
            (of_class, self.classes),
            ("against" in needs and of_class, self.against),
            ("place" in needs, self.place),
            (bool({"folder", "optional folder"} & needs), self.folder),
            (_SEED in needs, self.seed),
        )
        for shown, row in rows:
            self._rows.setRowVisible(row, shown)

    def uses_tree(self) -> bool:
        """True if the layer chosen in the tree is the one asked about."""
        if "source" in self._needs:
            return self.source.is_channel()
        return "layer" in self._needs and (self.layer is None or self.layer.currentIndex() == 1)

    def ask_at(self, layer: str) -> None:
        """Ask at this layer: the automatic one, or else the one in the tree, which becomes it."""
        model = self._selection.model
        automatic = self._tab.automatic(model) if self._tab.automatic is not None and model is not None else None
        if layer != automatic:
            self._selection.set_layer(layer)
        if self.layer is not None:
            self.layer.setCurrentIndex(0 if layer == automatic else 1)
        self._on_changed()

    def uses_channel(self) -> bool:
        """True if the channel chosen in the grid is the one asked about."""
        return "channel" in self._needs or ("source" in self._needs and self.source.is_channel())

    def target(self) -> Target:
        """What the next run is about. Raises `EngineError` for channels or a unit that cannot be read."""
        model, selection = self._selection.model, self._selection
        if "source" in self._needs and self.source.is_channel():
            return self.source.target()
        layer = None
        if "layer" in self._needs and model is not None:
            automatic = self._tab.automatic(model) if self._tab.automatic else None
            layer = selection.layer if self.uses_tree() else automatic
        target = Target(layer, class_index=selection.class_index if self._explains_a_class() else None)
        if "against" in self._needs and self._against != selection.class_index:
            target = dataclasses.replace(target, against=self._against)
        if "place" in self._needs:
            target = dataclasses.replace(target, unit=self.place.unit())
        if "channel" in self._needs:
            return dataclasses.replace(target, channels=(selection.channel,))
        if "channels" in self._needs and model is not None and layer is not None:
            node = model.find(layer)
            if node is None or node.channels is None:
                raise EngineError(f"{layer} has no channels", "Choose a layer with maps or a vector in the tree")
            return dataclasses.replace(target, channels=parse_channels(self.channels.text(), node.channels))
        return target

    def _explains_a_class(self) -> bool:
        return bool({"class", "classes", "source"} & self._needs)

    def chosen_seed(self) -> int:
        """The seed, or 0 of a method that does not ask for one."""
        return self.seed.value() if _SEED in self._needs else 0

    def chosen_folder(self) -> str | None:
        """The window's folder as an absolute path, or None."""
        return self._selection.folder if {"folder", "optional folder"} & self._needs else None

    def set_folder(self, folder: str) -> None:
        """Choose a folder."""
        self._selection.set_folder(folder)

    def _on_changed(self) -> None:
        self.changed.emit()

    def _on_model(self) -> None:
        self._against = None
        self.classes.set_model(self._selection.model)
        self.against.set_model(self._selection.model)
        self._show_layer()
        self._show_channel()
        self._show_class()

    def _on_source(self) -> None:
        self._show_rows()
        self._on_changed()

    def _show_channel(self) -> None:
        node = self._selection.node()
        self.channel.blockSignals(True)
        self.channel.setRange(0, max((node.channels or 1) - 1 if node is not None else 0, 0))
        self.channel.setValue(self._selection.channel)
        self.channel.blockSignals(False)

    def _show_layer(self) -> None:
        model = self._selection.model
        chosen = self._selection.layer or "–"
        if self._tree_layer is not None:
            self._tree_layer.setText(chosen)
        if self.layer is not None and model is not None and self._tab.automatic is not None:
            self.layer.setItemText(0, f"Automatic ({self._tab.automatic(model) or '–'})")
            self.layer.setItemText(1, f"Selected in the tree: {chosen}")
        self._mark_channels()

    def _on_class(self, index: int | None) -> None:
        self._selection.set_class(index)
        self._show_class()

    def _on_against(self, index: int | None) -> None:
        self._against = index
        self.against.show_class(index)
        self._on_changed()

    def _show_class(self) -> None:
        overview, model = self._selection.overview, self._selection.model
        top = _TOP_CLASS
        if overview is not None and model is not None and overview.probabilities.size:
            top = f"{_TOP_CLASS} ({model.class_name(int(overview.probabilities.argmax()))})"
        if "folder" in self._needs and "image" not in self._needs:
            top = _OWN_TOP_CLASS
        self.classes.set_first(_ALL_CLASSES if "classes" in self._needs else top)
        self.classes.show_class(self._selection.class_index)

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
