"""Names from files shown as what they are: Qt takes a text with a tag in it for HTML, pictures and links included."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel


def plain(label: QLabel) -> QLabel:
    """The label, showing texts to the letter."""
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def tip(text: str) -> str:
    """A tooltip that shows the text to the letter; tooltips know no other way of saying so than HTML itself."""
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>" if Qt.mightBeRichText(text) else text
