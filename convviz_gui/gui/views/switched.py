"""The predictions with some channels switched off, beside those without."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.channels import write_channels
from convviz_gui.engine.payloads import Payload, Switched
from convviz_gui.engine.types import ModelInfo, Result
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent, points
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

MOST = 100
"""Classes listed: those that have most of the probability, before or after."""

_CHOICES = (
    ("Off", "scale", 0.0, "Every value of the channel becomes 0"),
    ("Half", "scale", 0.5, "Every value is halved"),
    ("As it is", "scale", 1.0, "Nothing is changed"),
    ("Double", "scale", 2.0, "Every value is doubled"),
    ("Its mean", "mean", 0.0, "Every value becomes the channel's mean: how much stays, where is gone"),
)


class SwitchedView(PayloadView):
    """Shows `Switched`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._switched: Switched | None = None
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.choices = QButtonGroup(self)
        self.kept = ElidedLabel()
        self.kept.setProperty("role", "muted")
        self.keep_button = QPushButton("Keep it off")
        self.keep_button.setToolTip("Stays switched off while you choose other channels, of this layer or of others")
        self.clear_button = QPushButton("All on again")
        self.clear_button.setToolTip("Forget the channels that were kept off")
        self.verdict = plain(QLabel(wordWrap=True))
        self.table = BarTable("Classes before and after")
        self.notes = plain(QLabel(wordWrap=True))
        self.notes.setProperty("role", "muted")
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about the channel")
        self.unit_button.setToolTip("The page of this channel (U)")
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT // 2)
        for number, (text, _, _, help_text) in enumerate(_CHOICES):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(help_text)
            button.setCheckable(True)
            self.choices.addButton(button, number)
            buttons.addWidget(button)
        buttons.addStretch(1)
        kept = QHBoxLayout()
        kept.setSpacing(UNIT)
        kept.addWidget(self.keep_button)
        kept.addWidget(self.clear_button)
        kept.addWidget(self.kept, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.title)
        column.addLayout(buttons)
        column.addLayout(kept)
        column.addWidget(self.verdict)
        column.addWidget(self.table, 1)
        column.addWidget(self.notes)
        column.addWidget(self.unit_button, 0, Qt.AlignmentFlag.AlignLeft)
        return content

    def _connect(self) -> None:
        self.choices.idClicked.connect(self._on_choice)
        self.keep_button.clicked.connect(self._keep)
        self.clear_button.clicked.connect(lambda: self.settings_wanted.emit((("also", ""),)))
        self.table.opened.connect(self._open)
        self.table.pointed.connect(self._tell)
        self.unit_button.clicked.connect(lambda: self.show_method.emit("unit"))

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """There is none: the answer comes at once."""

    def show_result(self, result: Result) -> None:
        """Show the predictions before and after."""
        if isinstance(result.payload, Switched):
            self._show(result.payload, result.model)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, switched: Switched, model: ModelInfo) -> None:
        before = self._switched
        self._switched = switched
        self._rows = _most(switched)
        self.title.setText(_title(switched))
        for number, (_, how, factor, _) in enumerate(_CHOICES):
            same = how == switched.how and (how == "mean" or factor == switched.factor)
            self._check(number, checked=same)
        more = [f"{layer}: {write_channels(channels)}" for layer, channels in switched.edits]
        several = sum(len(channels) for _, channels in switched.edits) > 1
        self.kept.setText("; ".join(more) if several else "")
        self.clear_button.setEnabled(several)
        self.verdict.setText(_verdict(switched, model))
        self.table.set_columns(_columns(switched, self._rows, model), keep=before is not None)
        self.notes.setText("\n".join(switched.notes))
        self.notes.setVisible(bool(switched.notes))
        self.stage.show_content()

    def _check(self, number: int, *, checked: bool) -> None:
        button = self.choices.button(number)
        # In an exclusive group none can be checked only if the group looks away.
        self.choices.setExclusive(False)
        button.setChecked(checked)
        self.choices.setExclusive(True)

    # ----------------------------------------------------------------------------------- what happens here

    def _on_choice(self, number: int) -> None:
        _, how, factor, _ = _CHOICES[number]
        wanted: tuple[tuple[str, str | float], ...] = (("how", how),)
        self.settings_wanted.emit(wanted if how == "mean" else (*wanted, ("factor", factor)))

    def _keep(self) -> None:
        """Add what is switched off now to what stays so."""
        if self._switched is not None:
            parts = [f"{layer}:{write_channels(tuple(sorted(channels)))}" for layer, channels in self._switched.edits]
            self.settings_wanted.emit((("also", "; ".join(parts)),))

    def _open(self, row: int) -> None:
        self.selection.set_class(self._rows[row])

    def _tell(self, row: int | None) -> None:
        self.status.emit("" if row is None else "double-click or Enter makes this the class in question")


def _most(switched: Switched) -> list[int]:
    """Classes with most probability before or after, the largest first."""
    most = np.maximum(switched.probabilities, switched.probabilities_after)
    return [int(index) for index in np.argsort(-most, kind="stable")[:MOST]]


def _title(switched: Switched) -> str:
    layer, channels = switched.edits[0]
    what = "its mean everywhere" if switched.how == "mean" else f"× {value(switched.factor)}"
    if switched.how == "scale" and switched.factor == 0:
        what = "off"
    count = sum(len(own) for _, own in switched.edits)
    if count > 1:
        return (
            f"{count} channels of {len(switched.edits)} layers: {what}"
            if len(switched.edits) > 1
            else (f"{layer}   channels {write_channels(tuple(sorted(channels)))}: {what}")
        )
    return f"{layer}   channel {channels[0]}: {what}"


def _verdict(switched: Switched, model: ModelInfo) -> str:
    """What became of the class in question, in words."""
    index = switched.class_index
    odds = [float(values[index]) for values in (switched.probabilities, switched.probabilities_after)]
    said = f"{model.class_name(index)}: {percent(odds[0])} → {percent(odds[1])}"
    if len(switched.logits) > 1:
        logits = [value(float(values[index])) for values in (switched.logits, switched.logits_after)]
        said += f", logit {logits[0]} → {logits[1]}"
    tops = [int(values.argmax()) for values in (switched.probabilities, switched.probabilities_after)]
    if tops[0] != tops[1]:
        said += f". The top class is {model.class_name(tops[1])} now"
    return said


def _columns(switched: Switched, rows: list[int], model: ModelInfo) -> list[Column]:
    before, after = switched.probabilities[rows], switched.probabilities_after[rows]
    change = after - before
    columns = [
        Column("class", [model.class_name(index) for index in rows], stretches=True),
        Column("before", [percent(float(number)) for number in before], before, "Probability of the class", True, True),
        Column("after", [percent(float(number)) for number in after], after, "… with the channels changed", True, True),
        Column("change", [points(float(number)) for number in change], change, "In percentage points", True, True),
    ]
    if len(switched.logits) > 1:
        moved = switched.logits_after[rows] - switched.logits[rows]
        tip = "Change of the class's score before softmax: other classes have no part in it"
        columns.append(Column("logit", [_signed(float(number)) for number in moved], moved, tip))
    return columns


def _signed(number: float) -> str:
    return ("+" if number > 0 else "") + value(number)
