"""All tabs together: the bar, the pages in the middle and the panels on the right."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.types import MethodInfo
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.overview_lane import OVERVIEW
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.compare_tab import CompareTab
from convviz_gui.gui.tabs.tab import MethodTab
from convviz_gui.gui.tabs.tab_bar import TabBar
from convviz_gui.gui.tabs.tab_spec import FIRST, TABS
from convviz_gui.worker.client import EngineClient

_PAGES = ("unit", "latent")
"""Methods whose result is asked for by going there."""


class TabPage(Protocol):
    """What a tab needs to be one, whatever it shows: something in the middle and something on the right."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def title(self) -> str:
        """As written on the tab."""

    @property
    def place(self) -> QWidget:
        """What is in the middle."""

    @property
    def panel(self) -> QWidget:
        """What is on the right."""

    def set_active(self, active: bool) -> None:
        """Tell whether the tab is on screen."""


class Tabs(QObject):
    """Makes a `MethodTab` for each of `TABS` and one to compare results, and keeps exactly one of them on screen.

    Signals:
        problem: (tab's name, `Problem`).
        settled: the tab whose problems are over.
        status: what is under the cursor.
        open_image: path of a picture a view wants in the tray.
        preprocessing_wanted: a view's user wants to change how photos are prepared.
        demo_folder_wanted: a tab needs a folder and none is chosen.
        shown: name of the tab now on screen.
        save_wanted, copy_wanted, compare_wanted: of what the tab on screen shows.
    """

    problem = Signal(str, object)
    settled = Signal(str)
    status = Signal(str)
    open_image = Signal(str)
    demo_folder_wanted = Signal()
    preprocessing_wanted = Signal()
    shown = Signal(str)
    save_wanted = Signal()
    copy_wanted = Signal()
    compare_wanted = Signal()

    def __init__(self, selection: Selection, client: EngineClient, undo: QUndoStack, parent: QWidget) -> None:
        super().__init__(parent)
        self.bar = TabBar()
        self.pages = QStackedWidget()
        # Pages may become smaller than they like: a notice above them must not push the window off a small screen.
        self.pages.setMinimumSize(40 * UNIT, 24 * UNIT)
        self.panels = QStackedWidget()
        self.tabs = {spec.name: MethodTab(spec, selection, client, undo, parent) for spec in TABS}
        self.compare = CompareTab(selection, parent)
        self.all: tuple[TabPage, ...] = (*self.tabs.values(), self.compare)
        self._last = FIRST
        for page in self.all:
            self.bar.addTab(page.title)
            self.pages.addWidget(page.place)
            self.panels.addWidget(page.panel)
        for tab in self.tabs.values():
            self._connect(tab)
        self.compare.status.connect(self.status)
        self.compare.filled.connect(lambda: self.show(self.compare.name))
        self.compare.followed_changed.connect(self._tell_active)
        self.compare.panel.save_wanted.connect(self.save_wanted)
        self.bar.setCurrentIndex(list(self.tabs).index(FIRST))
        self.bar.currentChanged.connect(self._on_current)

    def _connect(self, tab: MethodTab) -> None:
        tab.problem.connect(self._on_problem)
        tab.settled.connect(self._on_settled)
        tab.view_made.connect(self._on_view)
        tab.demo_folder_wanted.connect(self.demo_folder_wanted)
        tab.shown.connect(lambda result: self.compare.take(tab.name, result))
        tab.panel.save_wanted.connect(self.save_wanted)
        tab.panel.copy_wanted.connect(self.copy_wanted)
        tab.panel.compare_wanted.connect(self.compare_wanted)

    @property
    def page(self) -> TabPage:
        """The tab on screen."""
        return self.all[max(0, self.bar.currentIndex())]

    @property
    def current(self) -> MethodTab:
        """The method's tab on screen; while results are compared, the one that was there before."""
        return self.tabs[self._last]

    def start(self) -> None:
        """Make the view of the tab on screen; nothing is made before, so that the window is quick to come."""
        self._on_current(self.bar.currentIndex())

    def show(self, name: str) -> None:
        """Go to a tab."""
        self.bar.setCurrentIndex([page.name for page in self.all].index(name))

    def show_method(self, name: str) -> None:
        """Go to a method, in the tab that has it; nothing happens where there is none, or it does not apply.

        What is a page rather than a computation comes without being asked for once more.
        """
        for tab in self.tabs.values():
            if tab.panel.choose(name):
                self.show(tab.spec.name)
                if name in _PAGES:
                    tab.run_page()

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Give each tab the methods of its category; the overview belongs to the window, not to a tab."""
        self.compare.set_methods(methods)
        for tab in self.tabs.values():
            tab.set_methods(tab.spec.sorted(info for info in methods if info.name != OVERVIEW))

    def rerun(self) -> None:
        """Compute again whatever was cancelled by an attempt to open another network."""
        for tab in self.tabs.values():
            tab.rerun()

    def long_runs(self) -> tuple[str, ...]:
        """Titles of the tabs that compute what was asked for; live ones compute anew by themselves."""
        tabs = (tab for tab in self.tabs.values() if tab.running and tab.panel.method is not None)
        return tuple(tab.spec.title for tab in tabs if tab.panel.method is not None and not tab.panel.method.live)

    def stop_all(self) -> None:
        """Stop every tab's run."""
        for tab in self.tabs.values():
            if tab.running:
                tab.stop()
            tab.checker.stop()

    def _on_current(self, index: int) -> None:
        # Whoever hides takes the focus along, to some field or other; from the bar, Space runs.
        focus = QApplication.focusWidget()
        if focus is not None and (self.pages.isAncestorOf(focus) or self.panels.isAncestorOf(focus)):
            self.bar.setFocus()
        self.pages.setCurrentIndex(index)
        self.panels.setCurrentIndex(index)
        if self.page.name in self.tabs:
            self._last = self.page.name
        else:
            self.compare.set_source(self.current.name, self.current.title)
        self._tell_active()
        self.status.emit("")
        self.shown.emit(self.page.name)

    def _tell_active(self) -> None:
        """Active are the tab on screen and, while results are compared, those that are followed there."""
        on_screen = self.page
        followed = self.compare.followed() if on_screen is self.compare else frozenset()
        active = [page is on_screen or page.name in followed for page in self.all]
        # First those that rest: two tabs must not compute for one moment of going from one to the other.
        for page, working in sorted(zip(self.all, active, strict=True), key=lambda pair: pair[1]):
            page.set_active(working)

    def _on_view(self) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab) and tab.view is not None:
            tab.view.status.connect(self.status)
            tab.view.open_image.connect(self.open_image)
            tab.view.show_tab.connect(self.show)
            tab.view.show_method.connect(self.show_method)
            tab.view.preprocessing_wanted.connect(self.preprocessing_wanted)
            tab.view.compare_wanted.connect(self.compare_wanted)

    def _on_problem(self, problem: Problem) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab):
            self.problem.emit(tab.spec.name, problem)

    def _on_settled(self) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab):
            self.settled.emit(tab.spec.name)
