"""Synthetic pictures of channels, forming live, and how the loss went."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Result
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView


class FiltersView(PayloadView):
    """Shows `Gallery`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)

    def show_preview(self, payload: Payload) -> None:
        """Show a picture of a run under way."""

    def show_result(self, result: Result) -> None:
        """Show a finished run."""

    def show_message(self, sentence: str, button: str = "") -> None:
        """Show an empty state."""

    def set_stale(self, stale: bool) -> None:
        """Dim what is shown while a newer run is under way."""
