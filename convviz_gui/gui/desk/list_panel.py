"""A list of the desk with what it means, how far it is reviewed, and whether that is saved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.desk.queues import Queue, QueueKind
from convviz_gui.gui.desk.queue_picker import QueueBox
from convviz_gui.gui.desk.queue_words import WORDS, progress
from convviz_gui.gui.desk.review_table import ReviewTable
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT


class ListPanel(QWidget):
    """The table, or the reason why it is empty, under its heading.

    Signals:
        more_wanted: a longer list.
    """

    more_wanted = Signal()

    def __init__(self, table: ReviewTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = table
        self.box = QueueBox()
        self.about = plain(QLabel(wordWrap=True))
        self.count = ElidedLabel()
        self.saved = ElidedLabel()
        self.saved.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.done = QProgressBar(textVisible=False)
        self.done.setAccessibleName("Reviewed")
        self.why = plain(QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter))
        self.more = QToolButton()
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.clicked.connect(self.more_wanted)
        for label in (self.about, self.count, self.saved, self.why):
            label.setProperty("role", "muted")
        self._body = QStackedWidget()
        self._arrange()

    def _arrange(self) -> None:
        counted = QHBoxLayout()
        counted.addWidget(self.count, 3)
        counted.addWidget(self.saved, 2)
        heading = QVBoxLayout()
        heading.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        heading.setSpacing(UNIT // 2)
        heading.addWidget(self.box)
        heading.addWidget(self.about)
        heading.addLayout(counted)
        heading.addWidget(self.done)
        empty = QWidget()
        middle = QVBoxLayout(empty)
        middle.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 0)
        middle.addWidget(self.why)
        self._body.addWidget(self.table)
        self._body.addWidget(empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(heading)
        column.addWidget(self._body, 1)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)

    def set_wide(self, wide: bool) -> None:
        """With room beside it, the lists stand in a column there; without, they and what they mean are in the box."""
        self.box.setVisible(not wide)
        self.about.setVisible(wide)

    def show_words(self, kind: QueueKind, queue: Queue | None) -> None:
        """Tell what a list means, how much more of it there is, or why it is empty (None: not known yet)."""
        self.about.setText(WORDS[kind].about)
        self.box.setToolTip(WORDS[kind].about)
        empty = queue is None or not len(queue.rows)
        self.why.setText(f"{queue.why}." if queue is not None and queue.why else "")
        self._body.setCurrentIndex(1 if empty else 0)
        self.more.setVisible(queue is not None and not empty and len(queue.rows) < queue.total)
        if queue is not None:
            self.more.setText(f"Show {min(len(queue.rows), queue.total - len(queue.rows)):,} more")

    def show_progress(self) -> None:
        """Tell how far the list is reviewed."""
        rows = self.table.rows
        shown, settled = rows.rowCount(), rows.count_settled()
        self.count.setText(progress(rows.queue, shown, settled) if rows.queue is not None and shown else "")
        self.done.setVisible(shown > 0)
        self.done.setRange(0, max(shown, 1))
        self.done.setValue(settled)

    def show_saved(self, words: str, *, trouble: bool) -> None:
        """Tell whether the review is on the disk; a trouble stands out."""
        role = "warning" if trouble else "muted"
        if self.saved.property("role") != role:
            self.saved.setProperty("role", role)
            self.saved.style().polish(self.saved)
        self.saved.setText(words)
