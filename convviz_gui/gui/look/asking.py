"""What a picture or a grid asks of the view it is part of, without knowing it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget


@runtime_checkable
class AsksToCompare(Protocol):
    """A view whose result can be put beside another."""

    compare_wanted: SignalInstance


def asks_to_compare(part: QWidget) -> AsksToCompare | None:
    """The view that `part` stands in, or None where nothing can be compared, as in dialogs."""
    parent = part.parentWidget()
    while parent is not None and not isinstance(parent, AsksToCompare):
        parent = parent.parentWidget()
    return parent


def compare_action(part: QWidget) -> QAction:
    """An action for the menu of `part` that puts its view's result beside another."""
    action = QAction("Compare", part)

    def ask() -> None:
        view = asks_to_compare(part)
        if view is not None:
            view.compare_wanted.emit()

    action.triggered.connect(ask)
    return action
