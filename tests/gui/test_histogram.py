"""The histogram counts whatever a channel may hold."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from convviz_gui.gui.charts.histogram import Histogram

ONE = np.float32(1)


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ([ONE, np.nextafter(ONE, np.float32(2))], 2),
        ([-3e38, 3e38], 2),
        ([1e-45, 0], 2),
        ([7, 7, 7], 3),
        ([np.nan, np.inf, -np.inf, 1], 1),
        ([np.nan], 0),
    ],
)
def test_every_finite_value_is_counted(qtbot: QtBot, values: list[float], counted: int) -> None:
    histogram = Histogram("values")
    qtbot.addWidget(histogram)
    histogram.set_values(np.array(values, np.float32))
    assert histogram.counts().sum() == counted
    assert not histogram.grab().isNull()
