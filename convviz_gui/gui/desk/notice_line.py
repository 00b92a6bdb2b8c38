"""One sentence over the desk: what was damaged or changed, and a review of another place that can be taken over."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from convviz_gui.engine.desk.review_import import Elsewhere
from convviz_gui.gui.desk.review_keeper import ReviewKeeper
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT


class NoticeLine(QWidget):
    """Hidden while there is nothing to tell."""

    def __init__(self, keeper: ReviewKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._looked_for: tuple[str, ...] = ()
        self._elsewhere: Elsewhere | None = None
        self.told = plain(QLabel(wordWrap=True))
        self.told.setProperty("role", "warning")
        self.take_over = QPushButton("Take it over")
        self.take_over.clicked.connect(self._take_over)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, 0)
        row.addWidget(self.told, 1)
        row.addWidget(self.take_over)
        self.hide()
        keeper.told.connect(self.tell)

    def tell(self, text: str) -> None:
        """Show a sentence, or nothing."""
        self.take_over.hide()
        self.told.setText(text)
        self.setVisible(bool(text))

    def look_elsewhere(self) -> None:
        """Where nothing is decided yet, ask once whether these pictures were reviewed at another place."""
        book = self._keeper.book
        if book is None or not self._keeper.ready or self._looked_for == book.sources:
            return
        self._looked_for = book.sources
        if self.take_over.isVisibleTo(self):  # an offer for the pictures shown before
            self.tell("")
        if not book.review.records:
            self._keeper.look_elsewhere(self._on_elsewhere)

    def _on_elsewhere(self, found: list[Elsewhere]) -> None:
        if found:
            self._elsewhere = found[0]
            place = found[0].sources[0] if found[0].sources else found[0].path.name
            self.tell(f"{found[0].count:,} of these pictures were reviewed in {place}.")
            self.take_over.show()

    def _take_over(self) -> None:
        if self._elsewhere is not None:
            self._keeper.take_over(self._elsewhere.path)
        self.tell("")
