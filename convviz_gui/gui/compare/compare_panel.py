"""The right-hand side of Compare: what is in A and B, their scale, how alike they are and in what they differ."""

from __future__ import annotations

import math
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.compare.comparison import Comparison
from convviz_gui.engine.compare.predictions import predictions
from convviz_gui.gui.compare.slot_row import SlotRow
from convviz_gui.gui.forms.fields import ChoiceBox
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import breakable, percent

_SUMMARY = "Two results beside each other: of other photos, layers, classes, methods or networks."
_NUMBERS = (
    ("pearson", "Correlation", "Pearson's r of the values at every place: 1 in proportion, 0 unrelated, −1 opposite"),
    ("spearman", "Rank correlation", "Spearman's ρ: the same of the order of the values, whatever their scale"),
    (
        "overlap",
        "Overlap of the top 10 %",
        "Of the places among the highest tenth in either, how many are in both",
    ),
    (
        "largest",
        "Largest difference",
        "The largest absolute value of A − B; of parts of each one's maximum where they have no common scale",
    ),
)
_LOCKED, _OWN = "One scale for both", "Each by its own maximum"


class ComparePanel(QWidget):
    """Choosers, numbers and facts.

    Signals:
        scale_chosen: True for one scale, False for each its own.
        swap_wanted, save_wanted: buttons.
    """

    scale_chosen = Signal(bool)
    swap_wanted = Signal()
    save_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = (SlotRow(0), SlotRow(1))
        self.scale = ChoiceBox()
        self.scale.addItem(_LOCKED, True)
        self.scale.addItem(_OWN, False)
        self.scale.setAccessibleName("Scale")
        self.scale.setToolTip(
            "One scale: the same shade is the same raw value in A and B. "
            "Each its own: where a number means something else in each"
        )
        self.scale.activated.connect(lambda _row: self.scale_chosen.emit(bool(self.scale.currentData())))
        self.numbers = {name: QLabel() for name, _, _ in _NUMBERS}
        self.facts = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.said = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.swap = QPushButton("Swap A and B")
        self.swap.setToolTip("X")
        self.swap.clicked.connect(self.swap_wanted)
        self.save = QPushButton("Save…")
        self.save.setToolTip("Save both maps, their difference, the numbers and a picture into a folder (Ctrl+S)")
        self.save.clicked.connect(self.save_wanted)
        self._found_box = self._arrange_found()
        self._lay_out()
        self.show_comparison(None)

    def _arrange_found(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        self._number_box = QWidget()
        grid = QGridLayout(self._number_box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(UNIT // 2)
        grid.setColumnStretch(0, 1)
        for row, (name, title, meaning) in enumerate(_NUMBERS):
            label = QLabel(title, wordWrap=True)
            label.setProperty("role", "muted")
            self.numbers[name].setFont(numbers_font(self.numbers[name].font()))
            for column_number, part in enumerate((label, self.numbers[name])):
                part.setToolTip(meaning)
                grid.addWidget(part, row, column_number)
        column.addWidget(_section("How alike"))
        column.addWidget(self._number_box)
        column.addWidget(_section("What differs"))
        column.addWidget(self.facts)
        self._said_title = _section("What they say of the photo")
        column.addWidget(self._said_title)
        column.addWidget(self.said)
        return box

    def _lay_out(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT * 3 // 2, UNIT)
        column.setSpacing(UNIT)
        title = QLabel("Compare")
        title.setProperty("role", "title")
        summary = QLabel(_SUMMARY, wordWrap=True)
        summary.setProperty("role", "muted")
        for widget in (title, summary, *self.rows, self.scale, self._found_box):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(page)
        rule = QFrame()
        rule.setObjectName("rule")
        footer = QHBoxLayout()
        footer.setContentsMargins(UNIT * 3 // 2, UNIT, UNIT * 3 // 2, UNIT)
        footer.setSpacing(UNIT)
        footer.addWidget(self.swap, 1)
        footer.addWidget(self.save, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(rule)
        whole.addLayout(footer)

    # ------------------------------------------------------------------------------------------ showing

    def show_comparison(self, found: Comparison | None) -> None:
        """Show numbers and facts; None empties them."""
        self._found_box.setVisible(found is not None)
        self.swap.setEnabled(found is not None)
        self.save.setEnabled(found is not None)
        self.scale.setEnabled(found is not None)
        if found is None:
            return
        self.scale.setCurrentIndex(0 if found.locked else 1)
        likeness = found.likeness
        for name, label in self.numbers.items():
            number = getattr(likeness, name) if likeness is not None else math.nan
            label.setText("–" if math.isnan(number) else _number(name, number))
        self.facts.setText(facts_text(found))
        said = predictions_text(found)
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self._said_title.setVisible(bool(said))


def _number(name: str, number: float) -> str:
    return percent(number) if name == "overlap" else value(number if name == "largest" else round(number, 3))


def facts_text(found: Comparison) -> str:
    """Facts in which A and B differ, each with both values and before the others, as rich text."""
    differing = [fact for fact in found.facts if fact.differs]
    rows = [
        f"<p style='margin: 0 0 6px 0'>{escape(fact.name)}<br>"
        f"A&nbsp; <b>{_shown(fact.a)}</b><br>B&nbsp; <b>{_shown(fact.b)}</b></p>"
        for fact in differing
    ]
    if not differing:
        rows.append("<p style='margin: 0 0 6px 0'>Nothing: A and B are the same.</p>")
    same = [f"{escape(fact.name)} {_shown(fact.a)}" for fact in found.facts if not fact.differs]
    return "".join(rows) + (f"<p style='margin: 0'>Both: {' · '.join(same)}</p>" if same else "")


def predictions_text(found: Comparison) -> str:
    """The most probable classes of both where they may differ, as rich text; "" where nothing is known of one."""
    lists = [predictions(side) for side in (found.a, found.b)]
    photos = [side.facts.get("Pixels") for side in (found.a, found.b)]
    if not all(lists) or (found.a.digest == found.b.digest and photos[0] == photos[1]):
        return ""
    return "".join(
        f"<p style='margin: 0 0 6px 0'><b>{name}</b> "
        + "<br>".join(f"{percent(one.probability)}&nbsp; {_shown(one.name)}" for one in said)
        + "</p>"
        for name, said in zip("AB", lists, strict=True)
    )


def _shown(text: str) -> str:
    return escape(breakable(text)) if text else "–"


def _section(title: str) -> QLabel:
    label = QLabel(title)
    label.setProperty("role", "section")
    return label
