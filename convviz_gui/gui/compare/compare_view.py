"""Two results side by side, wiped or subtracted, on one scale, pointed at together."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.compare.colours import table_for
from convviz_gui.engine.compare.comparison import Comparison, largest
from convviz_gui.gui.compare.compare_header import CompareHeader, Way
from convviz_gui.gui.compare.drawn import Drawn, draw_difference, draw_side
from convviz_gui.gui.compare.wipe_picture import WipePicture
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.stage import Stage
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink


class CompareView(QWidget):
    """Shows a `Comparison`.

    Signals:
        status: what is under the cursor, in words; "" when nothing is.
        swap_wanted: X was pressed.
        asked: the empty state's button was pressed.
    """

    status = Signal(str)
    swap_wanted = Signal()
    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Comparison | None = None
        self._sides: tuple[Drawn, Drawn] | None = None
        self._difference: Drawn | None = None
        self.header = CompareHeader()
        link = PictureLink(self)
        self.pictures = (Picture("A", link), Picture("B", link))
        self.wipe = WipePicture("A and B", link)
        self.difference = Picture("A − B", link)
        self.bars = (ColourBar("Colours of A"), ColourBar("Colours of B"))
        self.words = plain(QLabel(wordWrap=True))
        self.words.setProperty("role", "muted")
        self.stack = QStackedWidget()
        self.stage = Stage(self._arrange())
        self.stage.asked.connect(self.asked)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stage)
        self._connect()

    def _arrange(self) -> QWidget:
        beside = QWidget()
        row = QHBoxLayout(beside)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * UNIT)
        for picture in self.pictures:
            row.addWidget(picture, 1)
        for page in (beside, self.wipe, self.difference):
            self.stack.addWidget(page)
        bars = QHBoxLayout()
        bars.setSpacing(2 * UNIT)
        for bar in self.bars:
            bars.addWidget(bar, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(self.stack, 1)
        column.addLayout(bars)
        column.addWidget(self.words)
        return content

    def _connect(self) -> None:
        self.header.way_changed.connect(self._show_way)
        self.header.opacity_changed.connect(self._on_opacity)
        for place, picture in enumerate(self.pictures):
            picture.hovered.connect(lambda at, place=place: self._on_side(place, at))
        self.wipe.hovered.connect(self._on_wipe)
        self.difference.hovered.connect(self._on_difference)
        keys = {"X": self.swap_wanted.emit}
        keys |= {key: lambda way=way: self.header.choose(way) for key, way in zip("SWD", Way, strict=True)}  # type: ignore[misc]
        for key, do in keys.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(do)

    # ------------------------------------------------------------------------------------------ showing

    def show_message(self, sentence: str, button: str = "") -> None:
        """Show an empty state."""
        self._found = None
        self.stage.show_message(sentence, button)

    def show_comparison(self, found: Comparison) -> None:
        """Show two sides."""
        self._found = found
        self._sides = (draw_side(found, found.a, 0), draw_side(found, found.b, 1))
        self._difference = draw_difference(found) if found.difference is not None else None
        for number, (picture, drawn) in enumerate(zip(self.pictures, self._sides, strict=True)):
            self._fill(picture, drawn)
            picture.setAccessibleDescription((found.a, found.b)[number].title)
        self._fill(self.wipe, self._sides[0])
        self._sides[1].fill(self.wipe.other, self.header.opacity(), self._common(self._sides[1]))
        if self._difference is not None:
            self._fill(self.difference, self._difference)
        self.header.show_comparison(found, self.why_no_wipe())
        self._show_way()
        self.stage.show_content()

    def _fill(self, picture: Picture, drawn: Drawn) -> None:
        picture.set_image(drawn.base, smooth=drawn.smooth, frame=drawn.frame, common=self._common(drawn))
        picture.set_overlay(drawn.overlay, self.header.opacity())
        picture.set_values(drawn.values)

    def _common(self, drawn: Drawn) -> QRectF | None:
        """The whole photo where places correspond in it, whatever the two crops are."""
        assert self._found is not None
        alike = self._found.grid is not None and self._found.grid.box is not None and drawn.frame is not None
        return QRectF(drawn.base.rect()) if alike else None

    def why_no_wipe(self) -> str:
        """ "" or why the two do not fit into one place, without a final stop."""
        if self._sides is None:
            return "There is nothing to show yet"
        a, b = (drawn.base.size() for drawn in self._sides)
        if a != b:
            return f"The pictures have different sizes, {a.width()} × {a.height()} and {b.width()} × {b.height()}"
        return ""

    def _show_way(self) -> None:
        found, way = self._found, self.header.way
        if found is None:
            return
        self.stack.setCurrentIndex(way)
        if way is Way.DIFFERENCE and found.difference is not None:
            top = largest(found.difference)
            self.bars[0].set_scale(-top, top, COLORMAPS[DIVERGING])
            self.bars[0].show()
            self.bars[1].hide()
            self._say(f"Difference A − B, in {found.unit}.")
            return
        for bar, side, range_ in zip(self.bars, (found.a, found.b), found.ranges, strict=True):
            if side.shown.is_picture:
                bar.clear()
            else:
                bar.set_scale(*range_, table_for(found, side.shown))
            bar.setVisible(not side.shown.is_picture)
        if found.locked:
            self.bars[1].hide()
        self._say(scale_words(found))

    def _say(self, scale: str) -> None:
        assert self._found is not None
        said = [scale, *self._found.caveats]
        if self._found.reason:
            said.append(f"No difference and no numbers: {_lowered(self._found.reason)}.")
        self.words.setText(" ".join(said))

    # ----------------------------------------------------------------------------------- what happens here

    def _on_opacity(self, opacity: float) -> None:
        for picture in (*self.pictures, self.wipe, self.difference):
            picture.set_opacity(opacity)
        self.wipe.other.opacity = opacity

    def _on_side(self, place: int, at: tuple[float, float] | None) -> None:
        if self._sides is None or at is None:
            self._tell(None, None, place)
            return
        here, there = self._sides[place], self._sides[1 - place]
        numbers = [here.value_at(*at), there.value_at(*self._across(at, here, there))]
        self._tell(numbers[place], numbers[1 - place], place)

    def _across(self, at: tuple[float, float], here: Drawn, there: Drawn) -> tuple[float, float]:
        """The same place in the other picture, as the linked cursors have it."""
        own, other = self._common(here) or here.part(), self._common(there) or there.part()
        u, v = (at[0] - own.x()) / own.width(), (at[1] - own.y()) / own.height()
        return other.x() + u * other.width(), other.y() + v * other.height()

    def _on_wipe(self, at: tuple[float, float] | None) -> None:
        if self._sides is None or at is None:
            self._tell(None, None, 0)
            return
        seen = 1 if self.wipe.to_widget(_point(at)).x() > self.wipe.line() else 0
        self._tell(self._sides[0].value_at(*at), self._sides[1].value_at(*at), seen)

    def _on_difference(self, at: tuple[float, float] | None) -> None:
        number = self._difference.value_at(*at) if self._difference is not None and at is not None else None
        self.bars[0].point_at(number)
        if number is None or self._sides is None or at is None or self._difference is None:
            self.status.emit("")
            return
        a, b = (side.value_at(*self._across(at, self._difference, side)) for side in self._sides)
        self.status.emit(f"{_reading('A', a)}   {_reading('B', b)}   {_reading('A − B', number)}")

    def _tell(self, a: float | None, b: float | None, seen: int) -> None:
        """Say both values; the bar points to that of the side under the cursor."""
        found = self._found
        if a is None and b is None:
            for bar in self.bars:
                bar.point_at(None)
            self.status.emit("")
            return
        if found is not None and found.locked:
            self.bars[0].point_at((a, b)[seen])
        else:
            for bar, number in zip(self.bars, (a, b), strict=True):
                bar.point_at(number)
        apart = ""
        if a is not None and b is not None and found is not None and found.difference is not None and found.locked:
            apart = f"   {_reading('A − B', a - b)}"
        self.status.emit(f"{_reading('A', a)}   {_reading('B', b)}{apart}")


def scale_words(found: Comparison) -> str:
    """How the two are coloured, in a sentence."""
    if found.a.shown.is_picture and found.b.shown.is_picture:
        return "Pictures are shown as they are; the numbers are of their brightness, 0…255."
    if found.locked:
        same = found.a.shown.unit if found.same_units else "raw values"
        return f"One scale for both: {same}."
    return "Each by its own maximum: shades of A and of B do not compare."


def _reading(name: str, number: float | None) -> str:
    return f"{name} {'outside the crop' if number is None else value(number)}"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _point(at: tuple[float, float]) -> QPointF:
    return QPointF(*at)
