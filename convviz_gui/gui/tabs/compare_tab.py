"""The tab that puts two results beside each other."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.compare.comparison import Comparison, compare
from convviz_gui.engine.compare.side import Side, side_of
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Exported, MethodInfo, Result
from convviz_gui.gui.compare.compare_panel import ComparePanel
from convviz_gui.gui.compare.compare_view import CompareView
from convviz_gui.gui.compare.shelf import Shelf, name_of
from convviz_gui.gui.compare.slots import NAMES, B, Slot, Slots
from convviz_gui.gui.selection import Selection

_EMPTY = (
    "Put two results side by side: in any tab press Ctrl+D, or right-click a picture and choose Compare. "
    "Then change the layer, the class, the photo, the method or the network, and do it again."
)
_TAKE_BOTH, _TAKE_ONE = "Compare the latest two", "Keep the latest result as A"


class CompareTab(QObject):
    """Keeps what is compared and shows it; `MethodTab`s tell it their results.

    Signals:
        status: what is under the cursor, in words.
        followed_changed: other tabs are followed, and should go on working while this one is on screen.
        filled: both slots are filled by the user's hand, and should be seen.
    """

    name = "compare"
    title = "Compare"
    status = Signal(str)
    followed_changed = Signal()
    filled = Signal()

    def __init__(self, selection: Selection, parent: QWidget) -> None:
        super().__init__(parent)
        self.place = CompareView(parent)
        self.panel = ComparePanel(parent)
        self.slots = Slots(self)
        self.shelf = Shelf()
        self.found: Comparison | None = None
        self._selection = selection
        self._titles: dict[str, str] = {}
        self._source: tuple[str, str] | None = None
        self._newest: dict[str, Result] = {}
        self._locked: bool | None = None
        self._active = False
        self._dirty = True
        self._sides: dict[tuple[int, int | None], tuple[Result, Side]] = {}
        self._connect()

    def _connect(self) -> None:
        self.slots.changed.connect(self._on_slots)
        self.place.status.connect(self.status)
        self.place.swap_wanted.connect(self.slots.swap)
        self.place.asked.connect(self._on_asked)
        self.panel.swap_wanted.connect(self.slots.swap)
        self.panel.scale_chosen.connect(self._on_scale)
        for place, row in enumerate(self.panel.rows):
            row.result_chosen.connect(lambda result, place=place: self.slots.put(place, result))
            row.live_chosen.connect(lambda tab, place=place: self._follow(place, tab))
            row.item_chosen.connect(lambda item, place=place: self.slots.choose_item(place, item))
        self._selection.channel_changed.connect(self._on_channel)

    # ------------------------------------------------------------------------------------- from the window

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Take the methods' titles."""
        self._titles = {info.name: info.title for info in methods}

    def take(self, tab: str, result: Result) -> None:
        """A tab shows a result: it can be chosen from now on, and slots that follow the tab take it."""
        if self.shelf.put(result):
            self._newest[tab] = result
            self.slots.take(tab, result, chosen_item(result, self._selection))
            self._mark_dirty()

    def pin(self, result: Result) -> str:
        """Keep a result in A or B; returns what was done, in words.

        Raises `EngineError` for a result that shows nothing to compare.
        """
        item = chosen_item(result, self._selection)
        side_of(result, item)
        self.shelf.put(result)
        place = self.slots.pin(result, item)
        other = self.slots[1 - place]
        both = other.result is not None and not other.default
        if both:
            self.filled.emit()
        named = f"{NAMES[place]} is {name_of(result, self._titles.get(result.run.method, ''))}."
        return named if both else f"{named} Ctrl+D on another result compares the two."

    def set_source(self, name: str, title: str) -> None:
        """The tab that was on screen last: B follows it while nothing else is in B."""
        self._source = (name, title)
        if (self.slots[B].result is None or self.slots[B].default) and name in self._newest:
            self._follow(B, name, default=True)
        self._mark_dirty()

    def set_active(self, active: bool) -> None:
        """Tell whether the tab is on screen; what became out of date meanwhile is drawn now."""
        self._active = active
        if active and self._dirty:
            self._refresh()

    def followed(self) -> frozenset[str]:
        """Names of the tabs that a slot follows."""
        return self.slots.followed()

    # ------------------------------------------------------------------------------------------- showing

    def _on_slots(self) -> None:
        self._locked = None
        self._mark_dirty()
        self.followed_changed.emit()

    def _on_scale(self, locked: bool) -> None:
        self._locked = locked
        self._mark_dirty()

    def _follow(self, place: int, tab: str, *, default: bool = False) -> None:
        newest = self._newest.get(tab)
        item = chosen_item(newest, self._selection) if newest is not None else None
        self.slots.follow(place, tab, newest, item, default=default)

    def _on_channel(self) -> None:
        for tab in self.slots.followed():
            if tab in self._newest:
                self.slots.take(tab, self._newest[tab], chosen_item(self._newest[tab], self._selection))

    def _mark_dirty(self) -> None:
        self._dirty = True
        if self._active:
            self._refresh()

    def _refresh(self) -> None:
        self._dirty = False
        sides = [self._side(self.slots[place]) for place in (0, 1)]
        self._sides = {
            (id(slot.result), slot.item): (slot.result, side)
            for slot, side in zip((self.slots[0], self.slots[1]), sides, strict=True)
            if slot.result is not None and side is not None
        }
        self._offer(sides)
        a, b = sides
        self.found = compare(a, b, self._locked) if a is not None and b is not None else None
        self.panel.show_comparison(self.found)
        if self.found is not None:
            self.place.show_comparison(self.found)
        else:
            self._show_empty(a)

    def _side(self, slot: Slot) -> Side | None:
        if slot.result is None:
            return None
        kept = self._sides.get((id(slot.result), slot.item))
        if kept is not None and kept[0] is slot.result:
            return kept[1]
        title = self._titles.get(slot.result.run.method, "")
        try:
            return side_of(slot.result, slot.item, title)
        except EngineError:
            # Another result of the tab that is followed need not have that channel.
            return side_of(slot.result, None, title)

    def _offer(self, sides: list[Side | None]) -> None:
        results = [(result, self._name(result)) for result in self.shelf.results()]
        for place, row in enumerate(self.panel.rows):
            slot = self.slots[place]
            live = {self._source[0]: self._source[1]} if self._source is not None else {}
            live |= {name: live.get(name, name.capitalize()) for name in self.slots.followed()}
            kept = slot.result is None or any(result is slot.result for result, _ in results)
            own = [] if kept or slot.result is None else [(slot.result, self._name(slot.result))]
            row.offer(slot, list(live.items()), own + results)
            row.show_side(sides[place])

    def _name(self, result: Result) -> str:
        return name_of(result, self._titles.get(result.run.method, ""))

    def _show_empty(self, a: Side | None) -> None:
        if a is not None:
            self.place.show_message(f"A is {a.title}. Choose B on the right, or press Ctrl+D in another tab.")
        else:
            n = len(self.shelf.results())
            self.place.show_message(_EMPTY, _TAKE_BOTH if n > 1 else _TAKE_ONE if n else "")

    def _on_asked(self) -> None:
        results = self.shelf.results()
        if len(results) == 1:
            self.slots.put(0, results[0], chosen_item(results[0], self._selection))
        elif results:
            self.slots.put(0, results[1])
            self.slots.put(1, results[0])

    # -------------------------------------------------------------------------------------------- saving

    def save(self, folder: str) -> Exported:
        """Write what is shown into a folder and return the `Exported`; may be called in another thread.

        Raises `EngineError` if there is nothing to write or the folder cannot be written.
        """
        found = self.found
        if found is None:
            raise EngineError("There is nothing to compare yet", "Choose A and B first")
        # Where pictures are written, fonts are loaded: not before somebody saves.
        from convviz_gui.engine.compare.report import write_comparison

        return write_comparison(found, folder, command_of(found, folder))


def command_of(found: Comparison, folder: str) -> list[str]:
    """The command that repeats a comparison once the commands of A and B have written the folders A and B."""
    items = [side.shown.item for side in (found.a, found.b)]
    words = ["convviz", "compare", "A", "B"]
    if any(item is not None for item in items):
        words += ["--channel", ",".join(str(item or 0) for item in items)]
    return [*words, "--scale", "locked" if found.locked else "own", "--out", folder]


def chosen_item(result: Result, selection: Selection) -> int | None:
    """The row of the channel that the window has chosen, if the result is of its layer and has it."""
    payload = result.payload
    if getattr(payload, "layer", None) != selection.layer:
        return None
    channels = getattr(payload, "channels", None)
    if channels is not None:
        found = [row for row, channel in enumerate(channels.tolist()) if channel == selection.channel]
        return found[0] if found else None
    rows = getattr(payload, "maps", getattr(payload, "weights", None))
    return selection.channel if rows is not None and selection.channel < len(rows) else None
