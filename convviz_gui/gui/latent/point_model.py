"""Pictures of a folder as rows of a list, in any order and number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView

from convviz_gui.gui.latent.map_words import kept
from convviz_gui.gui.latent.point_colours import Choice, ColourBy
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import ordinal, percent

Index = QModelIndex | QPersistentModelIndex


class Role(IntEnum):
    """What a row tells beyond Qt's own roles."""

    POINT = Qt.ItemDataRole.UserRole
    PLACE = Qt.ItemDataRole.UserRole + 1
    SCORE = Qt.ItemDataRole.UserRole + 2
    SUBTITLE = Qt.ItemDataRole.UserRole + 3
    DISAGREES = Qt.ItemDataRole.UserRole + 4
    CAPTION = Qt.ItemDataRole.UserRole + 5
    PLOT_RANK = Qt.ItemDataRole.UserRole + 6


class PointModel(QAbstractListModel):
    """Rows of a `PointFacts` in the order `points`, each with a number: an outlier score or a distance.

    `view` paints a row anew as soon as there is a thumbnail for it.
    """

    def __init__(self, thumbnails: Thumbnails, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._thumbnails = thumbnails
        self._facts: PointFacts | None = None
        self._points: Sequence[int] = ()
        self._numbers: Sequence[float] = ()
        self._ranks: Sequence[int] = ()
        self._rows: dict[str, int] = {}
        thumbnails.arrived.connect(self._on_thumbnail)

    def show_points(
        self, facts: PointFacts | None, points: Sequence[int], numbers: Sequence[float], ranks: Sequence[int] = ()
    ) -> None:
        """Show these points in this order; `numbers` has one for each.

        So has `ranks`, if given: how near each is on the plot to what they are neighbours of, 0 where not known.
        """
        self.beginResetModel()
        self._facts, self._points, self._numbers, self._ranks = facts, points, numbers, ranks
        self._rows.clear()
        self.endResetModel()

    def point(self, row: int) -> int:
        """The point shown in a row; -1 outside."""
        return int(self._points[row]) if 0 <= row < len(self._points) else -1

    def row_of(self, point: int) -> int:
        """The row in which a point is shown, or -1."""
        return self._points.index(point) if point in self._points else -1

    def rank(self, row: int) -> int:
        """How near on the plot what is shown in a row is; 0 where not known."""
        return int(self._ranks[row]) if row < len(self._ranks) else 0

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self._points)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = index.row()
        if self._facts is None or not index.isValid() or row >= len(self._points):
            return None
        point = int(self._points[row])
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbnail(row, self._facts.points.paths[point])
        return self._words(self._facts, row, point, role)

    def _words(self, facts: PointFacts, row: int, point: int, role: int) -> object:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return facts.name(point)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleDescriptionRole:
                text = self._tooltip(facts, row, point)
                return tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
            case Role.PLOT_RANK:
                return self.rank(row)
            case Role.POINT | Role.PLACE:
                return point if role == Role.POINT else row + 1
            case Role.SCORE:
                return even(self._numbers[row])
            case Role.SUBTITLE:
                return subtitle(facts, point)
            case Role.CAPTION:
                return facts.label(point) or facts.prediction(point)
            case Role.DISAGREES:
                return facts.disagrees(point)
            case _:
                return None

    def _thumbnail(self, row: int, path: str) -> QImage | None:
        # Remembered to know which row to repaint when the thumbnail comes.
        self._rows[path] = row
        return self._thumbnails.get(path)

    def _on_thumbnail(self, path: str) -> None:
        if path in self._rows:
            # No change of data: a list would lay out all of its rows anew.
            self._view.update(self.index(self._rows[path]))

    def _tooltip(self, facts: PointFacts, row: int, point: int) -> str:
        path = facts.points.paths[point]
        problem = self._thumbnails.problem(path)
        lines = [path, *details(facts, point), *([problem] if problem else [])]
        if rank := self.rank(row):
            lines.insert(1, f"{ordinal(row + 1)} nearest in the full space, {ordinal(rank)} nearest on the map")
        return "\n".join(lines)


def even(number: float) -> str:
    """Four significant digits, also where the last are zeros, so that columns of numbers line up; "" for NaN."""
    if math.isnan(number):
        return ""
    return f"{number:#.4g}".rstrip(".") if 1e-3 <= abs(number) < 1e5 else value(number)


def subtitle(facts: PointFacts, point: int) -> str:
    """Label and prediction in one line: "cat", "cat → dog" where they differ, "→ dog" without a label."""
    label, prediction = facts.label(point), facts.prediction(point)
    if not prediction or prediction == label.rsplit("/", 1)[-1]:
        return label
    return f"{label} → {prediction}".strip()


def details(facts: PointFacts, point: int) -> tuple[str, ...]:
    """What is known of a picture, a line each: label, prediction, outlier score and rank, doubts, neighbours kept."""
    lines = [f"Label: {facts.label(point)}"] if facts.label(point) else []
    if split := facts.split(point):
        lines.append(f"Split: {split}")
    if prediction := facts.prediction(point):
        lines.append(f"Prediction: {prediction}, {percent(facts.probability(point))}")
    if score := even(facts.score(point)):
        lines.append(f"Outlier score: {score}")
        if facts.orders.ready:
            lines.append(f"Rank: {facts.rank[point] + 1:,} of {len(facts):,}")
    if doubt := facts.doubt(point):
        lines.append(doubt)
    if told := kept(facts.preserved(point), facts.points.neighbours.shape[-1]):
        lines.append(told)
    return tuple(lines)


def painted(facts: PointFacts, point: int, choice: Choice) -> tuple[str, ...]:
    """What a point's colour says, as a line, where `details` do not say it."""
    points = facts.points
    if choice.by is ColourBy.AMBIGUITY and point < len(points.ambiguity):
        return (f"Ambiguity: {even(float(points.ambiguity[point]))}",)
    if choice.by is ColourBy.COLUMN:
        said = next((column.values[point] for column in points.columns if column.name == choice.column), "")
        return (f"{choice.column}: {value(said) if isinstance(said, float) else said}",)
    return ()


def paint_thumbnail(painter: QPainter, image: QImage | None, frame: QRect, palette: QPalette) -> None:
    """Draw a picture as large as fits into `frame`, in its middle; a grey ground while there is none."""
    if image is None or image.isNull():
        painter.fillRect(frame, palette.color(QPalette.ColorRole.Midlight))
        return
    size = image.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
    area = QRect(frame.topLeft(), size)
    area.moveCenter(frame.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(area, image)
