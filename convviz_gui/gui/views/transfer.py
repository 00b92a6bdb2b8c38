"""Which layer tells a dataset's labels best: accuracy over depth, and the best layer in words."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.depiction.transfer import transfer_table
from convviz_gui.engine.desk.transfer_words import best_row, guessing, measure, verdict
from convviz_gui.engine.payloads import RAW_PIXELS, Judged, Payload, Transfer
from convviz_gui.engine.types import Result
from convviz_gui.gui.charts.curves_chart import Ink
from convviz_gui.gui.charts.layers_chart import LayersChart, Line
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture_files import save_table
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

_GUESS = "commonest label"
_INPUT = "@input"


class TransferView(PayloadView):
    """Shows `Transfer`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._transfer: Transfer | None = None
        self._layer = -1
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.verdict = plain(QLabel(wordWrap=True))
        self.facts = plain(QLabel(wordWrap=True))
        self.facts.setProperty("role", "muted")
        self.balanced = QCheckBox("Balanced")
        self.balanced.setToolTip(
            "Every label counts alike, however many pictures it has: the mean of each label's share"
        )
        self.save_button = QPushButton("Save CSV…")
        self.save_button.setToolTip("A row for every layer, with intervals")
        self.chart = LayersChart("Accuracy by layer")
        self.reading = plain(QLabel(wordWrap=True))
        self.reading.setProperty("role", "muted")
        self.map_button = QPushButton("Show its latent space")
        self.map_button.setToolTip("Draw the map of this dataset as the chosen layer sees it")
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        above = QHBoxLayout()
        above.setSpacing(2 * UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.balanced)
        above.addWidget(self.save_button)
        below = QHBoxLayout()
        below.setSpacing(2 * UNIT)
        below.addWidget(self.reading, 1)
        below.addWidget(self.map_button)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(self.verdict)
        column.addWidget(self.chart, 1)
        column.addLayout(below)
        column.addWidget(self.facts)
        self.setFocusProxy(self.chart)
        return content

    def _connect(self) -> None:
        self.balanced.clicked.connect(self._draw)
        self.save_button.clicked.connect(self._save)
        self.chart.pointed_changed.connect(self._on_pointed)
        self.chart.chosen.connect(self.choose)
        self.map_button.clicked.connect(self._show_map)
        self.selection.layer_changed.connect(self._on_layer)

    def show_preview(self, payload: Payload) -> None:
        """Show the layers that are judged so far."""
        if isinstance(payload, Transfer):
            self._show(payload, "The layers appear as they are judged.")

    def show_result(self, result: Result) -> None:
        """Show a finished check."""
        if isinstance(result.payload, Transfer):
            stopped = "" if result.payload.final else " Layers are missing: the check was stopped."
            self._show(result.payload, verdict(result.payload) + stopped)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, transfer: Transfer, said: str) -> None:
        before, self._transfer = self._transfer, transfer
        if before is None or before.labels != transfer.labels:
            self.balanced.setChecked(transfer.uneven)
        pictures, labels = len(transfer.paths), len(transfer.labels)
        self.title.setText(f"{Path(transfer.folder).name}   {pictures:,} pictures   {labels:,} labels")
        self.verdict.setText(said)
        self.facts.setText("  ·  ".join((transfer.scored_by[:1].upper() + transfer.scored_by[1:], *transfer.notes)))
        self.save_button.setEnabled(bool(transfer.layers))
        self._draw()
        self._on_layer()
        self.stage.show_content()

    def _draw(self) -> None:
        transfer = self._transfer
        if transfer is None:
            return
        balanced = self.balanced.isChecked()

        def line(name: str, judged: Judged, ink: Ink) -> Line:
            values, ends = measure(judged, balanced=balanced)
            return Line(name, values[1:], ends[1:], ink, float(values[0]))

        lines = (
            line("linear probe", transfer.probe, Ink.ACCENT),
            line(f"{transfer.neighbours} nearest neighbours", transfer.knn, Ink.SECOND),
        )
        guess = guessing(transfer, balanced=balanced)
        best = best_row(transfer, balanced=balanced) - 1
        self.chart.show_lines(transfer.layers, lines, (RAW_PIXELS, _GUESS), guess, best)
        self._read()

    def _read(self) -> None:
        transfer, pointed = self._transfer, self.chart.pointed
        if transfer is None:
            return
        place = pointed if pointed >= 0 else self._layer
        known = 0 <= place < len(transfer.layers)
        self.reading.setText(self.chart.text(place) if known else "Click a layer to choose it in the window.")
        self.map_button.setEnabled(self._map_layer() is not None)

    # ----------------------------------------------------------------------------------- what happens here

    def choose(self, place: int) -> None:
        """Choose a layer, here and in the tree (of "fc@input" the layer that it goes into)."""
        if self._transfer is None:
            return
        self._layer = place
        self.selection.set_layer(self._transfer.layers[place].removesuffix(_INPUT))
        self.chart.set_current(place)
        self._read()

    def _on_layer(self) -> None:
        """The layer chosen elsewhere in the window is marked here, too."""
        if self._transfer is None:
            return
        layers = self._transfer.layers
        shown = layers[self._layer].removesuffix(_INPUT) if 0 <= self._layer < len(layers) else None
        if shown != self.selection.layer:
            wanted = self.selection.layer
            self._layer = layers.index(wanted) if wanted in layers else -1
        self.chart.set_current(self._layer)
        self._read()

    def _on_pointed(self, place: int) -> None:
        self._read()
        self.status.emit(self.chart.text(place) if place >= 0 else "")

    def _map_layer(self) -> str | None:
        """The layer chosen here, if the map can be drawn of it: of what goes into a layer only the classifier's."""
        if self._transfer is None or not 0 <= self._layer < len(self._transfer.layers):
            return None
        layer, model = self._transfer.layers[self._layer], self.selection.model
        return layer if _INPUT not in layer or (model is not None and layer == model.penultimate_layer) else None

    def _show_map(self) -> None:
        layer = self._map_layer()
        if layer is not None:
            self.layer_wanted.emit(layer)
            self.show_method.emit("latent")

    def _save(self) -> None:
        if self._transfer is not None:
            suggested = f"{Path(self._transfer.folder).name} transfer"
            save_table(self, "transfer check", suggested, transfer_table(self._transfer))
