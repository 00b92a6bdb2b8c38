"""Beside the map: what its colours say, and below that the oddest pictures or those that are selected."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from convviz_gui.gui.latent.legend import Legend
from convviz_gui.gui.latent.point_list import PointList
from convviz_gui.gui.latent.selection_panel import SelectionPanel
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT

_LEGEND_PART = 0.4


class SidePanel(QSplitter):
    """Shares the height between legend and list, unless the user has.

    Signals:
        pointed: the mouse is over this point, or over none (-1).
    """

    pointed = Signal(int)

    def __init__(self, bench: Workbench, thumbnails: Thumbnails) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._bench = bench
        self._by_user = False
        self.legend = Legend()
        self.ranking = PointList(thumbnails)
        self.selection = SelectionPanel(bench, thumbnails)
        self._below = QStackedWidget()
        self._below.addWidget(self._ranked())
        self._below.addWidget(self.selection)
        self.setContentsMargins(UNIT, 0, UNIT, 0)
        self.addWidget(self.legend)
        self.addWidget(self._below)
        self.setStretchFactor(1, 1)
        self.setChildrenCollapsible(False)
        self.legend.reflowed.connect(self._share_height)
        self.splitterMoved.connect(self._on_moved)
        self.ranking.picked.connect(bench.choose)
        self.ranking.opened.connect(bench.open)
        self.ranking.pointed.connect(self.pointed)
        self.selection.gallery.pointed.connect(self.pointed)
        bench.points_changed.connect(self._show_title)
        bench.selected_changed.connect(self._on_selected)
        bench.point_changed.connect(self._on_point)

    def refresh(self) -> None:
        """Show again what is selected: more is known of it now."""
        if len(self._bench.selected):
            self.selection.refresh()

    def _ranked(self) -> QWidget:
        ranked = QWidget()
        self.title = ElidedLabel()
        self.title.setProperty("role", "section")
        column = QVBoxLayout(ranked)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.title)
        column.addWidget(self.ranking, 1)
        return ranked

    def _show_title(self) -> None:
        facts = self._bench.facts
        known = facts is not None and bool(len(facts.points.outlier))
        self.title.setText("By outlier score, oddest first" if known else "Outlier scores are not known yet")

    def _on_selected(self) -> None:
        self._below.setCurrentIndex(1 if len(self._bench.selected) else 0)

    def _on_point(self, point: int) -> None:
        self.ranking.choose(point)
        self.selection.gallery.choose(point)

    def _on_moved(self) -> None:
        self._by_user = True

    def _share_height(self) -> None:
        """Give the legend what it needs, up to a part, and the list the rest."""
        if self._by_user:
            return
        height = self.height()
        legend = min(self.legend.full_height(), round(height * _LEGEND_PART))
        self.setSizes([legend, height - legend])
