"""Class maps of all stages of a network, side by side on the photo."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Payload, Strip
from convviz_gui.engine.types import ImageInput, ModelInfo, Result
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.look.values import reading
from convviz_gui.gui.pictures.crop_place import OUTSIDE, place_in_crop
from convviz_gui.gui.pictures.flow import Flow
from convviz_gui.gui.pictures.heat_header import HeatHeader
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.stage_card import StageCard
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


class FilmStripView(PayloadView):
    """Shows `Strip`. A click on a stage makes its layer the window's."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._strip: Strip | None = None
        self.cards: list[StageCard] = []
        self.header = HeatHeader()
        self.flow = Flow()
        self._link = PictureLink(self)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.header)
        column.addWidget(self.flow, 1)
        self.set_content(content)
        self.header.opacity_changed.connect(self._on_opacity)
        self.header.colours_changed.connect(self._recolour)
        selection.layer_changed.connect(self._mark)

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""
        if isinstance(payload, Strip) and self.selection.model is not None:
            self._show(payload, self.selection.image, self.selection.model)

    def show_result(self, result: Result) -> None:
        """Show a finished run."""
        if isinstance(result.payload, Strip):
            self._show(result.payload, result.run.image, result.model)

    # ------------------------------------------------------------------------------------------ showing

    def shown(self) -> list[StageCard]:
        """The cards of the strip on screen, shallow layers first."""
        return self.cards[: len(self._strip.layers)] if self._strip is not None else []

    def _show(self, strip: Strip, image: ImageInput | None, model: ModelInfo) -> None:
        self._strip = strip
        self.header.show_strip(strip, model)
        while len(self.cards) < len(strip.layers):
            self.cards.append(self._made(len(self.cards)))
        for index, card in enumerate(self.shown()):
            card.show_stage(strip.stage(index), image, _facts(strip, index))
        aspect = image.pixels.shape[0] / image.pixels.shape[1] if image is not None else 1.0
        self.flow.set_cards(self.shown(), min(max(aspect, 0.5), 1.6))
        self._recolour()
        self._mark()
        self.stage.show_content()

    def _made(self, index: int) -> StageCard:
        card = StageCard(self._link)
        card.chosen.connect(self.selection.set_layer)
        card.hovered.connect(lambda at: self._on_hovered(index, at))
        return card

    def _recolour(self) -> None:
        table = self.header.colours.table()
        for card in self.shown():
            card.set_colours(table, self.header.opacity())

    def _on_opacity(self, opacity: float) -> None:
        for card in self.shown():
            card.picture.set_opacity(opacity)

    def _mark(self) -> None:
        for card in self.shown():
            card.set_chosen(card.heat is not None and card.heat.layer == self.selection.layer)

    def _on_hovered(self, index: int, at: tuple[float, float] | None) -> None:
        strip = self._strip
        place = None if strip is None or at is None else place_in_crop(at, strip.box)
        if strip is None or place is None:
            self.status.emit("" if at is None else OUTSIDE)
            for card in self.shown():
                card.point_at(None)
            return
        u, v = place
        for number, card in enumerate(self.shown()):
            raw = strip.raw[number]
            y, x = v * raw.shape[0], u * raw.shape[1]
            value = float(raw[int(y), int(x)])
            card.point_at(value)
            if number == index:
                self.status.emit(f"{strip.layers[index]}  {reading(y, x, value)}")


def _facts(strip: Strip, index: int) -> str:
    """Resolution and receptive field in words: "56 × 56 · sees 35 px", or "sees 35 × 70 px" if that is no square."""
    rows, columns = strip.raw[index].shape
    height, width = (int(side) for side in strip.fields[index])
    field = f"{height}" if height == width else f"{height} × {width}"
    return f"{rows} × {columns}" + (f" · sees {field} px" if height else "")
