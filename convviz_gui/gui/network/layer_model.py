"""The network's layers as a Qt item model: the module hierarchy, read-only."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from convviz_gui.engine.types import LayerNode, ModelInfo, ReceptiveField
from convviz_gui.gui.look import words
from convviz_gui.gui.look.plain import tip

COLUMNS = ("Layer", "Kind", "Output", "Params")
ID_ROLE = Qt.ItemDataRole.UserRole

Index = QModelIndex | QPersistentModelIndex


class LayerModel(QAbstractItemModel):
    """Rows are `LayerNode`s below the root; `ID_ROLE` gives a layer's id."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: list[LayerNode] = []
        self._parents: list[int] = []
        self._rows: list[int] = []
        self._children: dict[int, list[int]] = {}
        self._number: dict[str, int] = {}

    def set_model(self, info: ModelInfo | None) -> None:
        """Show another network's layers."""
        self.beginResetModel()
        self._nodes, self._parents, self._rows, self._children = [], [], [], {}
        if info is not None:
            self._add(info.root.children, -1)
        self._number = {node.id: number for number, node in enumerate(self._nodes)}
        self.endResetModel()

    def _add(self, nodes: tuple[LayerNode, ...], parent: int) -> None:
        for row, node in enumerate(nodes):
            number = len(self._nodes)
            self._nodes.append(node)
            self._parents.append(parent)
            self._rows.append(row)
            self._children.setdefault(parent, []).append(number)
            self._add(node.children, number)

    def node(self, index: Index) -> LayerNode | None:
        """The layer of a row."""
        return self._nodes[index.internalId()] if index.isValid() else None

    def nodes(self) -> tuple[LayerNode, ...]:
        """All layers, parents first."""
        return tuple(self._nodes)

    def index_of(self, layer_id: str) -> QModelIndex:
        """The first cell of a layer's row; invalid if there is none."""
        number = self._number.get(layer_id)
        return QModelIndex() if number is None else self.createIndex(self._rows[number], 0, number)

    # Qt's interface -------------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        above = parent.internalId() if parent is not None and parent.isValid() else -1
        children = self._children.get(above, [])
        if 0 <= row < len(children) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, children[row])
        return QModelIndex()

    def parent(self, index: Index | None = None) -> QModelIndex:  # type: ignore[override]
        # PySide's stub merges this with QObject.parent(), whose call without an argument must go on working.
        if index is None or not index.isValid():
            return QModelIndex()
        above = self._parents[index.internalId()]
        return QModelIndex() if above < 0 else self.createIndex(self._rows[above], 0, above)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        if parent is None or not parent.isValid():
            return len(self._children.get(-1, []))
        return len(self._children.get(parent.internalId(), [])) if parent.column() == 0 else 0

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # noqa: N802
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        node = self.node(index)
        if node is None:
            return Qt.ItemFlag.NoItemFlags
        # A container of layers that never ran stays openable; a layer that never ran has nothing to show.
        if node.depth is None and not node.children:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.node(index)
        if node is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(node, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(_tooltip(node))
        if role == ID_ROLE:
            return node.id
        return _alignment(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None


class LayerFilter(QSortFilterProxyModel):
    """Keeps layers whose id or kind contains every word of the search, with the parents they stand under."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self.setRecursiveFilteringEnabled(True)

    def set_search(self, text: str) -> None:
        """Filter by the words of `text`, letter case aside."""
        self._words = text.lower().split()
        self.invalidate()

    def first_match(self) -> QModelIndex:
        """The first row that matches by itself and not for the sake of what stands below it."""
        source = self._source()
        matching = (
            source.index_of(node.id) for node in source.nodes() if node.depth is not None and self._matches(node)
        )
        return self.mapFromSource(next(matching, QModelIndex()))

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: N802
        source = self._source()
        node = source.node(source.index(row, 0, parent))
        return node is not None and self._matches(node)

    def _matches(self, node: LayerNode) -> bool:
        return all(word in f"{node.id} {node.kind}".lower() for word in self._words)

    def _source(self) -> LayerModel:
        source = self.sourceModel()
        assert isinstance(source, LayerModel)
        return source


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column >= 2 else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cell(node: LayerNode, column: int) -> str:
    if column == 0:
        return node.name
    if column == 1:
        return node.kind
    if column == 2:
        return words.shape(node.shape)
    return words.count(node.n_params) if node.n_params else "–"


def _tooltip(node: LayerNode) -> str:
    lines = [node.id, f"{node.kind}, output {words.shape(node.shape)}, {node.n_params:,} parameters"]
    if node.depth is None:
        lines.append("Not used when the network looks at a picture")
    if node.receptive_field is not None:
        lines.append(_sees(node.receptive_field))
    return "\n".join(lines)


def _sees(field: ReceptiveField) -> str:
    """The receptive field in words."""
    if field.whole:
        return "Sees the whole picture"
    rows, columns = field.size
    line = f"Each place sees {rows}×{columns} pixels"
    if field.stride[0] == field.stride[1] != 0:
        line += f", {abs(field.stride[0]):.4g} from the next place’s"
    return f"{line}; the whole picture scales its channels" if field.gated else line
