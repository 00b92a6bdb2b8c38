"""The status bar: what is under the cursor, what is running, the device and the memory."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Progressed, Started
from convviz_gui.engine.types import (
    Amend,
    Check,
    Embed,
    Export,
    Identify,
    LoadModel,
    Locate,
    MoveModel,
    Nearest,
    Reproject,
    Run,
)
from convviz_gui.gui.look import words
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.network.model_header import device_name
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.run_bar import WAIT_BEFORE_BAR, progress_text, show_part
from convviz_gui.gui.window.process_memory import resident_bytes
from convviz_gui.worker.client import EngineClient

MEMORY_INTERVAL = 2000
"""Milliseconds between looks at the process's memory."""


class StatusBar(QStatusBar):
    """Shows the newest running job of any lane.

    Signals:
        stop_wanted: the lane whose job should stop.
    """

    stop_wanted = Signal(str)

    def __init__(self, selection: Selection, client: EngineClient, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._selection = selection
        self._titles: dict[str, str] = {}
        self._jobs: dict[int, Job] = {}
        self._last: Progressed | None = None
        self.value = ElidedLabel()
        self.value.setFont(numbers_font(self.value.font()))
        self.device = QLabel()
        self.device.setFont(numbers_font(self.device.font()))
        self.device.setToolTip("Where the network computes, and the memory of this process")
        self.running = self._make_running()
        self.addWidget(self.value, 1)
        self.addPermanentWidget(self.running)
        self.addPermanentWidget(self.device)
        self.setContentsMargins(UNIT, 0, UNIT, 0)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(WAIT_BEFORE_BAR)
        self._delay.timeout.connect(self._refresh)
        self._clock = QTimer(self)
        self._clock.setInterval(MEMORY_INTERVAL)
        self._clock.timeout.connect(self._show_device)
        self._clock.start()
        selection.model_changed.connect(self._show_device)
        selection.place_changed.connect(self._show_device)
        client.started.connect(self._on_started)
        client.progressed.connect(self._on_progressed)
        for ended in (client.finished, client.failed, client.cancelled):
            ended.connect(self._on_ended)
        self._show_device()

    def _make_running(self) -> QWidget:
        box = QWidget()
        self.title = plain(QLabel())
        self.title.setFont(numbers_font(self.title.font()))
        self.title.setMaximumWidth(50 * UNIT)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(15 * UNIT)
        stop = QToolButton()
        stop.setText("■")
        stop.setAccessibleName("Stop")
        stop.setToolTip("Stop (Space)")
        stop.clicked.connect(self._on_stop)
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, UNIT, 0)
        row.setSpacing(UNIT)
        for widget in (self.title, self.progress, stop):
            row.addWidget(widget)
        box.hide()
        return box

    def set_titles(self, titles: dict[str, str]) -> None:
        """Titles of methods by name."""
        self._titles = titles

    def say(self, text: str) -> None:
        """Show what is under the cursor, or another short remark."""
        self.value.setText(text)

    def _on_started(self, message: Started) -> None:
        self._forget(message.job.lane)
        self._jobs[message.job.id] = message.job
        self._last = None
        if not self.running.isVisible():
            self._delay.start()

    def _on_progressed(self, message: Progressed) -> None:
        if self._jobs and message.job.id == next(reversed(self._jobs)):
            self._last = message
            if self.running.isVisible():
                self._refresh()

    def _on_ended(self, message: Finished | Failed | Cancelled) -> None:
        if message.job is not None:
            self._forget(message.job.lane)
            # After a guest that ran between the steps of a longer job, its host shows again.
            self._last = None
        if not self._jobs:
            self._delay.stop()
            self.running.hide()
        elif self.running.isVisible():
            self._refresh()

    def _forget(self, lane: str) -> None:
        # A job replaced in its lane is told of no more: its entry ends when the newer one starts, or ends unstarted.
        self._jobs = {number: job for number, job in self._jobs.items() if job.lane != lane}

    def _refresh(self) -> None:
        if not self._jobs:
            return
        job = next(reversed(self._jobs.values()))
        last = self._last
        text = self._title(job)
        if last is not None and (rest := progress_text(last)):
            text = f"{text} · {rest}"
        self.title.setText(self.title.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 50 * UNIT))
        self.title.setToolTip(tip(text))
        show_part(self.progress, last.done if last else 0, last.total if last else 0)
        self.running.show()

    def _title(self, job: Job) -> str:
        match job.command:
            case Run(method=method):
                return self._titles.get(method, method)
            case LoadModel(spec=spec):
                return f"Opening {spec.source}"
            case MoveModel(device=device):
                return f"Moving to {device_name(device)}"
            case Identify():
                return "Recognising the weights"
            case Amend():
                return "Preparing the network anew"
            case Check(result=result):
                return f"Checking {self._titles.get(result.run.method, result.run.method)}"
            case Reproject():
                return "Projecting the selection"
            case Locate() | Nearest():
                return "Finding neighbours" if isinstance(job.command, Nearest) else f"Placing {job.command.image.name}"
            case Embed() | Export():
                return "Saving"

    def _on_stop(self) -> None:
        if self._jobs:
            self.stop_wanted.emit(next(reversed(self._jobs.values())).lane)

    def _show_device(self) -> None:
        size = resident_bytes()
        model = self._selection.model
        parts = [device_name(model.device)] if model is not None else []
        if model is not None and model.precision != "float32":
            parts.append(model.precision)
        if size is not None:
            parts.append(words.memory(size))
        self.device.setText(" · ".join(parts))
