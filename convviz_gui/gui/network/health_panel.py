"""The health report: what was found on opening, what was done about it, and which methods apply."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.types import Finding, Level, ModelInfo
from convviz_gui.gui.look import words
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import UNIT, colours
from convviz_gui.gui.network.health_words import LEVELS, heading, in_order, report

WIDTH, HEIGHT = 56 * UNIT, 60 * UNIT


class LevelMark(QWidget):
    """A level by its shape: a triangle warns, a tick was handled, a dot is a fact, a cross does not apply."""

    SIDE = 14

    def __init__(self, level: Level | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = level
        self.setFixedSize(QSize(self.SIDE, self.SIDE))

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_mark(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), self._level, self)


def draw_mark(painter: QPainter, area: QRectF, level: Level | None, widget: QWidget) -> None:
    """Draw a level's shape into a square; None is the cross of a method that does not apply."""
    scheme = colours(widget)
    if level is Level.WARNING:
        painter.setPen(QPen(QColor(scheme.warning), 1.4, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        middle = area.center().x()
        painter.drawPolygon(QPolygonF([QPointF(middle, area.top()), area.bottomRight(), area.bottomLeft()]))
        painter.drawLine(QPointF(middle, area.top() + 4.5), QPointF(middle, area.bottom() - 4.2))
        painter.drawPoint(QPointF(middle, area.bottom() - 2.2))
        return
    painter.setPen(QPen(QColor(scheme.muted), 1.6, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    x, y, side = area.left(), area.top(), area.width()
    if level is Level.HANDLED:
        painter.drawPolyline(
            [
                QPointF(x + side * 0.1, y + side * 0.55),
                QPointF(x + side * 0.4, y + side * 0.85),
                QPointF(x + side * 0.95, y + side * 0.2),
            ]
        )
    elif level is Level.FACT:
        painter.setBrush(QColor(scheme.muted))
        painter.drawEllipse(area.center(), 2, 2)
    else:
        inner = area.adjusted(2, 2, -2, -2)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())


class HealthPanel(QDialog):
    """A sheet over the window with every finding; Escape closes it.

    Signals:
        preprocessing_wanted: the user wants to edit what was guessed; the sheet has closed.
    """

    preprocessing_wanted = Signal()

    def __init__(self, info: ModelInfo, titles: Mapping[str, str], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("palette")
        self.setAccessibleName("Health report")
        self.edit: QPushButton | None = None
        self._text = report(info, titles)
        page = QWidget()
        self._rows = QVBoxLayout(page)
        self._rows.setContentsMargins(0, 0, UNIT, 0)
        self._rows.setSpacing(UNIT * 3 // 2)
        self._fill(info, titles)
        self._rows.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Findings")
        scroll.setWidget(page)
        self._copy = QPushButton("Copy report")
        self._copy.clicked.connect(self._on_copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, 2 * UNIT, UNIT, 2 * UNIT)
        column.setSpacing(UNIT)
        title, facts = _paragraph(info.name, "title"), _paragraph(heading(info), "muted")
        for label in (title, facts):
            column.addWidget(label)
        column.addWidget(scroll, 1)
        column.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignLeft)
        scroll.setFocus()
        needed = page.heightForWidth(WIDTH - 5 * UNIT) + 16 * UNIT
        self.resize(WIDTH, min(HEIGHT, max(needed, 20 * UNIT), parent.window().height() - 12 * UNIT))

    def _fill(self, info: ModelInfo, titles: Mapping[str, str]) -> None:
        for finding in in_order(info.health):
            self._rows.addWidget(_finding_row(finding))
            if finding.kind == "preprocessing" and finding.level is Level.WARNING:
                self._rows.addLayout(self._edit_row())
        if not info.health:
            self._rows.addWidget(_paragraph("Nothing to remark: the network is as the methods like it.", "muted"))
        cannot = dict(info.cannot)
        applies = [title for name, title in titles.items() if name not in cannot]
        if applies or cannot:
            self._rows.addWidget(_paragraph("Methods", "section"))
        for name, reason in cannot.items():
            self._rows.addWidget(_row(None, f"{titles.get(name, name)} does not apply", reason))
        if applies:
            rest = "The others apply" if cannot else "All apply"
            self._rows.addWidget(_row(Level.HANDLED, rest, ", ".join(applies)))

    def _edit_row(self) -> QHBoxLayout:
        self.edit = QPushButton("Edit the preprocessing…")
        self.edit.setAutoDefault(False)
        self.edit.clicked.connect(self._on_edit)
        row = QHBoxLayout()
        # Under the finding's text, beside its mark.
        row.setContentsMargins(LevelMark.SIDE + UNIT, 0, 0, 0)
        row.addWidget(self.edit)
        row.addStretch(1)
        return row

    def _on_edit(self) -> None:
        self.close()
        self.preprocessing_wanted.emit()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)
        self._copy.setText("Copied")


def _finding_row(finding: Finding) -> QWidget:
    row = _row(finding.level, finding.title, finding.detail)
    row.setAccessibleName(f"{LEVELS[finding.level]}: {finding.title}. {finding.detail}")
    return row


def _row(level: Level | None, title: str, detail: str) -> QWidget:
    row = QFrame()
    row.setToolTip("" if level is None else LEVELS[level])
    inner = QHBoxLayout(row)
    inner.setContentsMargins(0, 0, 0, 0)
    inner.setSpacing(UNIT)
    mark = LevelMark(level)
    inner.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    texts = QVBoxLayout()
    texts.setSpacing(2)
    texts.addWidget(_paragraph(title, ""))
    if detail:
        texts.addWidget(_paragraph(detail, "muted"))
    inner.addLayout(texts, 1)
    return row


def _paragraph(text: str, role: str) -> QLabel:
    label = QLabel(words.breakable(text))
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
