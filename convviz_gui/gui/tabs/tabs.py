"""All tabs together: the bar, the pages in the middle and the panels on the right."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication, QStackedWidget, QTabBar, QWidget

from convviz_gui.engine.errors import Problem
from convviz_gui.engine.types import MethodInfo
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.overview_lane import OVERVIEW
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.tab import MethodTab
from convviz_gui.gui.tabs.tab_spec import FIRST, TABS
from convviz_gui.worker.client import EngineClient


class Tabs(QObject):
    """Makes a `MethodTab` for each of `TABS` and keeps exactly one of them on screen.

    Signals:
        problem: (tab's name, `Problem`).
        settled: the tab whose problems are over.
        status: what is under the cursor.
        open_image: path of a picture a view wants in the tray.
        preprocessing_wanted: a view's user wants to change how photos are prepared.
        demo_folder_wanted: a tab needs a folder and none is chosen.
        shown: name of the tab now on screen.
    """

    problem = Signal(str, object)
    settled = Signal(str)
    status = Signal(str)
    open_image = Signal(str)
    demo_folder_wanted = Signal()
    preprocessing_wanted = Signal()
    shown = Signal(str)

    def __init__(self, selection: Selection, client: EngineClient, undo: QUndoStack, parent: QWidget) -> None:
        super().__init__(parent)
        self.bar = QTabBar()
        self.bar.setAccessibleName("Tabs")
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        # A title cut to "I…" says nothing: where there is no room for all of them, the bar scrolls.
        self.bar.setElideMode(Qt.TextElideMode.ElideNone)
        self.bar.setUsesScrollButtons(True)
        # Scrolling needs leave to be narrower than the titles together.
        self.bar.setMinimumWidth(16 * UNIT)
        self.pages = QStackedWidget()
        # Pages may become smaller than they like: a notice above them must not push the window off a small screen.
        self.pages.setMinimumSize(40 * UNIT, 24 * UNIT)
        self.panels = QStackedWidget()
        self.tabs = {spec.name: MethodTab(spec, selection, client, undo, parent) for spec in TABS}
        for tab in self.tabs.values():
            self.bar.addTab(tab.spec.title)
            self.pages.addWidget(tab.place)
            self.panels.addWidget(tab.panel)
            tab.problem.connect(self._on_problem)
            tab.settled.connect(self._on_settled)
            tab.view_made.connect(self._on_view)
            tab.demo_folder_wanted.connect(self.demo_folder_wanted)
        self.bar.setCurrentIndex(list(self.tabs).index(FIRST))
        self.bar.currentChanged.connect(self._on_current)

    @property
    def current(self) -> MethodTab:
        """The tab on screen."""
        return list(self.tabs.values())[max(0, self.bar.currentIndex())]

    def start(self) -> None:
        """Make the view of the tab on screen; nothing is made before, so that the window is quick to come."""
        self._on_current(self.bar.currentIndex())

    def show(self, name: str) -> None:
        """Go to a tab."""
        self.bar.setCurrentIndex(list(self.tabs).index(name))

    def show_method(self, name: str) -> None:
        """Go to a method, in the tab that has it; nothing happens where there is none, or it does not apply."""
        for tab in self.tabs.values():
            if tab.panel.choose(name):
                self.show(tab.spec.name)

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Give each tab the methods of its category; the overview belongs to the window, not to a tab."""
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

    def _on_current(self, index: int) -> None:
        # Whoever hides takes the focus along, to some field or other; from the bar, Space runs.
        focus = QApplication.focusWidget()
        if focus is not None and (self.pages.isAncestorOf(focus) or self.panels.isAncestorOf(focus)):
            self.bar.setFocus()
        self.pages.setCurrentIndex(index)
        self.panels.setCurrentIndex(index)
        for number, tab in enumerate(self.tabs.values()):
            if number != index:
                tab.set_active(False)
        self.current.set_active(True)
        self.status.emit("")
        self.shown.emit(self.current.spec.name)

    def _on_view(self) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab) and tab.view is not None:
            tab.view.status.connect(self.status)
            tab.view.open_image.connect(self.open_image)
            tab.view.show_tab.connect(self.show)
            tab.view.show_method.connect(self.show_method)
            tab.view.preprocessing_wanted.connect(self.preprocessing_wanted)

    def _on_problem(self, problem: Problem) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab):
            self.problem.emit(tab.spec.name, problem)

    def _on_settled(self) -> None:
        tab = self.sender()
        if isinstance(tab, MethodTab):
            self.settled.emit(tab.spec.name)
