"""The classes of a map as a list: ten thousand of them scroll, and can be searched, dimmed and shown alone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.point_colours import Group
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.plain import tip

Index = QModelIndex | QPersistentModelIndex

_SWATCH, _GAP = 10, 4
_MEASURED = 200
"""Names, the longest first, that are measured to find the width of a column."""


class ClassModel(QAbstractListModel):
    """Groups of a colouring, all or those whose name holds what is searched for."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: Sequence[Group] = ()
        self.dimmed: frozenset[int] = frozenset()
        self._colours: list[QColor] = []
        self._shown: list[int] = []

    def set_groups(self, groups: Sequence[Group], table: ByteArray) -> None:
        """Take groups, and the colours u8 [P, 3] that they number."""
        self.beginResetModel()
        self.groups = groups
        self._colours = [QColor(*colour) for colour in table[: 1 + max((g.colour for g in groups), default=0)].tolist()]
        self._shown = list(range(len(groups)))
        self.endResetModel()

    def search(self, text: str) -> None:
        """Show the groups whose name holds `text`, upper or lower case."""
        wanted = text.casefold().strip()
        self.beginResetModel()
        self._shown = [at for at, group in enumerate(self.groups) if wanted in group.name.casefold()]
        self.endResetModel()

    def set_dimmed(self, dimmed: frozenset[int]) -> None:
        """Take which groups are dimmed; the view is to be painted anew."""
        self.dimmed = dimmed

    def shown(self) -> list[int]:
        """Places of the groups that are listed."""
        return self._shown

    def group(self, row: int) -> int:
        """The place in `groups` of what stands in a row."""
        return self._shown[row]

    def colour(self, row: int) -> QColor:
        """Colour of a row's swatch."""
        return self._colours[self.groups[self._shown[row]].colour]

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        at = self._shown[index.row()]
        group = self.groups[at]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{group.name} {group.count:,}"
            case Qt.ItemDataRole.ToolTipRole:
                what = "Click to show it" if at in self.dimmed else "Click to dim it"
                return tip(f"{group.name}: {group.count:,} pictures. {what}, double-click to see it alone.")
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return "dimmed" if at in self.dimmed else "shown"
            case _:
                return None


class ClassView(QListView):
    """Classes in as many columns as there is room for.

    Signals:
        toggled: a group's place; it was clicked, or Space was pressed on it.
        alone: a group's place, which the user wants to see alone: double-click, Alt-click or Enter.
        all_wanted: Escape was pressed.
        reflowed: the columns have changed.
    """

    toggled = Signal(int)
    alone = Signal(int)
    all_wanted = Signal()
    reflowed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.classes = ClassModel()
        self._columns = 1
        self._doubled = False
        self.setModel(self.classes)
        self.setItemDelegate(_ClassDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(1000)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Classes on the map")
        self.clicked.connect(self._on_clicked)

    def full_height(self) -> int:
        """Logical pixels in which all classes can be seen without scrolling."""
        rows = -(-self.classes.rowCount() // self._columns)
        return rows * self.gridSize().height() + 2 * self.frameWidth() + _GAP

    def fit_columns(self) -> None:
        """Make every cell as wide as the columns that fit share among them."""
        texts = sorted((f"{group.name} {group.count:,}" for group in self.classes.groups), key=len)[-_MEASURED:]
        metrics = self.fontMetrics()
        widest = max(map(metrics.horizontalAdvance, texts), default=0) + _SWATCH + 5 * _GAP
        # Room for the scroll bar is always left: columns must not come and go with it.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self._columns = max(width // max(widest, 1), 1)
        self.setGridSize(QSize(max(width // self._columns, 1), metrics.height() + 5))
        self.reflowed.emit()

    def _on_clicked(self, index: QModelIndex) -> None:
        # The second click of a double-click comes here as well.
        if self._doubled:
            self._doubled = False
        else:
            self.toggled.emit(self.classes.group(index.row()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._doubled = False
        index = self.indexAt(event.position().toPoint())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and index.isValid():
            self._doubled = True
            self.alone.emit(self.classes.group(index.row()))
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._doubled = True
            # Its first click has toggled the class.
            self.toggled.emit(self.classes.group(index.row()))
            self.alone.emit(self.classes.group(index.row()))
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        row, key = self.currentIndex().row(), event.key()
        if key == Qt.Key.Key_Space and row >= 0:
            self.toggled.emit(self.classes.group(row))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self.alone.emit(self.classes.group(row))
        elif key == Qt.Key.Key_Escape and self.classes.dimmed:
            self.all_wanted.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.fit_columns()


class _ClassDelegate(QStyledItemDelegate):
    def __init__(self, view: ClassView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return self._view.gridSize()

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        classes, palette = self._view.classes, self._view.palette()
        rect: QRect = option.rect
        at = classes.group(index.row())
        dim = at in classes.dimmed
        state = option.state
        if state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = classes.colour(index.row())
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush if dim else colour)
        middle = rect.top() + (rect.height() - _SWATCH) / 2
        painter.drawEllipse(QRect(rect.left() + _GAP, round(middle), _SWATCH, _SWATCH))
        role = QPalette.ColorRole
        area = rect.adjusted(_SWATCH + 3 * _GAP, 0, -_GAP, 0)
        count, metrics = f"{classes.groups[at].count:,}", painter.fontMetrics()
        painter.setPen(palette.color(role.PlaceholderText if dim else role.Text))
        room = area.width() - metrics.horizontalAdvance(count) - _GAP
        name = metrics.elidedText(classes.groups[at].name, Qt.TextElideMode.ElideMiddle, room)
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, flags | Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(palette.color(role.PlaceholderText))
        area.setLeft(area.left() + metrics.horizontalAdvance(name) + _GAP)
        painter.drawText(area, flags | Qt.AlignmentFlag.AlignLeft, count)
