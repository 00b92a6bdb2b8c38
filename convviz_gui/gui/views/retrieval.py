"""Similar pictures: one picture, and what the network finds most like it in a dataset."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine import depiction
from convviz_gui.engine.payloads import Payload, Retrieval
from convviz_gui.engine.types import Result
from convviz_gui.gui.latent.similar_model import SimilarModel
from convviz_gui.gui.latent.similar_wall import SimilarWall
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.qimage import photo_qimage
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

EMPTY = "Open a photo and a folder of pictures to see which of them the network finds most like the photo."
EMPTY_BUTTON = "Find similar pictures"

_METRICS = (("cosine", "Cosine"), ("euclidean", "Euclidean"))


class RetrievalView(PayloadView):
    """Shows `Retrieval`. Once it has found something, another photo is looked up at once: the features are known."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self.result: Result | None = None
        self.thumbnails = Thumbnails(self)
        self.similar = SimilarModel(self.thumbnails, self)
        self.wall = SimilarWall(self.similar)
        self.picture = Picture("The photo that is looked for")
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.facts = plain(QLabel(wordWrap=True))
        self.facts.setProperty("role", "muted")
        self.heading = ElidedLabel()
        self.heading.setProperty("role", "section")
        self.by = QComboBox()
        self.by.setAccessibleName("Distance")
        self.by.setToolTip(
            "Cosine compares which features answer, whatever their strength; Euclidean compares their strength, too"
        )
        for value, text in _METRICS:
            self.by.addItem(text, value)
        self.copy = QPushButton("Copy list")
        self.copy.setToolTip("Copy the files' paths, nearest first, one a line (Ctrl+C)")
        self._arrange()
        self._connect()
        self.show_message(EMPTY, EMPTY_BUTTON)

    def _arrange(self) -> None:
        left = QWidget()
        about = QVBoxLayout(left)
        about.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        about.addWidget(self.picture, 1)
        about.addWidget(self.name)
        about.addWidget(self.facts)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.by)
        top.addWidget(self.copy)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, UNIT, UNIT, 0)
        column.addLayout(top)
        column.addWidget(self.wall, 1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setChildrenCollapsible(False)
        parts.setSizes([240, 480])
        parts.setStretchFactor(0, 1)
        parts.setStretchFactor(1, 2)
        self.set_content(parts)
        self.setFocusProxy(self.wall)

    def _connect(self) -> None:
        self.wall.opened.connect(self.open_image)
        self.wall.pointed.connect(self._on_pointed)
        self.wall.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.wall.customContextMenuRequested.connect(self._on_menu)
        self.by.activated.connect(self._on_metric)
        self.copy.clicked.connect(self.copy_list)
        self.selection.image_changed.connect(self._on_image)

    # -------------------------------------------------------------------------------------- the content

    def show_preview(self, payload: Payload) -> None:
        """There is none: the pictures are found all at once."""

    def show_result(self, result: Result) -> None:
        """Show what was found."""
        found = result.payload
        if not isinstance(found, Retrieval):
            return
        self.result = result
        if result.run.image is not None:
            self.picture.set_image(photo_qimage(result.run.image), smooth=True)
        self.name.setText(found.name)
        self.facts.setText("\n".join(_facts(found, result)))
        k = len(found.paths)
        self.heading.setText(f"{k} most similar of {found.total:,} in {found.layer}" if k else "No other pictures")
        self.by.setCurrentIndex(self.by.findData(found.metric))
        self.similar.show_found(found, result.model)
        self.wall.scrollToTop()
        self.stage.show_content()

    # -------------------------------------------------------------------------------------- what is wanted

    def _on_image(self) -> None:
        """Look another photo up at once, if it is watched: nothing has to be read for it."""
        image, shown = self.selection.image, self.result
        if image is None or shown is None or shown.run.image is None or not self.isVisible():
            return
        same = shown.run.folder == self.selection.folder and self.stage.shows_content()
        if same and image.digest != shown.run.image.digest:
            self.run_wanted.emit()

    def _on_metric(self, index: int) -> None:
        wanted = self.by.itemData(index)
        if self.result is None or not isinstance(self.result.payload, Retrieval):
            return
        if wanted != self.result.payload.metric:
            self.settings_wanted.emit((("metric", wanted),))
            self.run_wanted.emit()

    def _on_pointed(self, row: int) -> None:
        index = self.similar.index(row)
        told = str(index.data(Qt.ItemDataRole.AccessibleDescriptionRole) or "")
        self.status.emit(" · ".join(told.split("\n")))

    # -------------------------------------------------------------------------------------- on its way out

    def _on_menu(self, place: QPoint) -> None:
        path = self.similar.path(self.wall.indexAt(place).row())
        menu = QMenu(self)
        if path:
            menu.addAction("Open picture", lambda: self.open_image.emit(path))
            menu.addAction("Copy path", lambda: QGuiApplication.clipboard().setText(path))
            menu.addSeparator()
        menu.addAction("Copy list of files", self.copy_list)
        menu.addAction("Copy table as CSV", self.copy_table)
        menu.exec(self.wall.viewport().mapToGlobal(place))
        menu.deleteLater()

    def copy_list(self) -> None:
        """Put the paths on the clipboard, nearest first."""
        if self.result is not None and isinstance(self.result.payload, Retrieval):
            QGuiApplication.clipboard().setText("\n".join(self.result.payload.paths))

    def copy_table(self) -> None:
        """Put paths, labels, predictions and distances on the clipboard."""
        if self.result is not None:
            QGuiApplication.clipboard().setText(depiction.tables(self.result)["similar"])


def _facts(found: Retrieval, result: Result) -> list[str]:
    lines = [f"Label: {found.label}"] if found.label else []
    if found.prediction >= 0:
        lines.append(f"Prediction: {result.model.class_name(found.prediction)}")
    k = len(found.paths)
    if found.label and k:
        lines.append(f"{found.agreeing} of {k} have the same label.")
    elif found.votes:
        lines.append("Labels found: " + ", ".join(f"{label} {count}" for label, count in found.votes[:3]))
    if found.row < 0:
        folder = PurePath(found.folder).name
        lines.append(f"It is not in {folder}.")
    return lines
