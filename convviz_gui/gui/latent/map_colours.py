"""Works out what the colours of the map say, beside the window where that takes long, and tells legend and map."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.colourings import choices, colouring
from convviz_gui.gui.latent.legend import Legend
from convviz_gui.gui.latent.point_colours import Choice, ColourBy, Colouring
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import painted
from convviz_gui.gui.latent.selection_words import counted
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.photos.image_loader import ImageLoader


class MapColours(QObject):
    """Colours the points of a `Workbench` as the `Legend` says; `page` tells the ground.

    Signals:
        painted: (rows u8 [N], table u8 [P, 3], dimmed bool [N], height u8 [N]) as `ScatterPlot.set_colours` takes them.
        worked_out: what takes long with many pictures is known of them now.
    """

    painted = Signal(object, object, object, object)
    worked_out = Signal()

    def __init__(self, bench: Workbench, legend: Legend, loader: ImageLoader, page: QWidget) -> None:
        super().__init__(page)
        self._bench = bench
        self._legend = legend
        self._loader = loader
        self._page = page
        self._shown: Colouring | None = None
        self._wanted: Choice | None = None
        self._asked = 0
        legend.colour_changed.connect(self._on_colour)
        legend.dimmed_changed.connect(self._paint)
        bench.decisions_changed.connect(self._on_decisions)

    def renew(self) -> None:
        """The points are others, or more is known of them."""
        facts = self._bench.facts
        if facts is None:
            return
        # Two are worked out at a time, and what was asked for last may come first.
        self._asked = asked = self._asked + 1
        if not facts.orders.ready:
            self._show(Colouring.plain(len(facts), f"Sorting out {counted(len(facts))}…"))
            self._loader.call(facts.orders.work_out, lambda _done: self._on_worked_out(facts))
            return
        decisions = self._bench.decisions
        offered = choices(facts, decisions)
        choice = self._wanted if self._wanted in offered else offered[0]
        self._legend.show_choices(offered, choice)
        if facts.large:
            self._loader.call(lambda: colouring(facts, choice, decisions), lambda made: self._on_made(asked, made))
        else:
            self._show(colouring(facts, choice, decisions))

    def restyle(self) -> None:
        """The ground is another."""
        if self._shown is not None:
            self._show(self._shown)

    def told(self, point: int) -> tuple[str, ...]:
        """What a point's colour says, as lines, where nothing else says it."""
        facts = self._bench.facts
        return painted(facts, point, self._shown.choice) if facts is not None and self._shown is not None else ()

    def _current(self, facts: PointFacts) -> bool:
        """True if these are still the pictures that are shown."""
        return self._bench.facts is not None and self._bench.facts.orders is facts.orders

    def _on_worked_out(self, facts: PointFacts) -> None:
        facts.orders.ready = True
        if self._current(facts):
            self.renew()
            self.worked_out.emit()

    def _on_made(self, asked: int, made: object) -> None:
        if asked == self._asked and isinstance(made, Colouring):
            self._show(made)

    def _show(self, made: Colouring) -> None:
        self._shown = made
        self._legend.show_colouring(made, self._table(made))
        self._paint()

    def _table(self, made: Colouring) -> ByteArray:
        base = self._page.palette().color(QPalette.ColorRole.Base)
        ground = (base.red(), base.green(), base.blue())
        return made.table(dark=base.lightness() < 128, ground=ground)

    def _paint(self) -> None:
        made, dimmed = self._shown, self._legend.dimmed()
        if made is not None:
            self.painted.emit(made.rows(dimmed), self._table(made), made.mask(dimmed), made.height(dimmed))

    def _on_colour(self, choice: Choice) -> None:
        self._wanted = choice
        self.renew()

    def _on_decisions(self) -> None:
        facts, choice = self._bench.facts, self._legend.choice()
        if facts is None or not facts.orders.ready:
            return
        # Other colours do not change with every decision.
        others = self._legend.choices() != choices(facts, self._bench.decisions)
        if others or (choice is not None and choice.by is ColourBy.REVIEW):
            self.renew()
