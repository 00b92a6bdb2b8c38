"""What a verdict rests on: the curves, the likeness with shuffled weights, and the sentences that explain them."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import FloatArray, Trust
from convviz_gui.gui.charts.curves_chart import CurvesChart, Ink, Series
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

_HELP = (
    "Deletion: the pixels go to grey, the most telling first; what is explained should fall early. Insertion: they "
    "come back into a blurred photo; it should rise early. The band is random orders of the same grain.\n\n"
    "Shuffled weights: the same method on a copy of the network that has forgotten its last layer, then more, then "
    "all. A map that stays the same never showed what the network learned."
)


class TrustDetails(QWidget):
    """Three small charts and the sentences below them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading = QLabel("Why")
        heading.setProperty("role", "section")
        heading.setToolTip(_HELP)
        self.deletion = CurvesChart("Deletion")
        self.insertion = CurvesChart("Insertion")
        self.likeness = CurvesChart("Shuffled weights")
        self.sentences = plain(QLabel())
        self.sentences.setWordWrap(True)
        self.sentences.setProperty("role", "muted")
        self.help = plain(QLabel(_HELP))
        self.help.setWordWrap(True)
        self.help.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, UNIT, 0, 0)
        column.setSpacing(UNIT)
        for widget in (heading, self.deletion, self.insertion, self.likeness, self.sentences, self.help):
            column.addWidget(widget)

    def show_trust(self, trust: Trust) -> None:
        """Show what a check found."""
        ends = [getattr(trust, f"{way}{what}") for way in ("", "random_", "centre_") for what in _WAYS]
        measured = len(trust.fractions) > 0
        least, largest = 0.0, 1.0
        if measured and trust.measure != "probability":
            least, largest = (float(pick([pick(end) for end in ends])) for pick in (np.nanmin, np.nanmax))
        for chart, what in zip((self.deletion, self.insertion), _WAYS, strict=True):
            chart.setVisible(measured)
            if measured:
                _show_curves(chart, trust, what, least, largest)
        self.likeness.setVisible(bool(trust.layers))
        if trust.layers:
            lowest = np.concatenate([trust.ssim, trust.spearman, np.zeros(1, np.float32)])
            series = (
                Series("SSIM", trust.ssim, Ink.ACCENT),
                Series("Spearman", trust.spearman, Ink.QUIET),
            )
            at = np.linspace(0, 1, len(trust.layers), dtype=np.float32)
            self.likeness.set_curves(at, trust.layers, series, float(np.nanmin(lowest)), 1.0)
        cheaper = (
            f"The map was made with {trust.settings} for the runs with shuffled weights." if trust.settings else ""
        )
        self.sentences.setText("\n\n".join(text for text in (*trust.verdict[1:], cheaper) if text))
        self.sentences.setVisible(bool(self.sentences.text()))
        self.help.setVisible(measured)


_WAYS = ("deletion", "insertion")


def _show_curves(chart: CurvesChart, trust: Trust, what: str, least: float, largest: float) -> None:
    random: FloatArray = getattr(trust, f"random_{what}")
    series = (
        Series("map", getattr(trust, what), Ink.ACCENT),
        Series("centred blob", getattr(trust, f"centre_{what}"), Ink.SECOND),
        Series("random", random.mean(axis=0), Ink.QUIET, random),
    )
    way = "gone" if what == "deletion" else "back"
    places = tuple(f"{100 * part:.0f} % {way}" for part in trust.fractions.tolist())
    chart.set_curves(trust.fractions, places, series, least, largest)
