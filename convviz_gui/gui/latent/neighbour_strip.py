"""A picture and those that the network holds to be most like it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from convviz_gui.gui.latent.neighbour_tiles import TileView
from convviz_gui.gui.latent.neighbour_words import guest_lines, likely, nearest_help, nearest_words, unknown_neighbours
from convviz_gui.gui.latent.placed import Placed
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import PointModel, details
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT

_DETAIL_WIDTH = 176
_MOST_LINES = 5
_INVITATION = (
    "Click a point to open its picture and see its nearest neighbours.\nDrop a picture on the map to place it there."
)


class NeighbourStrip(QWidget):
    """The chosen picture's facts, and its true nearest neighbours in a row, nearest first.

    Signals:
        picked: the user went to this neighbour.
        opened: the user wants to open this point, or, with -1, the picture beside the dataset.
        similar_wanted: the user wants pictures like this point, or, with -1, like the picture beside the dataset.
        pointed: the mouse is over this neighbour, or over none (-1).
        lines_toggled: lines on the map, or not.
        place_wanted: the picture in the tray is to be placed on the map.
        removal_wanted: the picture beside the dataset is to be taken off the map.
    """

    picked = Signal(int)
    opened = Signal(int)
    similar_wanted = Signal(int)
    pointed = Signal(int)
    lines_toggled = Signal(bool)
    place_wanted = Signal()
    removal_wanted = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._point = -1
        self.list = TileView()
        self.points = PointModel(thumbnails, self.list)
        self.list.setModel(self.points)
        self.list.clicked.connect(lambda index: self.picked.emit(self.points.point(index.row())))
        self.list.activated.connect(lambda index: self.opened.emit(self.points.point(index.row())))
        self.list.entered.connect(lambda index: self.pointed.emit(self.points.point(index.row())))
        self.list.left.connect(lambda: self.pointed.emit(-1))
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.facts = plain(QLabel(wordWrap=True))
        self.facts.setProperty("role", "muted")
        self.open = _button("Open", "Open this picture in the image tray, with its predictions (Enter)")
        self.open.clicked.connect(lambda: self.opened.emit(self._point))
        self.similar = _button("Similar", "Find the pictures of the dataset that are most like this one")
        self.similar.clicked.connect(lambda: self.similar_wanted.emit(self._point))
        self.remove = _button("✕", "Take this picture off the map again")
        self.remove.setAccessibleName("Remove")
        self.remove.setFixedWidth(4 * UNIT)
        self.remove.clicked.connect(self.removal_wanted)
        self.place = _button("Place", "Find where the picture in the tray belongs on this map")
        self.place.clicked.connect(self.place_wanted)
        self.invitation = _Invitation(_INVITATION, self.place, self)
        self.heading = ElidedLabel()
        self.heading.setProperty("role", "section")
        self.lines = QToolButton()
        self.lines.setText("Lines")
        self.lines.setCheckable(True)
        self.lines.setChecked(True)
        self.lines.setToolTip("Draw lines on the map from this picture to its neighbours")
        self.lines.toggled.connect(self.lines_toggled)
        self._arrange()

    def _arrange(self) -> None:
        about = QVBoxLayout()
        about.setSpacing(UNIT // 2)
        about.setContentsMargins(0, 0, 0, 0)
        about.addWidget(self.name)
        about.addWidget(self.facts)
        about.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT // 2)
        for button in (self.open, self.similar, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        about.addLayout(buttons)
        left = QWidget()
        left.setLayout(about)
        left.setFixedWidth(_DETAIL_WIDTH)

        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.lines)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(top)
        right.addWidget(self.list)

        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(2 * UNIT)
        row.addWidget(left)
        row.addLayout(right, 1)
        # The map above must not change its size with every choice.
        for part in (self.lines, self.list):
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.invitation.setGeometry(self.rect())
        self.list.fit(self.list.width() - 2 * self.list.frameWidth())

    def offer_place(self, name: str) -> None:
        """Offer to place a picture on the map while nothing is chosen; "" for none."""
        self.place.setText(f"Place {name}".replace("&", "&&") if name else "")
        self.place.setToolTip(tip(f"Find where {name}, the picture in the tray, belongs on this map"))
        self.place.setVisible(self._point < 0 and bool(name) and not self.remove.isVisibleTo(self))

    def show_nothing(self) -> None:
        """Say what to do, nothing being chosen."""
        self._point = -1
        self._show_parts(chosen=False, guest=False)
        self.name.setText("")
        self.facts.setText("")
        self.heading.setText("")
        self.points.show_points(None, (), ())

    def show_point(self, facts: PointFacts, point: int) -> None:
        """Show a picture and its neighbours; -1 stands for none."""
        if point < 0:
            self.show_nothing()
            return
        self._point = point
        self._show_parts(chosen=True, guest=False)
        near = facts.neighbours(point)
        ranks = facts.plot_ranks(point, near)
        self.name.setText(facts.name(point))
        lines = details(facts, point)
        self.facts.setText("\n".join(lines[:_MOST_LINES]))
        self.facts.setToolTip(tip("\n".join([*lines, *likely(facts, point)])))
        dims = facts.points.features.shape[-1]
        self.heading.setText(nearest_words(ranks.tolist()) if near else unknown_neighbours(facts, point))
        if near:
            self.heading.setToolTip(nearest_help(ranks.tolist(), dims))
        self.points.show_points(facts, near, facts.distances(point, near).tolist(), ranks.tolist())
        self.list.scrollToTop()

    def show_guest(self, facts: PointFacts, guest: Placed) -> None:
        """Show a picture that is not in the dataset, and its neighbours in it."""
        self._point = -1
        self._show_parts(chosen=True, guest=True)
        located = guest.located
        near = tuple(located.neighbours.tolist())
        self.name.setText(located.name)
        lines = guest_lines(facts, located)
        self.facts.setText("\n".join(lines[:_MOST_LINES]))
        self.facts.setToolTip(tip("\n".join(lines)))
        self.heading.setText(f"{len(near)} nearest neighbours in {facts.points.features.shape[-1]:,} dimensions")
        self.points.show_points(facts, near, located.distances.tolist())
        self.list.scrollToTop()

    def _show_parts(self, *, chosen: bool, guest: bool) -> None:
        for part in (self.open, self.similar, self.lines, self.list):
            part.setVisible(chosen)
        self.remove.setVisible(guest)
        self.invitation.setVisible(not chosen)
        self.place.setVisible(not chosen and bool(self.place.text()))


class _Invitation(QWidget):
    """What to do while nothing is chosen, in the middle of the strip; it takes no part in the strip's size."""

    def __init__(self, sentence: str, button: QPushButton, parent: QWidget) -> None:
        super().__init__(parent)
        label = plain(QLabel(sentence, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter))
        label.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addStretch(1)
        column.addWidget(label)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return button
