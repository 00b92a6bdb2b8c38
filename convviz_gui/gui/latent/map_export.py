"""What leaves the map: its picture, its ranking, and what is known of some of its points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.latent.exports import CSV, LIST, RANKING, Kind, copy_text, save_text
from convviz_gui.gui.latent.point_files import as_csv, as_list
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.photos.image_loader import ImageLoader
from convviz_gui.gui.pictures.picture_files import save_picture


class MapExport(QObject):
    """Copies and saves what a `Workbench`'s map shows; without points, nothing happens. Texts are made in the pool.

    Signals:
        status: what was copied or saved, in a sentence.
    """

    status = Signal(str)

    def __init__(
        self, bench: Workbench, picture: Callable[[], QImage], loader: ImageLoader, dialogs_over: QWidget
    ) -> None:
        """`picture` draws the map as it is on screen now."""
        super().__init__(dialogs_over)
        self._bench = bench
        self._picture = picture
        self._loader = loader
        self._dialogs_over = dialogs_over

    def copy_picture(self) -> None:
        """Put the map on the clipboard."""
        if self._bench.facts is not None:
            QGuiApplication.clipboard().setImage(self._picture())

    def save_picture(self) -> None:
        """Save the map as PNG."""
        if self._bench.facts is not None:
            save_picture(self._dialogs_over, self._picture(), self._file_name())

    def copy_ranking(self) -> None:
        """Put the ranking by outlier score on the clipboard."""
        self._give(RANKING, None, copied=True)

    def save_ranking(self) -> None:
        """Save the ranking by outlier score as CSV."""
        self._give(RANKING, None, copied=False)

    def give_table(self, rows: IntArray, copied: bool) -> None:
        """Copy or save what is known of these rows, as CSV."""
        self._give(CSV, rows, copied=copied)

    def give_list(self, rows: IntArray, copied: bool) -> None:
        """Copy or save the files of these rows, one a line."""
        self._give(LIST, rows, copied=copied)

    def _give(self, kind: Kind, rows: IntArray | None, *, copied: bool) -> None:
        """Copy or save what is known of `rows`, None for all in the order of the ranking."""
        facts = self._bench.facts
        if facts is None:
            return

        def make() -> str:
            wanted = (facts.ranking if rows is None else rows).tolist()
            return as_list(facts, wanted) if kind is LIST else as_csv(facts, wanted)

        if copied:
            copy_text(self._loader, kind, make, self.status.emit)
        else:
            name = self._file_name() if rows is None else f"{self._file_name()} selection"
            save_text(self._dialogs_over, self._loader, kind, name, make, self.status.emit)

    def _file_name(self) -> str:
        assert self._bench.facts is not None
        points = self._bench.facts.points
        return f"{Path(points.folder).name} {points.layer} {points.projection}"
