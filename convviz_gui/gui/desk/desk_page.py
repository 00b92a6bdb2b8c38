"""The desk: lists of what may be wrong with a dataset, gone through by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.desk.queues import Queue, QueueKind
from convviz_gui.engine.desk.review_entries import Verdict
from convviz_gui.engine.desk.review_import import Elsewhere
from convviz_gui.gui.desk.decision_bar import DecisionBar, Do
from convviz_gui.gui.desk.exports import Exports
from convviz_gui.gui.desk.picture_pane import PicturePane
from convviz_gui.gui.desk.prompts import LabelChooser, NoteBox
from convviz_gui.gui.desk.queue_book import QueueBook
from convviz_gui.gui.desk.queue_picker import QueueBox, QueueList
from convviz_gui.gui.desk.queue_words import WORDS, progress
from convviz_gui.gui.desk.review_model import ReviewModel
from convviz_gui.gui.desk.review_table import ReviewTable
from convviz_gui.gui.desk.row_words import pair_words, prediction, suggestion
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

_WIDE = 860
_AHEAD = 2
_PLAIN_KEYS = {Qt.Key[f"Key_{do.value}"]: do for do in Do if len(do.value) == 1}


class DeskPage(QWidget):
    """Reviews the pictures of a `Workbench`.

    Signals:
        status: one sentence about what was just done; "" when there is none.
        map_wanted: the user wants to see the chosen picture on the map.
    """

    status = Signal(str)
    map_wanted = Signal()

    def __init__(self, bench: Workbench, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.keeper = bench.review
        self.kind = QueueKind.SUSPECTS
        self._chosen_by_user = False
        self._guiding = False
        self._fresh = False
        self._asked: list[int] = []
        self._looked_for: tuple[str, ...] = ()
        self.queues = QueueBook(bench, self)
        self.list = QueueList()
        self.box = QueueBox()
        self.rows = ReviewModel(self.keeper, thumbnails, self)
        self.table = ReviewTable(self.rows)
        self.pane = PicturePane(thumbnails)
        self.bar = DecisionBar()
        self.about = plain(QLabel(wordWrap=True))
        self.count = ElidedLabel()
        self.saved = ElidedLabel()
        self.saved.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.done = QProgressBar(textVisible=False)
        self.more = QToolButton()
        self.why = plain(QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter))
        self.told = plain(QLabel(wordWrap=True))
        self.take_over = QPushButton("Take it over")
        self._elsewhere: Elsewhere | None = None
        self._body = QStackedWidget()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._arrange()
        self.chooser = LabelChooser(self)
        self.note = NoteBox(self)
        self.exports = Exports(self.bar.menu, self, self.keeper, lambda: self._facts, self._tell)
        self._connect()

    def _arrange(self) -> None:
        for label in (self.about, self.count, self.saved, self.why):
            label.setProperty("role", "muted")
        self.told.setProperty("role", "warning")
        self.told.hide()
        self.take_over.hide()
        self.done.setAccessibleName("Reviewed")
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        heading = QWidget()
        words = QVBoxLayout(heading)
        words.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        words.setSpacing(UNIT // 2)
        words.addWidget(self.box)
        words.addWidget(self.about)
        counted = QHBoxLayout()
        counted.addWidget(self.count, 3)
        counted.addWidget(self.saved, 2)
        words.addLayout(counted)
        words.addWidget(self.done)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        empty = QWidget()
        empty_column = QVBoxLayout(empty)
        empty_column.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 0)
        empty_column.addWidget(self.why)
        self._body.addWidget(self.table)
        self._body.addWidget(empty)
        column.addWidget(heading)
        column.addWidget(self._body, 1)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        self._split.addWidget(middle)
        self._split.addWidget(self.pane)
        self._split.setChildrenCollapsible(False)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(self.list)
        across.addWidget(self._split, 1)
        notice = QHBoxLayout()
        notice.setContentsMargins(UNIT, 0, UNIT, 0)
        notice.addWidget(self.told, 1)
        notice.addWidget(self.take_over)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(notice)
        whole.addLayout(across, 1)
        whole.addWidget(self.bar)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.bench.points_changed.connect(self._on_points)
        self.bench.point_changed.connect(self._on_point)
        self.queues.changed.connect(self._on_queues)
        self.keeper.changed.connect(self._on_decisions)
        self.keeper.state_changed.connect(self._show_state)
        self.keeper.told.connect(self._on_told)
        self.list.chosen.connect(self.choose_list)
        self.box.chosen.connect(self.choose_list)
        self.table.moved.connect(self._on_moved)
        self.table.opened.connect(lambda place: self.bench.open(self.rows.row(place)))
        self.more.clicked.connect(lambda: self.queues.lengthen(self.kind))
        self.bar.wanted.connect(self.do)
        self.pane.open_wanted.connect(self.bench.open)
        self.pane.map_wanted.connect(lambda _row: self.do(Do.MAP))
        self.chooser.answered.connect(self._relabel)
        self.note.answered.connect(self._note)
        for prompt in (self.chooser, self.note):
            prompt.dismissed.connect(self.table.setFocus)
        self.take_over.clicked.connect(self._take_over)
        # They would look for names that begin with a letter.
        for part in (self.list, self.box, self.pane.neighbours):
            part.installEventFilter(self)

    # --------------------------------------------------------------------------------------------- lists

    @property
    def _facts(self) -> PointFacts | None:
        return self.bench.facts

    def choose_list(self, kind: QueueKind) -> None:
        """Show a list."""
        self._chosen_by_user = True
        self._show_list(kind)

    def _show_list(self, kind: QueueKind) -> None:
        self.kind = kind
        self.list.go(kind)
        self.box.go(kind)
        self._show_queue(keep=False)

    def _on_points(self) -> None:
        # What was decided earlier may come from the disk only after the lists are shown.
        self._fresh = not self.keeper.ready
        self._look_elsewhere()

    def _on_decisions(self) -> None:
        if self._fresh and self.keeper.ready:
            self._fresh = False
            if (place := self.rows.next_open(-1)) >= 0:
                self._guiding = True
                self.table.go(place)
                self._guiding = False
            self._look_elsewhere()
        self._show_progress()

    def _on_queues(self) -> None:
        """Lists are longer, or of other pictures."""
        if not self._chosen_by_user and not self.queues.length(self.kind):
            found = (kind for kind in WORDS if self.queues.length(kind))
            self.kind = next(found, self.kind)
            self.list.go(self.kind)
            self.box.go(self.kind)
        self._show_queue(keep=True)

    def _show_queue(self, *, keep: bool) -> None:
        queue = self.queues.get(self.kind)
        row = self._same_row(self.rows.row(self.table.place())) if keep else -1
        if queue is not self.rows.queue or not keep:
            self.table.as_ranked()
            self.rows.show_queue(self._facts, queue)
            place = self.rows.place(row) if row >= 0 else -1
            self._guiding = True
            if self.rows.rowCount():
                self.table.go(place if place >= 0 else max(self.rows.next_open(-1), 0))
            self._on_moved()
            self._guiding = False
        self._show_words(queue)
        self._show_progress()

    def _same_row(self, row: int) -> int:
        """A row of the pictures shown so far, if it is the same picture's among those to be shown; else -1."""
        before, now = self.rows.facts, self._facts
        if before is None or now is None or not 0 <= row < min(len(before), len(now)):
            return -1
        return row if before.points.paths[row] == now.points.paths[row] else -1

    def _show_words(self, queue: Queue | None) -> None:
        words = WORDS[self.kind]
        self.about.setText(words.about)
        self.box.setToolTip(words.about)
        empty = queue is None or not len(queue.rows)
        self.why.setText(f"{queue.why}." if queue is not None and queue.why else "")
        self._body.setCurrentIndex(1 if empty else 0)
        self.pane.setVisible(not empty)
        self.more.setVisible(queue is not None and not empty and len(queue.rows) < queue.total)
        if queue is not None:
            self.more.setText(f"Show {min(len(queue.rows), queue.total - len(queue.rows)):,} more")

    def _show_progress(self) -> None:
        queue = self.rows.queue
        shown, settled = self.rows.rowCount(), self.rows.count_settled()
        self.count.setVisible(shown > 0)
        self.done.setVisible(shown > 0)
        if queue is not None and shown:
            self.count.setText(progress(queue, shown, settled))
            self.done.setRange(0, shown)
            self.done.setValue(settled)
        counts = self.queues.counts()
        self.list.show_counts(counts)
        self.box.show_counts(counts)
        self._show_state()

    def _show_state(self) -> None:
        able = self.keeper.ready and self.rows.rowCount() > 0
        self.bar.set_able(decide=able, undo=self.keeper.can_undo(), redo=self.keeper.can_redo())
        role = "warning" if self.keeper.trouble else "muted"
        if self.saved.property("role") != role:
            self.saved.setProperty("role", role)
            self.saved.style().polish(self.saved)
        self.saved.setText(self.keeper.words)

    # ------------------------------------------------------------------------------------------- the rows

    def _on_moved(self) -> None:
        place, facts = self.table.place(), self.rows.facts
        row = self.rows.row(place)
        if not self.isVisible():  # large pictures are not decoded for nobody
            return
        self.pane.show_picture(facts, row, self.rows.partner(place), self._likeness(place))
        if facts is None or row < 0:
            return
        coming = [self.rows.row(place + step) for step in range(1, _AHEAD + 1)]
        self.pane.prepare(facts, [other for other in coming if other >= 0])
        if not self._guiding and self.bench.point != row:
            self._fresh = False
            self._guiding = True
            self.bench.choose(row)
            self._guiding = False

    def _on_point(self, row: int) -> None:
        """A picture chosen on another page is shown here, if it is in the list."""
        if self._guiding or row < 0 or self.rows.row(self.table.place()) == row:
            return
        place = self.rows.place(row)
        if place >= 0:
            self._guiding = True
            self.table.go(place)
            self._guiding = False

    def _likeness(self, place: int) -> str:
        partner = self.rows.partner(place)
        if self.rows.facts is None or partner < 0:
            return ""
        return pair_words(self.rows.facts, self.rows.row(place), partner, self.rows.score(place))

    # ---------------------------------------------------------------------------------------- decisions

    def do(self, what: Do) -> None:
        """What a key or a button stands for."""
        match what:
            case Do.UNDO | Do.REDO:
                rows = self.keeper.undo() if what is Do.UNDO else self.keeper.redo()
                self._return_to(rows)
            case Do.NEXT:
                self._go_on()
            case Do.SWAP:
                self.rows.swap(self.table.place())
                self._on_moved()
            case Do.MAP:
                if (row := self.rows.row(self.table.place())) >= 0:
                    self.bench.choose(row)
                    self.map_wanted.emit()
            case Do.RELABEL | Do.NOTE:
                self._ask(what)
            case _:
                self._decide(what)

    def _decide(self, what: Do) -> None:
        verdict = {Do.KEEP: Verdict.KEEP, Do.EXCLUDE: Verdict.EXCLUDE, Do.UNDECIDE: Verdict.UNDECIDED}[what]
        places = self.table.places()
        rows = [self.rows.row(place) for place in places]
        if what is not Do.EXCLUDE:
            # Of a pair that is right both are, but what was decided about the other one by itself stays.
            others = [other for place in places if (other := self.rows.partner(place)) >= 0]
            undecided = Verdict.UNDECIDED
            rows += [
                other for other in others if what is Do.UNDECIDE or self.keeper.decision(other).verdict is undecided
            ]
        if not rows or not self.keeper.ready:
            return
        self.keeper.decide(dict.fromkeys(rows), verdict)
        if what is not Do.UNDECIDE:
            self._go_on(places[-1])

    def _ask(self, what: Do) -> None:
        self._asked = [self.rows.row(place) for place in self.table.places()]
        if not self._asked or not self.keeper.ready or self._facts is None:
            return
        self._place_prompts()
        if what is Do.NOTE:
            self.note.ask(self.keeper.decision(self._asked[0]).note)
            return
        row, facts = self._asked[0], self._facts
        many = f" of {len(self._asked):,} pictures" if len(self._asked) > 1 else ""
        self.chooser.title.setText(f"New label{many}")
        near = [facts.label(other) for other in facts.neighbours(row)]
        labels = self.keeper.labels
        name = prediction(facts, row)[0]
        predicted = [label for label in labels if name and label.rsplit("/", 1)[-1] == name]
        by_count = sorted(dict.fromkeys(near), key=lambda label: -near.count(label))
        likely = [suggestion(facts, row), *self.keeper.recent, *predicted, *by_count]
        own = facts.label(row)
        self.chooser.choose([label for label in likely if label != own or not label], labels)

    def _relabel(self, label: str) -> None:
        if not label or not self._asked:
            return
        places = self.table.places()
        self.keeper.decide(self._asked, Verdict.RELABEL, label)
        self._go_on(places[-1] if places else -1)

    def _note(self, text: str) -> None:
        self.keeper.note(self._asked, text)

    def _go_on(self, place: int | None = None) -> None:
        """To the next picture that is not decided; if there is none, say so."""
        at = self.rows.next_open(self.table.place() if place is None else place)
        if at >= 0:
            self.table.go(at)
        elif self.rows.rowCount():
            longer = self.more.isVisibleTo(self)
            self._tell("All that is shown is reviewed" + ("; there is more below" if longer else ""))

    def _return_to(self, rows: list[int]) -> None:
        """Show what was just undone or redone, where it is in the list."""
        place = next((found for row in rows if (found := self.rows.place(row)) >= 0), -1)
        if place >= 0:
            self.table.go(place)

    # ------------------------------------------------------------------------------ what is told, and keys

    def _tell(self, text: str) -> None:
        self.status.emit(text)

    def _on_told(self, text: str) -> None:
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def _look_elsewhere(self) -> None:
        """Where nothing is decided yet, ask whether these pictures were reviewed at another place."""
        book = self.keeper.book
        if not self.isVisible() or book is None or self._looked_for == book.sources:
            return
        if not self.keeper.ready:
            return
        self._looked_for = book.sources
        if not book.review.records:
            self.keeper.look_elsewhere(self._on_elsewhere)

    def _on_elsewhere(self, found: list[Elsewhere]) -> None:
        if found:
            self._elsewhere = found[0]
            place = found[0].sources[0] if found[0].sources else found[0].path.name
            self._on_told(f"{found[0].count:,} of these pictures were reviewed in {place}.")
            self.take_over.show()

    def _take_over(self) -> None:
        self.take_over.hide()
        if self._elsewhere is not None:
            self.keeper.take_over(self._elsewhere.path)

    def event(self, event: QEvent) -> bool:
        # The window has some of these keys for itself; here they are the desk's.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if what := self._meaning(event):
            self.do(what)
        elif event.key() == Qt.Key.Key_Escape and self.told.isVisible():
            self._on_told("")
            self.take_over.hide()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and (what := self._meaning(event)):
            self.do(what)
            return True
        return super().eventFilter(watched, event)

    @staticmethod
    def _meaning(event: QKeyEvent) -> Do | None:
        if event.matches(QKeySequence.StandardKey.Undo):
            return Do.UNDO
        if event.matches(QKeySequence.StandardKey.Redo):
            return Do.REDO
        return _PLAIN_KEYS.get(Qt.Key(event.key())) if not event.modifiers() else None

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self._look_elsewhere()
        self._guiding = True
        self._on_moved()
        self._guiding = False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        wide = self.width() >= _WIDE
        self.list.setVisible(wide)
        self.box.setVisible(not wide)
        self.about.setVisible(wide)
        super().resizeEvent(event)
        self._place_prompts()

    def _place_prompts(self) -> None:
        left = self.table.mapTo(self, QPoint(UNIT, 0)).x()
        for prompt in (self.chooser, self.note):
            prompt.stand_on(QPoint(left, self.height() - self.bar.height() - UNIT // 2))
