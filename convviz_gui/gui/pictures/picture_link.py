"""Pictures of the same thing move together: what one of them is made to show, the others show too."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class PictureLink(QObject):
    """Carries views and cursors between pictures. The first argument of each signal is the picture it came from.

    Positions (u, v) are fractions 0…1 of what the pictures have in common, such as the model's crop; `zoom` is the
    width of that part on the screen, in logical pixels.
    """

    moved = Signal(object, float, float, float)
    fitted = Signal(object)
    pointed = Signal(object, float, float)
    left = Signal(object)
