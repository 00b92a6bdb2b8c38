"""The picture that is decided about, as large as there is room, and what speaks for or against it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from convviz_gui.gui.desk.neighbour_row import NeighbourRow
from convviz_gui.gui.desk.row_words import picture_words, verdict_of_neighbours
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.thumbnails import Thumbnails, full_size
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink

LARGE, KEPT = 1024, 12
"""Longest side of a large picture in device pixels, and how many are kept: at most 50 MB."""

_NARROW = 300
_FRAME = 4


class PicturePane(QWidget):
    """One picture, or two of a pair beside each other, zoomed and panned together.

    Signals:
        open_wanted: the row of a picture that the user wants in the image tray.
        map_wanted: the row of a picture that the user wants to see on the map.
    """

    open_wanted = Signal(int)
    map_wanted = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: PointFacts | None = None
        self._row = -1
        self._small = thumbnails
        self.large = Thumbnails(self, size=LARGE, kept=KEPT)
        link = PictureLink(self)
        self.sides = (_Side("The picture it is like", link), _Side("The picture to decide about", link))
        self.about = plain(QLabel(wordWrap=True))
        self.about.setProperty("role", "muted")
        self.votes = plain(QLabel(wordWrap=True))
        self.votes.setProperty("role", "section")
        # A label of one long word must not keep the pane from becoming narrower.
        policy = self.votes.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        self.votes.setSizePolicy(policy)
        self.neighbours = NeighbourRow(thumbnails)
        self.neighbours.opened.connect(self.open_wanted)
        self.open = QPushButton("Open")
        self.open.setToolTip("Open this picture in the image tray, with its predictions (Enter)")
        self.open.clicked.connect(lambda: self.open_wanted.emit(self._row))
        self.map = QPushButton("On the map")
        self.map.setToolTip("Go to this picture's point on the map (M)")
        self.map.clicked.connect(lambda: self.map_wanted.emit(self._row))
        self._arrange()
        self.large.arrived.connect(self._on_arrived)
        self.show_picture(None, -1, -1)

    def _arrange(self) -> None:
        self._pictures = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pictures.setSpacing(UNIT // 2)
        for side in self.sides:
            self._pictures.addWidget(side, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self.open)
        buttons.addWidget(self.map)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT // 2)
        column.setSpacing(UNIT // 2)
        column.addLayout(self._pictures, 1)
        below = QVBoxLayout()
        # In line with what is written in the frames above.
        below.setContentsMargins(_FRAME, 0, 0, 0)
        below.setSpacing(UNIT // 2)
        below.addWidget(self.about)
        below.addLayout(buttons)
        below.addWidget(self.votes)
        below.addWidget(self.neighbours)
        column.addLayout(below)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        narrow = self.width() < _NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._pictures.setDirection(direction)
        super().resizeEvent(event)

    def show_picture(self, facts: PointFacts | None, row: int, partner: int, likeness: str = "") -> None:
        """Show a picture (-1: none) and, of a pair, the one it is a duplicate of; `likeness` says how like they are."""
        self._facts, self._row = facts, row
        known = facts is not None and row >= 0
        paired = known and partner >= 0
        for part in (self.open, self.map, self.sides[1]):
            part.setVisible(known)
        self.sides[0].setVisible(paired)
        self.sides[1].set_framed(paired)
        self.about.setVisible(known)
        near = facts.neighbours(row) if known and facts is not None and not paired else ()
        self.votes.setVisible(bool(near))
        self.neighbours.setVisible(bool(near))
        if facts is None or row < 0:
            return
        for side, shown in zip(self.sides, (partner, row), strict=True):
            if shown >= 0:
                side.show_row(facts, shown, labelled=paired)
                self._paint(side)
        self.about.setText(likeness if paired else "\n".join(picture_words(facts, row)))
        self.about.setVisible(bool(self.about.text()))
        if near:
            votes = verdict_of_neighbours(facts, near) or f"{len(near)} nearest neighbours"
            self.votes.setText(votes)
            self.votes.setToolTip(tip(votes))
            self.neighbours.show_neighbours(facts, row)

    def prepare(self, facts: PointFacts, rows: list[int]) -> None:
        """Decode the pictures that are likely to come next."""
        for row in reversed(rows):
            self.large.get(facts.points.paths[row])

    def _paint(self, side: _Side) -> None:
        if self._facts is None or side.row < 0:
            return
        path = self._facts.points.paths[side.row]
        # The wish for the picture that is looked at is the newest.
        picture, problem = self.large.get(path), self.large.problem(path)
        side.show_image(picture if picture is not None or problem else self._small.get(path), problem)

    def _on_arrived(self, path: str) -> None:
        for side in self.sides:
            shown = side.isVisibleTo(self) and self._facts is not None and side.row >= 0
            if shown and self._facts is not None and self._facts.points.paths[side.row] == path:
                self._paint(side)


class _Side(QFrame):
    """A picture with its name and size; of a pair, label and split besides."""

    def __init__(self, name: str, link: PictureLink) -> None:
        super().__init__()
        self.row = -1
        self._words = ""
        self.setObjectName("deskside")
        self.picture = Picture(name, link)
        self.picture.removeAction(self.picture.compare_action)
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.detail = ElidedLabel()
        self.detail.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.picture, 1)
        column.addWidget(self.name)
        column.addWidget(self.detail)

    def set_framed(self, framed: bool) -> None:
        """Mark the one of a pair that is decided about."""
        if self.property("framed") != framed:
            self.setProperty("framed", framed)
            self.style().polish(self)

    def show_row(self, facts: PointFacts, row: int, *, labelled: bool) -> None:
        changed = row != self.row
        self.row = row
        self.name.setText(facts.name(row))
        splits = facts.points.splits
        parts = [facts.label(row) if labelled else "", splits[row] if len(splits) == len(facts) else ""]
        self._words = " · ".join(filter(None, parts))
        self.detail.setText(self._words)
        if changed:
            self.picture.set_image(None, smooth=True)

    def show_image(self, image: QImage | None, problem: str) -> None:
        if image is None:
            if problem:
                self.detail.setText(problem)
            return
        self.picture.set_image(image, smooth=True)
        size = full_size(image)
        # A stored thumbnail does not know how large its picture was.
        told = problem or f"{size.width()}×{size.height()}"
        self.detail.setText(" · ".join(filter(None, (told, self._words))))
