"""The menu that takes a review out of the program, and into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from convviz_gui.engine.desk.review_entries import Decision
from convviz_gui.engine.desk.review_export import FileList, write_cleaned, write_files, write_review
from convviz_gui.engine.errors import Problem
from convviz_gui.gui.desk.review_keeper import ReviewKeeper
from convviz_gui.gui.latent.point_facts import PointFacts

_CSV = "Comma-separated values (*.csv)"
_TEXT = "List of files (*.txt)"
_REVIEWS = "Exported reviews and journals (*.csv *.jsonl)"

_LISTS = (
    (FileList.REMAINING, "&Files without the excluded…", "Every picture but the excluded ones, a path a line"),
    (FileList.KEPT, "Files &kept…", "What was looked at and found right, a path a line"),
    (FileList.EXCLUDED, "Files e&xcluded…", "A path a line"),
    (FileList.RELABELLED, "Files &relabelled…", "A path, a tab and the new label a line"),
)


class Exports:
    """Fills `menu`; `facts` gives what is shown, `say` tells how it went."""

    def __init__(
        self,
        menu: QMenu,
        page: QWidget,
        keeper: ReviewKeeper,
        facts: Callable[[], PointFacts | None],
        say: Callable[[str], None],
    ) -> None:
        self._page = page
        self._keeper = keeper
        self._facts = facts
        self._say = say
        menu.setToolTipsVisible(True)
        self._add(menu, "Review as &table (CSV)…", "Every picture with decision, note and scores", self.save_table)
        self._add(
            menu,
            "&Cleaned dataset (CSV)…",
            "path, label and split without the excluded, with the new labels: opens as a dataset; no file is moved",
            self.save_cleaned,
        )
        menu.addSeparator()
        for which, text, tip in _LISTS:
            self._add(menu, text, tip, lambda which=which: self.save_list(which))  # type: ignore[misc]
        menu.addSeparator()
        self._add(menu, "&Import a review…", "A table that was exported, or the review of another place", self.load)

    def _add(self, menu: QMenu, text: str, tip: str, do: Callable[[], None]) -> None:
        action = menu.addAction(text)
        action.setToolTip(tip)
        action.triggered.connect(lambda _checked=False: do())

    def save_table(self) -> None:
        """Ask where, and write the table of everything."""
        self._save(
            "review",
            ".csv",
            _CSV,
            lambda path, facts, decided: write_review(path, facts.points, decided, facts.class_name),
        )

    def save_cleaned(self) -> None:
        """Ask where, and write the dataset as it is to be."""
        self._save("cleaned", ".csv", _CSV, lambda path, facts, decided: write_cleaned(path, facts.points, decided))

    def save_list(self, which: FileList) -> None:
        """Ask where, and write a list of files."""
        self._save(
            which.value, ".txt", _TEXT, lambda path, facts, decided: write_files(path, facts.points, decided, which)
        )

    def load(self) -> None:
        """Ask for a review and take its decisions over."""
        chosen, _ = QFileDialog.getOpenFileName(self._page, "Import a review", "", f"{_REVIEWS};;All files (*)")
        if chosen:
            self._keeper.take_over(Path(chosen))

    def _save(
        self, what: str, ending: str, kind: str, write: Callable[[Path, PointFacts, dict[int, Decision]], int]
    ) -> None:
        facts = self._facts()
        if facts is None:
            return
        suggested = f"{Path(facts.points.folder).stem} {what}{ending}"
        chosen, _ = QFileDialog.getSaveFileName(self._page, f"Save {what}", suggested, kind)
        if not chosen:
            return
        path = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}{ending}")
        decided = self._keeper.decisions()

        def then(value: object) -> None:
            if isinstance(value, Problem):
                self._say("")
                QMessageBox.warning(self._page, "It was not saved", str(value))
            else:
                self._say(f"{value:,} {'line' if value == 1 else 'lines'} in {path.name}")

        self._say("Writing…")
        # A million rows take a while.
        self._keeper.clerk.do(lambda: write(path, facts, decided), then)
