"""What the model says of the photo: the top classes as bars; a click makes a class the target of class maps."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QVBoxLayout, QWidget

from convviz_gui.gui.look import words
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font
from convviz_gui.gui.selection import Selection

TOP = 5


class ClassBar(QAbstractButton):
    """One class: its name, its probability as a bar and a number; checked when class maps explain it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.class_index = -1
        self._probability = 0.0
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(numbers_font(self.font()))

    def show_class(self, index: int, name: str, probability: float, *, chosen: bool) -> None:
        """Show a class; `probability` in 0…1."""
        self.class_index = index
        self._probability = probability
        self.setText(name)
        self.setChecked(chosen)
        self.setAccessibleName(f"{name}, {words.percent(probability)}")
        after = "Click to explain the top class again" if chosen else "Click to explain this class in class maps"
        self.setToolTip(tip(f"{name} (class {index})\n{probability:.4f}\n{after}"))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(25 * UNIT, self.fontMetrics().height() + UNIT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(12 * UNIT, self.sizeHint().height())

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scheme = colours(self)
        area = QRectF(self.rect()).adjusted(UNIT / 2, 1, -UNIT / 2, -1)
        accent = QColor(scheme.accent)
        if self.isChecked() or self.underMouse() or self.hasFocus():
            painter.setPen(accent if self.isChecked() or self.hasFocus() else QColor(scheme.line))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        bar = QRectF(area.left(), area.bottom() - 3, area.width() * self._probability, 3)
        painter.fillRect(bar, accent if self.isEnabled() else QColor(scheme.faint))
        value = words.percent(self._probability)
        metrics = self.fontMetrics()
        inner = area.adjusted(UNIT / 2, 0, -UNIT / 2, -3)
        room = inner.width() - metrics.horizontalAdvance(value) - UNIT
        name = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, int(room))
        painter.setPen(QColor(scheme.text))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(scheme.muted))
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)


class ClassList(QWidget):
    """The top classes of the current photo, and the chosen class where it is none of them."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._note = QLabel("The predictions appear here.")
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self._note.setContentsMargins(UNIT, 0, UNIT, 0)
        self.bars = [ClassBar(self) for _ in range(TOP + 1)]
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT // 2, UNIT // 2, UNIT // 2, UNIT // 2)
        column.setSpacing(1)
        column.addWidget(self._note)
        for bar in self.bars:
            column.addWidget(bar)
            bar.clicked.connect(self._on_clicked)
            bar.hide()
        column.addStretch(1)
        selection.overview_changed.connect(self._refresh)
        selection.class_changed.connect(self._refresh)
        selection.model_changed.connect(self._refresh)

    def _on_clicked(self) -> None:
        bar = self.sender()
        if isinstance(bar, ClassBar):
            again = bar.class_index == self._selection.class_index
            self._selection.set_class(None if again else bar.class_index)
            self._refresh()

    def _refresh(self) -> None:
        overview, model = self._selection.overview, self._selection.model
        if overview is None or model is None:
            # The bars stay, dimmed, until the new photo's come: no flicker between two pictures.
            for bar in self.bars:
                bar.setEnabled(False)
            return
        probabilities = overview.probabilities
        finite = bool(np.isfinite(probabilities).all())
        self._note.setText("The network's output is not a number for this photo.")
        self._note.setVisible(not finite)
        shown = np.argsort(-probabilities, kind="stable")[:TOP].tolist() if finite else []
        chosen = self._selection.class_index
        if finite and chosen is not None and chosen not in shown and chosen < len(probabilities):
            shown.append(chosen)
        for bar, index in zip(self.bars, shown, strict=False):
            bar.show_class(index, model.class_name(index), float(probabilities[index]), chosen=index == chosen)
        for number, bar in enumerate(self.bars):
            bar.setEnabled(True)
            bar.setVisible(number < len(shown))
