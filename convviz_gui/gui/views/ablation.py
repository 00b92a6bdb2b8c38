"""How much the answers to a folder of pictures need each channel of a layer."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Ablation, FloatArray, Payload
from convviz_gui.engine.types import ModelInfo, Result
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent, points
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


class AblationView(PayloadView):
    """Shows `Ablation`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._ablation: Ablation | None = None
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.progress = QLabel()
        self.progress.setProperty("role", "muted")
        self.table = BarTable("Channels and what their absence costs")
        self.notes = plain(QLabel(wordWrap=True))
        self.notes.setProperty("role", "muted")
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("The page of this channel (U)")
        self.photo_button = QToolButton()
        self.photo_button.setText("→ switch it off in the photo")
        self.set_content(self._arrange())
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(lambda _row: self.show_method.emit("unit"))
        self.unit_button.clicked.connect(lambda: self.show_method.emit("unit"))
        self.photo_button.clicked.connect(lambda: self.show_method.emit("switch-off"))
        self.selection.channel_changed.connect(self._on_channel)

    def _arrange(self) -> QWidget:
        above, below = QHBoxLayout(), QHBoxLayout()
        above.setSpacing(2 * UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.progress)
        below.addWidget(self.unit_button)
        below.addWidget(self.photo_button)
        below.addStretch(1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(self.table, 1)
        column.addWidget(self.notes)
        column.addLayout(below)
        return content

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show the means over the pictures seen so far."""
        if isinstance(payload, Ablation) and payload.pictures and self.selection.model is not None:
            self._show(payload, self.selection.model)

    def show_result(self, result: Result) -> None:
        """Show a finished (or stopped) run."""
        if isinstance(result.payload, Ablation):
            self._show(result.payload, result.model)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, ablation: Ablation, model: ModelInfo) -> None:
        before, self._ablation = self._ablation, ablation
        same = before is not None and before.layer == ablation.layer
        same = same and before is not None and np.array_equal(before.channels, ablation.channels)
        what = "off" if ablation.factor == 0 else f"× {value(ablation.factor)}"
        self.title.setText(f"{ablation.layer}   one channel after another {what}")
        measure = "accuracy" if ablation.labelled else "agreement"
        seen = f"{ablation.pictures} of {ablation.total} pictures"
        self.progress.setText(f"{seen}, {measure} {percent(ablation.accuracy_before)}" if ablation.labelled else seen)
        self.table.set_columns(_columns(ablation, model), keep=same)
        if not same:
            self.table.sort_by("Δ probability", descending=False)
            self._on_channel()
        self.notes.setText("\n".join(_notes(ablation)))
        self.notes.setVisible(bool(self.notes.text()))
        self.stage.show_content()

    # ----------------------------------------------------------------------------------- what happens here

    def _choose(self, row: int) -> None:
        if self._ablation is not None and self.selection.layer == self._ablation.layer:
            self.selection.set_channel(int(self._ablation.channels[row]))

    def _on_channel(self) -> None:
        ablation = self._ablation
        if ablation is None or self.selection.layer != ablation.layer:
            return
        found = np.flatnonzero(ablation.channels == self.selection.channel)
        if found.size and int(found[0]) != self.table.current_row():
            self.table.select(int(found[0]), show=True)


def _columns(ablation: Ablation, model: ModelInfo) -> list[Column]:
    measure = "accuracy" if ablation.labelled else "agreement"
    moved = ablation.accuracy - np.float32(ablation.accuracy_before)
    of = (
        "each picture's top class"
        if ablation.class_index is None
        else f"the class {model.class_name(ablation.class_index)}"
    )
    hurt = [model.class_name(index) if index >= 0 else "–" for index in ablation.hurt_class.tolist()]
    right = (
        "Change of the part of the pictures that are recognised, in percentage points"
        if ablation.labelled
        else "No label names a class: change of the part of the pictures whose top class stays, in percentage points"
    )
    return [
        Column("channel", [str(channel) for channel in ablation.channels.tolist()], ablation.channels),
        Column(f"Δ {measure}", _points(moved), moved, right, bar=True, stretches=True),
        Column(
            "Δ probability",
            _points(ablation.probability_change),
            ablation.probability_change,
            f"Mean change of the probability of {of}, in percentage points",
            bar=True,
            stretches=True,
        ),
        Column("Δ logit", _signed(ablation.logit_change), ablation.logit_change, f"Mean change of the logit of {of}"),
        Column(
            "flips",
            [str(count) for count in ablation.flips.tolist()],
            ablation.flips,
            "Pictures whose top class changes",
        ),
        Column("hurts most", hurt, tip="The class whose pictures lose most of its probability", stretches=True),
        Column("by", _points(ablation.hurt_change), ablation.hurt_change, "… on average, in percentage points"),
    ]


def _notes(ablation: Ablation) -> list[str]:
    notes = list(ablation.notes)
    if not ablation.labelled and ablation.pictures:
        notes.append("No sub-folder is named like a class: agreement with the unchanged network is shown.")
    if ablation.skipped:
        count = len(ablation.skipped)
        notes.append(f"{count} {'file was' if count == 1 else 'files were'} left out.")
    return notes


def _points(numbers: FloatArray) -> list[str]:
    return [points(float(number)) for number in numbers]


def _signed(numbers: FloatArray) -> list[str]:
    return [f"{float(number):+.2g}".replace("-", "−") for number in numbers]
