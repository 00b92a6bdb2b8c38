"""Similar pictures as rows of a list, nearest first."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from convviz_gui.engine.payloads import Retrieval
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.latent.point_model import Role, even
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.plain import tip

Index = QModelIndex | QPersistentModelIndex


class SimilarModel(QAbstractListModel):
    """What a `Retrieval` found, with the roles of `point_model.Role`."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._found: Retrieval | None = None
        self._model: ModelInfo | None = None
        thumbnails.arrived.connect(self._on_thumbnail)

    def show_found(self, found: Retrieval | None, model: ModelInfo | None) -> None:
        """Show these; `model` knows the classes' names."""
        self.beginResetModel()
        self._found, self._model = found, model
        self.endResetModel()

    def path(self, row: int) -> str:
        """The file in a row, "" outside."""
        return self._found.paths[row] if self._found and 0 <= row < len(self._found.paths) else ""

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if self._found is None or (parent is not None and parent.isValid()) else len(self._found.paths)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, found = index.row(), self._found
        if found is None or not index.isValid() or row >= len(found.paths):
            return None
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnails.get(found.paths[row])
            case Qt.ItemDataRole.DisplayRole:
                return PurePath(found.paths[row]).name
            case Qt.ItemDataRole.ToolTipRole:
                return tip(self._told(found, row))
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return self._told(found, row)
            case Role.PLACE:
                return row + 1
            case Role.SCORE:
                return even(float(found.distances[row]))
            case Role.CAPTION:
                return found.labels[row] or self._class(found, row)
            case Role.DISAGREES:
                return bool(found.label and found.labels[row] and found.labels[row] != found.label)
            case _:
                return None

    def _class(self, found: Retrieval, row: int) -> str:
        top = int(found.predictions[row])
        return self._model.class_name(top) if self._model is not None and top >= 0 else ""

    def _told(self, found: Retrieval, row: int) -> str:
        lines = [found.paths[row]]
        if found.labels[row]:
            lines.append(f"Label: {found.labels[row]}")
        if prediction := self._class(found, row):
            lines.append(f"Prediction: {prediction}")
        kind = "Cosine" if found.metric == "cosine" else "Euclidean"
        lines.append(f"{kind} distance: {even(float(found.distances[row]))}")
        lines.append(f"Cosine similarity: {float(found.similarity[row]):.4f}")
        if problem := self._thumbnails.problem(found.paths[row]):
            lines.append(problem)
        return "\n".join(lines)

    def _on_thumbnail(self, path: str) -> None:
        for row, known in enumerate(self._found.paths if self._found else ()):
            if known == path:
                self.dataChanged.emit(self.index(row), self.index(row), [Qt.ItemDataRole.DecorationRole])
