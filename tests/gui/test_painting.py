"""An error while painting is told, once, and the program goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAD = """
import sys
from PySide6.QtCore import QStringListModel, QTimer
from PySide6.QtWidgets import QApplication, QListView, QStyledItemDelegate, QWidget
from convviz_gui.gui.look.painting import guarded, paints

told = []
sys.excepthook = lambda kind, error, trace: told.append(str(error))
app = QApplication([])
"""
WIDGET = """
class Shown(QWidget):
    @paints
    def paintEvent(self, painter):
        painter.save()
        painter.drawLine(0, 0, 9, 9)
        raise ValueError("widget")

shown = Shown()
"""
DELEGATE = """
class Drawn(QStyledItemDelegate):
    @guarded
    def paint(self, painter, option, index):
        painter.translate(3, 3)
        raise ValueError("delegate")

shown = QListView()
shown.setModel(QStringListModel(["one", "two"], shown))
shown.setItemDelegate(Drawn(shown))
"""
TAIL = """
shown.resize(200, 100)
shown.show()
for _ in range(3):
    shown.grab()
    app.processEvents()
QTimer.singleShot(50, app.quit)
app.exec()
print(told)
"""


@pytest.mark.parametrize(("made", "problem"), [(WIDGET, "widget"), (DELEGATE, "delegate")])
def test_an_error_while_painting_is_told_once_and_the_process_lives(made: str, problem: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + made + TAIL],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([problem])
