"""The desk: lists of what may be wrong with a dataset, gone through by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.desk.queues import QueueKind
from convviz_gui.gui.desk.decider import Decider, meaning
from convviz_gui.gui.desk.decision_bar import DecisionBar, Do
from convviz_gui.gui.desk.exports import Exports
from convviz_gui.gui.desk.list_panel import ListPanel
from convviz_gui.gui.desk.notice_line import NoticeLine
from convviz_gui.gui.desk.picture_pane import PicturePane
from convviz_gui.gui.desk.queue_book import QueueBook
from convviz_gui.gui.desk.queue_picker import QueueList
from convviz_gui.gui.desk.queue_words import WORDS
from convviz_gui.gui.desk.review_model import ReviewModel
from convviz_gui.gui.desk.review_table import ReviewTable
from convviz_gui.gui.desk.row_words import pair_words
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.theme import UNIT

_WIDE = 860
_AHEAD = 2


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
        self._touched = False
        self.queues = QueueBook(bench, self)
        self.list = QueueList()
        self.rows = ReviewModel(self.keeper, thumbnails, self)
        self.table = ReviewTable(self.rows)
        self.panel = ListPanel(self.table)
        self.pane = PicturePane(thumbnails)
        self.bar = DecisionBar()
        self.notice = NoticeLine(self.keeper)
        self._arrange()
        self.decider = Decider(self.table, self.keeper, self)
        self.exports = Exports(self.bar.menu, self, self.keeper, lambda: self._facts, self.status.emit)
        self._connect()

    def _arrange(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.panel)
        split.addWidget(self.pane)
        split.setChildrenCollapsible(False)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        # What the two would ask for by themselves leaves too little to the picture.
        split.setSizes([560, 440])
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(self.list)
        across.addWidget(split, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.notice)
        whole.addLayout(across, 1)
        whole.addWidget(self.bar)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.bench.points_changed.connect(self._on_points)
        self.bench.point_changed.connect(self._on_point)
        self.queues.changed.connect(self._on_queues)
        self.keeper.changed.connect(self._on_decisions)
        self.keeper.state_changed.connect(self._show_state)
        self.list.chosen.connect(self.choose_list)
        self.panel.box.chosen.connect(self.choose_list)
        self.panel.more_wanted.connect(lambda: self.queues.lengthen(self.kind))
        self.table.moved.connect(self._on_moved)
        self.table.opened.connect(lambda place: self.bench.open(self.rows.row(place)))
        self.bar.wanted.connect(self.decider.do)
        self.pane.open_wanted.connect(self.bench.open)
        self.pane.map_wanted.connect(lambda _row: self.decider.do(Do.MAP))
        self.decider.said.connect(self.status)
        self.decider.swapped.connect(self._on_moved)
        self.decider.map_wanted.connect(self._show_on_map)
        # They would look for names that begin with a letter.
        for part in (self.list, self.panel.box, self.pane.neighbours):
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
        self.panel.box.go(kind)
        self._show_queue(keep=False)

    def _on_points(self) -> None:
        if self.rows.facts is None or self._facts is None or self.rows.facts.points.folder != self._facts.points.folder:
            self._touched = False
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

    def _look_elsewhere(self) -> None:
        if self.isVisible():
            self.notice.look_elsewhere()

    def _on_queues(self) -> None:
        """Lists are longer, or of other pictures."""
        # Suspects are known last. Until the user does something here, the first list that has something is shown.
        if not self._chosen_by_user and (not self._touched or not self.queues.length(self.kind)):
            found = (kind for kind in WORDS if self.queues.length(kind))
            self.kind = next(found, self.kind)
            self.list.go(self.kind)
            self.panel.box.go(self.kind)
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
        self.panel.show_words(self.kind, queue)
        self.pane.setVisible(queue is not None and len(queue.rows) > 0)
        self._show_progress()

    def _same_row(self, row: int) -> int:
        """A row of the pictures shown so far, if it is the same picture's among those to be shown; else -1."""
        before, now = self.rows.facts, self._facts
        if before is None or now is None or not 0 <= row < min(len(before), len(now)):
            return -1
        return row if before.points.paths[row] == now.points.paths[row] else -1

    def _show_progress(self) -> None:
        self.panel.show_progress()
        counts = self.queues.counts()
        self.list.show_counts(counts)
        self.panel.box.show_counts(counts)
        self._show_state()

    def _show_state(self) -> None:
        able = self.keeper.ready and self.rows.rowCount() > 0
        self.bar.set_able(decide=able, undo=self.keeper.can_undo(), redo=self.keeper.can_redo())
        self.panel.show_saved(self.keeper.words, trouble=self.keeper.trouble)

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
            self._touched = True
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

    def _show_on_map(self, row: int) -> None:
        self.bench.choose(row)
        self.map_wanted.emit()

    # ------------------------------------------------------------------------------------- keys and room

    def event(self, event: QEvent) -> bool:
        # The window has some of these keys for itself; here they are the desk's.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if what := meaning(event):
            self.decider.do(what)
        elif event.key() == Qt.Key.Key_Escape and self.notice.isVisible():
            self.notice.tell("")
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and (what := meaning(event)):
            self.decider.do(what)
            return True
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self._look_elsewhere()
        self._guiding = True
        self._on_moved()
        self._guiding = False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        wide = self.width() >= _WIDE
        self.list.setVisible(wide)
        self.panel.set_wide(wide)
        super().resizeEvent(event)
        left = self.list.width() if wide else 0
        self.decider.place_prompts(QPoint(left + UNIT, self.height() - self.bar.sizeHint().height() - UNIT // 2))
