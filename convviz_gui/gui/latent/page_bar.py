"""The line over the pages of the latent space: what they are about, and which of them is on screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QWidget

from convviz_gui import paths
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT

_KEY = "page"


class PageSwitch(QWidget):
    """A button for each page, side by side, one of them down; Alt+1, Alt+2, … go to a page.

    The page on screen is remembered in `settings`, an INI file, by default the user's.

    Signals:
        page_changed: title of the page now on screen.
    """

    page_changed = Signal(str)

    def __init__(self, pages: QStackedWidget, settings: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages = pages
        self._titles: list[str] = []
        path = settings or paths.config_dir() / "latent.ini"
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)
        self._group = QButtonGroup(self, exclusive=True)
        self._group.idClicked.connect(self._go)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self.setObjectName("segments")
        self.setAccessibleName("Pages of the latent space")
        self.hide()

    def add(self, title: str, page: QWidget, tip: str = "") -> None:
        """Add a page at the end; it comes on screen if it was the one that was there last."""
        number = len(self._titles)
        self._titles.append(title)
        self._pages.addWidget(page)
        keys = f"Alt+{number + 1}"
        button = QToolButton()
        button.setCheckable(True)
        button.setText(title)
        button.setToolTip(f"{tip or title} ({keys})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._group.addButton(button, number)
        self._row.addWidget(button)
        # A shortcut of a widget that is out of sight is none, so that other tabs can have the same keys.
        QShortcut(QKeySequence(keys), self, lambda: self._go(number))
        self.setVisible(number > 0)
        if number == 0 or self._settings.value(_KEY) == title:
            self._show(number)

    def button(self, title: str) -> QToolButton:
        """The button of a page."""
        found = self._group.button(self._titles.index(title))
        assert isinstance(found, QToolButton)
        return found

    def page(self) -> QWidget:
        """The page on screen."""
        page = self._pages.currentWidget()
        assert page is not None
        return page

    def show_page(self, title: str) -> None:
        """Bring a page on screen and remember it."""
        self._go(self._titles.index(title))

    def _go(self, number: int) -> None:
        self._settings.setValue(_KEY, self._titles[number])
        self._show(number)

    def _show(self, number: int) -> None:
        button = self._group.button(number)
        button.setChecked(True)
        changed = self._pages.currentIndex() != number
        self._pages.setCurrentIndex(number)
        if changed:
            self.page_changed.emit(self._titles[number])


class PageBar(QWidget):
    """Title, what the map is a part of, and the switch between the pages.

    Signals:
        went: the user went back to this one of the maps that the one on screen is a part of, 0 for the whole.
    """

    went = Signal(int)

    def __init__(self, switch: PageSwitch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.crumbs: list[QToolButton] = []
        self._trail = QHBoxLayout()
        self._trail.setSpacing(0)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, 0)
        row.setSpacing(UNIT)
        row.addLayout(self._trail)
        row.addWidget(self.title, 1)
        row.addWidget(switch)

    def show_trail(self, wholes: Sequence[str], title: str) -> None:
        """Show a title, and before it the maps that this one is a part of, the whole first."""
        self.title.setText(title)
        for crumb in self.crumbs:
            self._trail.removeWidget(crumb)
            crumb.deleteLater()
        self.crumbs = [self._crumb(number, text) for number, text in enumerate(wholes)]

    def _crumb(self, number: int, text: str) -> QToolButton:
        crumb = QToolButton()
        crumb.setText(f"{text} ›")
        crumb.setToolTip(f"Back to the map of {text}, as it was")
        crumb.clicked.connect(lambda: self.went.emit(number))
        self._trail.addWidget(crumb)
        return crumb
