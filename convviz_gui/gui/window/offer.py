"""A calm line above the tabs that offers the network of the last session."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QWidget

from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.recent_models import RecentModel

KEYS = "Ctrl+Shift+M"
"""Opens what is offered, and the newest of the recent networks when nothing is."""


class Offer(QFrame):
    """ "Last time: resnet50 (best.pth) · Open again".

    Signals:
        accepted: the user wants that network again.
    """

    accepted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("offer")
        self.text = ElidedLabel()
        self.text.setAccessibleName("Network of the last session")
        self.again = QPushButton("Open again")
        self.again.setToolTip(
            f"Open it as it was ({QKeySequence(KEYS).toString(QKeySequence.SequenceFormat.NativeText)})"
        )
        self.again.clicked.connect(self.accepted)
        self.dismiss = QToolButton()
        self.dismiss.setText("✕")
        self.dismiss.setAccessibleName("Dismiss the offer")
        self.dismiss.setToolTip("Stay with the demo (Esc)")
        self.dismiss.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT, UNIT // 2)
        row.setSpacing(UNIT)
        row.addWidget(self.text, 1)
        row.addWidget(self.again, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def offer(self, entry: RecentModel) -> None:
        """Show the line for a network; one that cannot be opened any more is said to be gone."""
        obstacle = entry.obstacle()
        said = f"Last time: {entry.title()}"
        self.text.setText(f"{said}, but {obstacle}" if obstacle else said)
        self.again.setVisible(not obstacle)
        self.show()
