"""The photos at hand: a strip of thumbnails; the current one is the window's image."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QKeySequence, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import colours
from convviz_gui.gui.photos.image_loader import ImageLoader, Loaded
from convviz_gui.gui.photos.samples import Sample
from convviz_gui.gui.photos.tray_model import ICON, TrayItem, TrayModel
from convviz_gui.gui.selection import Selection


class ImageTray(QWidget):
    """Thumbnails of the opened photos.

    Signals:
        problems: a tuple of `Problem`s once a batch of files has been read, for those that failed.
    """

    problems = Signal(object)

    def __init__(self, selection: Selection, loader: ImageLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self._keys = itertools.count()
        self._wanted: int | None = None
        self._pending: set[int] = set()
        self._failed: list[Problem] = []
        self.model = TrayModel(self)
        self.view = _strip()
        self.view.setModel(self.model)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        loader.loaded.connect(self._on_loaded)
        self._add_actions()

    def _add_actions(self) -> None:
        remove = QAction("Remove from the tray", self.view)
        remove.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        remove.triggered.connect(self.remove_current)
        copy = QAction("Copy the file's path", self.view)
        copy.triggered.connect(self._copy_path)
        self.view.addActions([remove, copy])
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def open_files(self, paths: Iterable[Path], *, select: bool = True) -> None:
        """Add picture files; the first new one becomes the window's image."""
        for path in paths:
            full = str(path.absolute())
            row = self.model.row_of_path(full)
            if row is None:
                self._add(TrayItem(next(self._keys), path.name, _reader(full), path=full), select=select)
            elif select:
                self._select_row(row)
            select = False

    def open_sample(self, sample: Sample) -> None:
        """Add a sample picture and make it the window's image."""
        self._add(TrayItem(next(self._keys), sample.title, sample.make, source=sample.source), select=True)

    def open_made(self, name: str, make: Callable[[], ImageInput]) -> None:
        """Add a picture that has no file, a pasted one say; `make` is called in the loader's pool."""
        self._add(TrayItem(next(self._keys), name, make), select=True)

    def python_source(self, image: ImageInput) -> str:
        """Python that makes the sample picture `image`, or "" where it has a file or nothing at all."""
        return next((item.source for item in self.model.items if item.image is image), "")

    def current_key(self) -> int | None:
        """Key of the chosen row."""
        row = self.view.currentIndex().row()
        return self.model.items[row].key if 0 <= row < len(self.model.items) else None

    def choose(self, key: int) -> None:
        """Go to the photo with that key, if it is still there."""
        row = self.model.row_of(key)
        if row is not None:
            self._select_row(row)

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (−1) photo."""
        count = len(self.model.items)
        if count:
            self._select_row((self.view.currentIndex().row() + by) % count)

    def remove_current(self) -> None:
        """Take the chosen photo out of the tray; the last one stays, for the window is never empty."""
        key = self.current_key()
        if key is not None and len(self.model.items) > 1:
            self.model.remove(key)
            self._pending.discard(key)

    def _add(self, item: TrayItem, *, select: bool) -> None:
        self.model.add(item)
        self._decode(item)
        if select:
            self._select_row(len(self.model.items) - 1)

    def _decode(self, item: TrayItem) -> None:
        if item.key not in self._pending:
            self._pending.add(item.key)
            self._loader.load(item.key, item.make)

    def _select_row(self, row: int) -> None:
        self.view.setCurrentIndex(self.model.index(row))
        self.view.scrollTo(self.model.index(row))

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if not current.isValid():
            return
        item = self.model.items[current.row()]
        self._wanted = item.key
        if item.image is None:
            self._decode(item)
        else:
            self.model.touch(item.key)
            self._selection.set_image(item.image)

    def _on_loaded(self, loaded: Loaded) -> None:
        if loaded.key not in self._pending:
            return
        self._pending.discard(loaded.key)
        if loaded.image is not None and loaded.thumbnail is not None:
            self.model.put(loaded.key, loaded.image, QIcon(QPixmap.fromImage(loaded.thumbnail)))
            if loaded.key == self._wanted:
                self._selection.set_image(loaded.image)
        elif loaded.problem is not None:
            self._drop(loaded.key, loaded.problem)
        if not self._pending and self._failed:
            failed, self._failed = tuple(self._failed), []
            self.problems.emit(failed)

    def _drop(self, key: int, problem: Problem) -> None:
        row = self.model.row_of(key)
        if row is None:
            return
        self._failed.append(problem)
        if key == self._wanted:
            # Of several files opened together, the next one takes the place of one that cannot be read.
            following = next((r for r, item in enumerate(self.model.items) if item.key > key), None)
            if following is None:
                self._return_to_shown()
            else:
                self._select_row(following)
        self.model.remove(key)

    def _return_to_shown(self) -> None:
        """A file that could not be read must not leave the strip pointing elsewhere than the window."""
        shown = next((r for r, item in enumerate(self.model.items) if item.image is self._selection.image), None)
        ready = next((r for r, item in enumerate(self.model.items) if item.image is not None), None)
        row = shown if self._selection.image is not None and shown is not None else ready
        if row is not None:
            self._select_row(row)

    def _copy_path(self) -> None:
        row = self.view.currentIndex().row()
        if 0 <= row < len(self.model.items):
            item = self.model.items[row]
            QGuiApplication.clipboard().setText(item.path or item.name)


class _Frame(QStyledItemDelegate):
    """A thumbnail with a frame around the current one; a selection painted over it would change its colours."""

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area = option.rect
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, area.adjusted(5, 5, -5, -5))
        state = option.state
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            scheme = colours()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(scheme.accent if chosen else scheme.line), 2))
            painter.drawRoundedRect(area.adjusted(2, 2, -2, -2), 4, 4)


def _reader(path: str) -> Callable[[], ImageInput]:
    def read() -> ImageInput:
        from convviz_gui.engine.images import load_image

        return load_image(path)

    return read


def _strip() -> QListView:
    view = QListView()
    view.setAccessibleName("Images")
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setFlow(QListView.Flow.LeftToRight)
    view.setWrapping(False)
    view.setMovement(QListView.Movement.Static)
    view.setIconSize(QSize(ICON, ICON))
    view.setUniformItemSizes(True)
    view.setSpacing(2)
    view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
    view.setItemDelegate(_Frame(view))
    view.setFixedHeight(ICON + 32)
    return view
