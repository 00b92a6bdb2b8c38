"""Choice of a colour table, each shown by its colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QWidget

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.pictures.qimage import coloured_qimage

_TITLES = {"jet": "JET", "blue-red": "Blue–red"}
_SWATCH = QSize(48, 12)


class ColourCombo(QComboBox):
    """Offers tables of `COLORMAPS` by name; the first is chosen."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Colours")
        self.setToolTip("Colours. Viridis, inferno and cividis grow evenly lighter; JET and turbo invent edges.")
        self.setIconSize(_SWATCH)
        self.setMinimumContentsLength(5)
        for name in names:
            self.addItem(_swatch(COLORMAPS[name]), _TITLES.get(name, name.capitalize()), name)

    def name(self) -> str:
        """Name of the chosen table."""
        return str(self.currentData())

    def table(self) -> ByteArray:
        """The chosen table, u8 [256, 3]."""
        return COLORMAPS[self.name()]


def _swatch(table: ByteArray) -> QIcon:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (_SWATCH.height(), 1))
    return QIcon(QPixmap.fromImage(coloured_qimage(ramp, table).scaled(_SWATCH)))
