"""One layer's class map on the photo, with its name, its resolution and the scale of its colours."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import ByteArray, Heat
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.pictures.colour_bar import ColourBar
from convviz_gui.gui.pictures.heat_overlay import HeatOverlay, raw_maximum
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_link import PictureLink
from convviz_gui.gui.pictures.qimage import photo_qimage

_NO_EVIDENCE = "no positive evidence"


class StageCard(QWidget):
    """A picture that, clicked, chooses its layer; the button below it does the same and shows whether it is chosen.

    Signals:
        chosen: the layer's id.
        hovered: (x, y) floats in the photo's pixels, None when the cursor is elsewhere.
    """

    chosen = Signal(str)
    hovered = Signal(object)

    def __init__(self, link: PictureLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heat: Heat | None = None
        self._image: ImageInput | None = None
        self._overlay: HeatOverlay | None = None
        self.picture = Picture("Class map of a layer", link)
        self.name = _LayerButton()
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setFont(numbers_font(self.facts.font()))
        self.facts.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.bar = ColourBar("Colours of this layer's map")
        self.bar.setToolTip("Each layer has a scale of its own: compare where maps are warm, not how warm")
        self.nothing = QLabel(_NO_EVIDENCE)
        self.nothing.setProperty("role", "muted")
        self.nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        for part in (self.picture, self.name, self.facts, self.bar, self.nothing):
            column.addWidget(part)
        column.addStretch(1)
        self.name.clicked.connect(self._choose)
        self.picture.clicked.connect(self._choose)
        self.picture.hovered.connect(self.hovered)

    def show_stage(self, heat: Heat, image: ImageInput | None, facts: str) -> None:
        """Show one layer's map on the photo; `facts` is written below the layer's name."""
        frame = QRectF(*(float(number) for number in heat.box))
        if image is None:
            self.picture.set_image(None, smooth=True)
        elif image is not self._image or frame != self.picture.layers.frame:
            self.picture.set_image(photo_qimage(image), smooth=True, frame=frame)
        self.heat, self._image = heat, image
        self._overlay = HeatOverlay(heat.heat) if heat.positive else None
        self.picture.set_values(heat.raw)
        self.picture.setAccessibleName(f"Class map of {heat.layer}")
        self.name.set_layer(heat.layer)
        self.facts.setText(facts)
        self.bar.setVisible(heat.positive)
        self.nothing.setVisible(not heat.positive)

    def set_colours(self, table: ByteArray, opacity: float) -> None:
        """Draw the map in the colours of `table` u8 [256, 3]; opacity is 0…1."""
        self.picture.set_overlay(self._overlay.image(table) if self._overlay else None, opacity)
        if self.heat is not None and self.heat.positive:
            self.bar.set_scale(0.0, raw_maximum(self.heat), table)

    def set_chosen(self, chosen: bool) -> None:
        """Mark the layer as the one the window looks at."""
        self.name.setChecked(chosen)

    def caption_height(self) -> int:
        """Pixels below the picture."""
        parts = (self.name, self.facts, self.bar)
        return sum(part.sizeHint().height() + UNIT // 2 for part in parts)

    def point_at(self, value: float | None) -> None:
        """Show a raw value on the scale."""
        self.bar.point_at(value)

    def _choose(self) -> None:
        if self.heat is not None:
            # A click would otherwise take the mark away from the layer that is chosen already.
            self.name.setChecked(True)
            self.chosen.emit(self.heat.layer)


class _LayerButton(QToolButton):
    """A layer's id, shortened in the middle where there is no room for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer = ""
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_layer(self, layer: str) -> None:
        """Name the layer."""
        self._layer = layer
        self.setAccessibleName(f"Choose the layer {layer}")
        self.setToolTip(f"{layer}: make it the layer of the window, for every tab")
        self._fit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(self.fontMetrics().horizontalAdvance("xxxx…"), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - 2 * UNIT
        # "&" would make a shortcut of what follows.
        shown = self.fontMetrics().elidedText(self._layer, Qt.TextElideMode.ElideMiddle, room)
        self.setText(shown.replace("&", "&&"))
