"""What the colours of the map mean: a list of classes to dim and show again, or a scale."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QKeyEvent, QPainter, QPalette, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.palette import DISTINCT
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.point_colours import Colouring
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.qimage import to_qimage

_SWATCH = 12
_GAP = 4


class Legend(QWidget):
    """Shows a `Colouring`.

    Signals:
        dimmed_changed: the classes to dim have changed; read `dimmed`.
        reflowed: the columns have changed, and with them `full_height`.
    """

    dimmed_changed = Signal()
    reflowed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colouring: Colouring | None = None
        self._dimmed: set[int] = set()
        self._colours: list[QColor] = []
        self.title = ElidedLabel()
        self.title.setProperty("role", "section")
        self.note = plain(QLabel(wordWrap=True))
        self.note.hide()
        self.note.setProperty("role", "muted")
        self.classes = _ClassList()
        self.classes.itemClicked.connect(self._toggle)
        self.classes.reflowed.connect(self.reflowed)
        self.classes.key_pressed.connect(self._toggle)
        self.classes.customContextMenuRequested.connect(self._menu)
        self.scale = ScaleBar()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.classes)
        self._pages.addWidget(self.scale)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.note)
        column.addWidget(self._pages, 1)

    def dimmed(self) -> frozenset[int]:
        """Places in `Colouring.groups` of the classes that are dimmed."""
        return frozenset(self._dimmed)

    def full_height(self) -> int:
        """Logical pixels in which everything can be seen without scrolling."""
        return self.title.sizeHint().height() + self.classes.full_height() + UNIT

    def show_colouring(self, colouring: Colouring, table: ByteArray, note: str = "") -> None:
        """Show what the colours mean; `table` u8 [P, 3] holds them, class i having colour i."""
        if self._colouring is None or colouring.groups != self._colouring.groups or colouring.by != self._colouring.by:
            self._dimmed.clear()
        self._colouring = colouring
        count = len(colouring.groups)
        self.title.setText(f"Colour: {colouring.by}" + ("" if colouring.continuous else f" · {count}"))
        if count > DISTINCT:
            note = f"{note} Colours repeat after {DISTINCT} classes; click one to dim it.".strip()
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._pages.setCurrentWidget(self.scale if colouring.continuous else self.classes)
        if colouring.continuous:
            self.scale.show_scale(table[:-1], colouring.low, colouring.high)
        else:
            self._fill(colouring, table)

    def set_dimmed(self, groups: set[int]) -> None:
        """Dim these classes and no others."""
        if groups != self._dimmed:
            self._dimmed = set(groups)
            self._show_dimming()
            self.dimmed_changed.emit()

    def _fill(self, colouring: Colouring, table: ByteArray) -> None:
        kept = self.classes.currentRow()
        self._colours = [QColor(*colour) for colour in table[:DISTINCT].tolist()]
        self.classes.clear()
        for group in colouring.groups:
            item = QListWidgetItem(f"{group.name} {group.count}")
            item.setToolTip(tip(f"{group.name}: {group.count} pictures. Click to dim or show."))
            self.classes.addItem(item)
        self.classes.setCurrentRow(kept)
        self._show_dimming()
        self.classes.fit_columns()

    def _show_dimming(self) -> None:
        for place in range(self.classes.count()):
            item, dim = self.classes.item(place), place in self._dimmed
            role = QPalette.ColorRole.PlaceholderText if dim else QPalette.ColorRole.Text
            item.setForeground(self.palette().color(role))
            item.setIcon(_swatch(self._colours[place % DISTINCT], hollow=dim))

    def _toggle(self, item: QListWidgetItem) -> None:
        self.set_dimmed(self._dimmed ^ {self.classes.row(item)})

    def _menu(self, place: QPoint) -> None:
        item = self.classes.itemAt(place)
        menu = QMenu(self)
        if item is not None:
            row = self.classes.row(item)
            others = set(range(self.classes.count())) - {row}
            menu.addAction("Show only this class", lambda: self.set_dimmed(others))
        menu.addAction("Show all classes", lambda: self.set_dimmed(set()))
        menu.exec(self.classes.viewport().mapToGlobal(place))
        menu.deleteLater()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self._show_dimming()
        super().changeEvent(event)


class ScaleBar(QWidget):
    """A strip of colours with the values at its ends."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = QImage()
        self._ends = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_scale(self, table: ByteArray, low: float, high: float) -> None:
        """Show colours u8 [n, 3] from `low` to `high`."""
        self._strip = to_qimage(np.ascontiguousarray(table[None]))
        self._ends = (value(low), value(high))
        self.setAccessibleName(f"Outlier score from {self._ends[0]}, common, to {self._ends[1]}, odd")
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(120, 16 + 2 * self.fontMetrics().height())

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 4, self.width(), 10), self._strip)
        line = self.rect().adjusted(0, 18, 0, 0)
        low, high = self._ends
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, f"{low}  common")
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, f"odd  {high}")


class _ClassList(QListWidget):
    """Classes in as many columns as there is room for.

    Signals:
        key_pressed: space or Enter was pressed on this item.
        reflowed: the columns have changed.
    """

    reflowed = Signal()

    # Not `itemActivated`: some styles send it for a click as well, which would toggle twice.
    key_pressed = Signal(QListWidgetItem)

    def __init__(self) -> None:
        super().__init__()
        self._columns = 1
        self.setIconSize(QSize(_SWATCH, _SWATCH))
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Classes on the map")

    def full_height(self) -> int:
        """Logical pixels in which all classes can be seen without scrolling."""
        return -(-self.count() // self._columns) * self.gridSize().height() + 2 * self.frameWidth() + _GAP

    def fit_columns(self) -> None:
        """Make every cell as wide as the columns that fit share among them."""
        hints = [self.sizeHintForIndex(self.indexFromItem(self.item(row))) for row in range(self.count())]
        widest = max((hint.width() for hint in hints), default=0) + _GAP
        # Room for the scroll bar is always left: columns must not come and go with it.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self._columns = max(width // max(widest, 1), 1)
        self.setGridSize(QSize(width // self._columns, self.fontMetrics().height() + 5))
        self.reflowed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self.key_pressed.emit(self.currentItem())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.fit_columns()


def _swatch(colour: QColor, *, hollow: bool) -> QIcon:
    ratio = 2
    pixmap = QPixmap(_SWATCH * ratio, _SWATCH * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, ratio))
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else colour)
    painter.drawEllipse(pixmap.rect().adjusted(ratio, ratio, -ratio, -ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)
