"""What keys and buttons do to the pictures that are selected in a list of the desk."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.desk.review_entries import Verdict
from convviz_gui.gui.desk.decision_bar import Do
from convviz_gui.gui.desk.prompts import LabelChooser, NoteBox
from convviz_gui.gui.desk.review_keeper import ReviewKeeper
from convviz_gui.gui.desk.review_table import ReviewTable
from convviz_gui.gui.desk.row_words import prediction, suggestion
from convviz_gui.gui.latent.point_facts import PointFacts

_LETTERS = {Qt.Key[f"Key_{do.value}"]: do for do in Do if len(do.value) == 1}
_VERDICTS = {Do.KEEP: Verdict.KEEP, Do.EXCLUDE: Verdict.EXCLUDE, Do.UNDECIDE: Verdict.UNDECIDED}


def meaning(event: QKeyEvent) -> Do | None:
    """What a key stands for on the desk; None if nothing."""
    if event.matches(QKeySequence.StandardKey.Undo):
        return Do.UNDO
    if event.matches(QKeySequence.StandardKey.Redo):
        return Do.REDO
    return _LETTERS.get(Qt.Key(event.key())) if not event.modifiers() else None


class Decider(QObject):
    """Decides about the rows selected in `table`, and goes on to the next.

    Signals:
        said: one sentence for the user.
        swapped: the other one of a pair is decided about now.
        map_wanted: the row of a picture to be shown on the map.
    """

    said = Signal(str)
    swapped = Signal()
    map_wanted = Signal(int)

    def __init__(self, table: ReviewTable, keeper: ReviewKeeper, page: QWidget) -> None:
        super().__init__(page)
        self._table = table
        self._rows = table.rows
        self._keeper = keeper
        self._asked: list[int] = []
        self.chooser = LabelChooser(page)
        self.note = NoteBox(page)
        self.chooser.answered.connect(self._relabel)
        self.note.answered.connect(lambda text: self._keeper.note(self._asked, text))
        for prompt in (self.chooser, self.note):
            prompt.dismissed.connect(table.setFocus)

    def place_prompts(self, corner: QPoint) -> None:
        """Put the lower left corner of questions there."""
        for prompt in (self.chooser, self.note):
            prompt.stand_on(corner)

    def do(self, what: Do) -> None:
        """What a key or a button stands for."""
        place = self._table.place()
        match what:
            case Do.UNDO:
                self._return_to(self._keeper.undo())
            case Do.REDO:
                self._return_to(self._keeper.redo())
            case Do.NEXT:
                self._go_on(place)
            case Do.SWAP:
                self._rows.swap(place)
                self.swapped.emit()
            case Do.MAP:
                if (row := self._rows.row(place)) >= 0:
                    self.map_wanted.emit(row)
            case Do.RELABEL | Do.NOTE:
                self._ask(what)
            case _:
                self._decide(what)

    def _decide(self, what: Do) -> None:
        places = self._table.places()
        rows = [self._rows.row(place) for place in places]
        if what is not Do.EXCLUDE:
            # Of a pair that is right both are, but what was decided about the other one by itself stays.
            others = [other for place in places if (other := self._rows.partner(place)) >= 0]
            undecided = Verdict.UNDECIDED
            rows += [
                other for other in others if what is Do.UNDECIDE or self._keeper.decision(other).verdict is undecided
            ]
        if not rows or not self._keeper.ready:
            return
        self._keeper.decide(dict.fromkeys(rows), _VERDICTS[what])
        if what is not Do.UNDECIDE:
            self._go_on(places[-1])

    def _ask(self, what: Do) -> None:
        self._asked = [self._rows.row(place) for place in self._table.places()]
        facts = self._rows.facts
        if not self._asked or not self._keeper.ready or facts is None:
            return
        if what is Do.NOTE:
            self.note.ask(self._keeper.decision(self._asked[0]).note)
            return
        many = f" of {len(self._asked):,} pictures" if len(self._asked) > 1 else ""
        self.chooser.title.setText(f"New label{many}")
        self.chooser.choose(self._likely(facts, self._asked[0]), self._keeper.labels)

    def _likely(self, facts: PointFacts, row: int) -> list[str]:
        """The suggestion, labels given last, the predicted one, and the neighbours', in this order."""
        near = [facts.label(other) for other in facts.neighbours(row)]
        name = prediction(facts, row)[0]
        predicted = [label for label in self._keeper.labels if name and label.rsplit("/", 1)[-1] == name]
        by_count = sorted(dict.fromkeys(near), key=lambda label: -near.count(label))
        likely = [suggestion(facts, row), *self._keeper.recent, *predicted, *by_count]
        return [label for label in likely if label != facts.label(row)]

    def _relabel(self, label: str) -> None:
        if not label or not self._asked:
            return
        places = self._table.places()
        self._keeper.decide(self._asked, Verdict.RELABEL, label)
        self._go_on(places[-1] if places else -1)

    def _go_on(self, place: int) -> None:
        """To the next picture that is not decided; if there is none, say so."""
        at = self._rows.next_open(place)
        if at >= 0:
            self._table.go(at)
        elif (shown := self._rows.rowCount()) and (queue := self._rows.queue) is not None:
            self.said.emit("All that is shown is reviewed" + ("; there is more below" if shown < queue.total else ""))

    def _return_to(self, rows: list[int]) -> None:
        """Show what was just undone or redone, where it is in the list."""
        place = next((found for row in rows if (found := self._rows.place(row)) >= 0), -1)
        if place >= 0:
            self._table.go(place)
