"""The tab "Latent space": a folder of pictures on a map, its neighbours and its outliers."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


class LatentView(PayloadView):
    """Shows `Points`: where the network puts the pictures of a folder."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
