"""Which channels of the network are of no use on a folder's pictures: layers, and the channels of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.depiction.census import channel_table
from convviz_gui.engine.payloads import Census, Payload
from convviz_gui.engine.types import Result
from convviz_gui.gui.charts.bar_table import BarTable, Column
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.picture_files import save_table
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


class CensusView(PayloadView):
    """Shows `Census`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._census: Census | None = None
        self._layer = 0
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = plain(QLabel(wordWrap=True))
        self.facts.setProperty("role", "muted")
        self.save_button = QPushButton("Save CSV…")
        self.save_button.setToolTip("A row for every channel of every layer")
        self.layers = BarTable("Layers")
        self.heading = ElidedLabel()
        self.heading.setProperty("role", "section")
        self.channels = BarTable("Channels of the layer")
        self.channels.setToolTip("Click to choose the channel in the window; Enter shows everything about it")
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        above = QHBoxLayout()
        above.setSpacing(2 * UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.save_button)
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, UNIT, 0, 0)
        lower.setSpacing(UNIT)
        lower.addWidget(self.heading)
        lower.addWidget(self.channels, 1)
        # One above the other: both need the page's whole width for what they have to say.
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.layers)
        splitter.addWidget(below)
        splitter.setSizes([300, 260])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(self.facts)
        column.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.layers.chosen.connect(self._choose_layer)
        self.channels.chosen.connect(self._choose_channel)
        self.channels.opened.connect(self._open_channel)
        self.save_button.clicked.connect(self._save)
        self.selection.layer_changed.connect(self._on_layer)
        self.selection.channel_changed.connect(self._on_channel)

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show what was counted so far."""
        if isinstance(payload, Census):
            self._show(payload)

    def show_result(self, result: Result) -> None:
        """Show a finished census."""
        if isinstance(result.payload, Census):
            self._show(result.payload)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, census: Census) -> None:
        before, self._census = self._census, census
        same = before is not None and before.layers == census.layers
        if not same:
            wanted = self.selection.layer
            self._layer = census.layers.index(wanted) if wanted in census.layers else 0
        self.title.setText(f"{len(census.layers)} layers, {len(census.dead)} channels   {census.n_pictures} pictures")
        self.facts.setText(_facts(census))
        self.save_button.setEnabled(census.final)
        self.layers.set_columns(_layer_columns(census), keep=same)
        self.layers.select(self._layer, show=not same)
        self._show_layer(keep=same)
        self.stage.show_content()

    def _show_layer(self, *, keep: bool = False) -> None:
        if self._census is None:
            return
        census, layer = self._census, self._layer
        rectified = "" if census.rectified[layer] else "   has negative values: fires above 1 % of its largest"
        self.heading.setText(f"{census.layers[layer]}{rectified}")
        self.channels.set_columns(_channel_columns(census, layer), keep=keep)
        if self.selection.layer == census.layers[layer]:
            self._on_channel()

    # ----------------------------------------------------------------------------------- what happens here

    def _choose_layer(self, row: int) -> None:
        self._layer = row
        self._show_layer()

    def _choose_channel(self, row: int) -> None:
        if self._census is not None:
            self.selection.set_layer(self._census.layers[self._layer])
            self.selection.set_channel(row)

    def _open_channel(self, row: int) -> None:
        self._choose_channel(row)
        self.show_method.emit("unit")

    def _on_layer(self) -> None:
        census, layer = self._census, self.selection.layer
        if census is None or layer not in census.layers or census.layers.index(layer) == self._layer:
            return
        self._layer = census.layers.index(layer)
        self.layers.select(self._layer, show=True)
        self._show_layer()

    def _on_channel(self) -> None:
        census = self._census
        if census is not None and census.layers[self._layer] == self.selection.layer:
            part = census.channels(self._layer)
            if self.selection.channel < part.stop - part.start:
                self.channels.select(self.selection.channel, show=True)

    def _save(self) -> None:
        if self._census is not None:
            suggested = f"{Path(self._census.folder).name} census"
            save_table(self, "census", suggested, channel_table(self._census))


def _facts(census: Census) -> str:
    dead, sparse, twins = int(census.dead.sum()), int(census.sparse.sum()), int((census.twin >= 0).sum())
    said = [f"{dead} dead: fire in no picture", f"{sparse} sparse: in less than {percent(census.sparse_below)} of them"]
    if not census.final:
        said.append("duplicates are known at the end")
    elif census.n_judged == 0:
        said.append("duplicates not judged: too few pictures")
    else:
        by = "" if census.n_judged == census.n_pictures else f", judged by {census.n_judged} pictures"
        said.append(f"{twins} duplicates of an earlier channel (r ≥ {census.alike_from:g}{by})")
    return "  ·  ".join(said)


def _layer_columns(census: Census) -> list[Column]:
    parts = [census.channels(number) for number in range(len(census.layers))]
    counts = np.array([part.stop - part.start for part in parts])
    columns = [
        Column("layer", census.layers, np.arange(len(parts)), "In order of execution", stretches=True, words=True),
        Column("channels", [str(count) for count in counts], counts),
    ]
    for title, flags, text in (
        ("dead", census.dead, "Channels that fire in no picture"),
        ("sparse", census.sparse, "Channels that fire in few pictures"),
        ("duplicates", census.twin >= 0, "Channels that answer like an earlier one"),
    ):
        found = np.array([int(flags[part].sum()) for part in parts])
        share = found / np.maximum(counts, 1)
        texts = [f"{n}  {percent(float(s))}" if n else "–" for n, s in zip(found, share, strict=True)]
        columns.append(Column(title, texts, share, f"{text}, and their part of the layer's", bar=True))
    return columns


def _channel_columns(census: Census, layer: int) -> list[Column]:
    part = census.channels(layer)
    firing, peak, twin = census.firing[part], census.peak[part], census.twin[part]
    alike = [f"like {other}  {similarity:.3f}" for other, similarity in zip(twin, census.similarity[part], strict=True)]
    said = [
        "dead" if census.dead[at] else "sparse" if census.sparse[at] else alike[row] if twin[row] >= 0 else ""
        for row, at in enumerate(range(part.start, part.stop))
    ]
    # Dead first, then sparse, then duplicates.
    order = 3 * census.dead[part] + 2 * census.sparse[part] + (twin >= 0)
    return [
        Column("channel", [str(channel) for channel in range(len(firing))], np.arange(len(firing))),
        Column("fires in", [percent(float(share)) for share in firing], firing, "Part of the pictures", bar=True),
        Column("largest", [value(float(number)) for number in peak], peak, "Its largest value in any picture"),
        Column("verdict", said, order, "Dead, sparse, or like an earlier channel", stretches=True, words=True),
    ]
