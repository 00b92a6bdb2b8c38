"""One tab at work: it turns selection and forms into runs, and shows only results that are still about them."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QStackedWidget, QWidget

from convviz_gui.engine.errors import EngineError, Problem, ProblemKind, problem_from
from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Progressed, Started
from convviz_gui.engine.params import Settings
from convviz_gui.engine.types import MethodInfo, ModelInfo, Outcome, Reproject, Result, Run, Score
from convviz_gui.gui.look import words
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.errands import Errands
from convviz_gui.gui.tabs.method_panel import MethodPanel
from convviz_gui.gui.tabs.result_cache import ResultCache, precise, subject
from convviz_gui.gui.tabs.subject_watch import SubjectWatch
from convviz_gui.gui.tabs.tab_spec import TabSpec
from convviz_gui.gui.trust.map_checker import MapChecker
from convviz_gui.gui.views.base import Errand, PayloadView
from convviz_gui.worker.client import EngineClient

SETTLE = 120
"""Milliseconds a live method waits after a parameter changed, so that a held arrow does not run for each value."""


class MethodTab(QObject):
    """Joins a view, a panel and a lane of the engine.

    Signals:
        problem: a `Problem` to tell the user.
        settled: whatever was complained about is over.
        view_made: another view exists now (each is made when a method that needs it is first shown).
        demo_folder_wanted: a run needs a folder and none is chosen.
        shown: a `Result` that is on screen now.
    """

    problem = Signal(object)
    settled = Signal()
    view_made = Signal()
    demo_folder_wanted = Signal()
    shown = Signal(object)

    def __init__(
        self, spec: TabSpec, selection: Selection, client: EngineClient, undo: QUndoStack, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.spec = spec
        self.place = QStackedWidget(parent)
        self.panel = MethodPanel(spec, selection, undo, parent)
        self.checker = MapChecker(spec.name, self.panel.trust, client, self)
        self.errands = Errands(spec.name, client, self)
        self.view: PayloadView | None = None
        self._views: dict[str, PayloadView] = {}
        self.result: Result | None = None
        self._selection = selection
        self._client = client
        self._active = False
        self._dirty = True
        self._running: Run | None = None
        self._pictured = False
        self._page_waits = ""
        self._began = 0.0
        self._results = ResultCache()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(self._on_subject)
        self._connect()

    def _connect(self) -> None:
        panel, selection, client = self.panel, self._selection, self._client
        panel.run_bar.run_wanted.connect(self.run)
        panel.run_bar.stop_wanted.connect(self.stop)
        self.checker.checked.connect(self._on_checked)
        self.checker.problem.connect(self.problem)
        self.errands.began.connect(panel.run_bar.show_started)
        self.errands.progressed.connect(self._on_errand_progressed)
        self.errands.done.connect(self._on_errand_done)
        self.errands.given_up.connect(self._on_errand_given_up)
        self.errands.ended.connect(self._on_errands_ended)
        panel.settings_changed.connect(self._on_settings)
        panel.method_changed.connect(self._on_method)
        panel.target.changed.connect(self._on_subject)
        panel.target.demo_folder_wanted.connect(self.demo_folder_wanted)
        selection.model_changed.connect(self._on_model)
        selection.place_changed.connect(self._on_place)
        SubjectWatch(panel, selection, self).changed.connect(self._on_subject)
        client.started.connect(self._on_started)
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    # ------------------------------------------------------------------------------------- from the window

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Take the methods of the tab's category."""
        self.panel.set_methods(methods)
        self._on_method()

    def set_active(self, active: bool) -> None:
        """Tell whether the tab is the one on screen. What became out of date meanwhile is computed now."""
        self._active = active
        if active:
            self._use_view()
        if active and self._dirty:
            self._on_subject()

    def _use_view(self) -> None:
        """Put the view of the chosen method's results on screen; before the engine is up, the tab's first one."""
        info = self.panel.method
        wanted = info.payload if info is not None else next(iter(self.spec.views))
        if wanted not in self._views:
            view = self._views[wanted] = self.spec.views[wanted](self._selection)
            self.place.addWidget(view)
            view.run_wanted.connect(self.run)
            view.settings_wanted.connect(self._on_settings_wanted)
            view.layer_wanted.connect(self.panel.target.ask_at)
            view.command_wanted.connect(self.errands.send)
            view.problem.connect(self.problem)
            view.screen_changed.connect(self._on_screen_changed)
            self.view = view
            self.view_made.emit()
            self.place.setCurrentWidget(view)
            self._show_empty()
        elif self.view is not self._views[wanted]:
            self.view = self._views[wanted]
            self.place.setCurrentWidget(self.view)

    def _on_method(self) -> None:
        if self._active:
            self._use_view()
        self._on_subject()

    @property
    def name(self) -> str:
        """Its name, and that of its lane."""
        return self.spec.name

    @property
    def title(self) -> str:
        """As written on the tab."""
        return self.spec.title

    @property
    def running(self) -> bool:
        """True while a run of this tab, or an errand of its view, is under way or waiting."""
        return self._running is not None or self.errands.busy

    @property
    def on_screen(self) -> Result | None:
        """What is to be saved: the result, or what the user has made of it in the view."""
        return self.view.on_screen(self.result) if self.result is not None and self.view is not None else self.result

    def request(self) -> Run | None:
        """The run that selection and forms ask for, or None while something is missing.

        Raises `EngineError` for channels that cannot be read, and for a method that does not apply to the network.
        """
        info, form = self.panel.method, self.panel.form
        if info is None or form is None or self._selection.model is None:
            return None
        if (reason := dict(self._selection.model.cannot).get(info.name)) is not None:
            why = reason[:1].lower() + reason[1:].rstrip(".")
            raise EngineError(f"{info.title} does not apply to {self._selection.model.name}: {why}")
        needs = self.panel.needs
        image = self._selection.image if "image" in needs else None
        folder = self.panel.target.chosen_folder()
        if ("image" in needs and image is None) or ("folder" in needs and folder is None):
            return None
        target = self.panel.target.target()
        if self.view is not None:
            target = self.view.target(target)
        splits = self._selection.splits if folder is not None else ()
        return Run(info.name, target, image, folder, form.settings(), self.panel.target.chosen_seed(), splits)

    def run(self) -> None:
        """Run now, with what is chosen now."""
        if "folder" in self.panel.needs and self.panel.target.chosen_folder() is None:
            self.demo_folder_wanted.emit()
            return
        try:
            request = self.request()
        except EngineError as error:
            self.problem.emit(problem_from(error))
            return
        if request is None:
            self.problem.emit(Problem(ProblemKind.USER, "There is nothing to run on yet", "Open a picture first"))
            return
        self._submit(request)

    def run_page(self) -> None:
        """Make the chosen method's page if there is none, after the run that is under way."""
        info = self.panel.method
        if info is not None and self.result is None:
            self._page_waits = info.name
            self._go_on()

    def _go_on(self) -> None:
        waiting, info = self._page_waits, self.panel.method
        if waiting and self._running is None:
            self._page_waits = ""
            if info is not None and info.name == waiting and self.result is None:
                self.run()

    def stop(self) -> None:
        """Stop the run, what it has made so far is kept; and what the view wanted done."""
        self._client.cancel(self.spec.name)
        self.errands.stop()

    def rerun(self) -> None:
        """Compute again what a cancelled lane left undone."""
        self._dirty = True
        if self._active:
            self._on_subject()

    # ----------------------------------------------------------------------------------- what it is about

    def _on_model(self) -> None:
        self._abandon()
        self.errands.stop()
        # The same network on another device keeps what was computed of it.
        self._results.keep_only(self._selection.model)
        self.result = None
        self.checker.set_result(None)
        self.panel.run_bar.show_ended("")
        self._on_subject()

    def _on_place(self) -> None:
        """The same network on another device: what is shown still counts, what the move cancelled is run again."""
        model = self._selection.model
        if self._running is None and (self.result is None or model is None or not precise(self.result, model)):
            self.rerun()

    def _on_settings_wanted(self, settings: Settings) -> None:
        if self.panel.form is not None:
            self.panel.form.set_settings(settings)

    def _on_settings(self) -> None:
        info = self.panel.method
        if info is not None and info.live:
            self._settle.start()
        elif info is not None and info.needs_by is not None:
            # What is asked about may be something else now.
            self._on_subject()

    def _on_subject(self) -> None:
        """What the tab should show may be something else now."""
        self._dirty = True
        info, model = self.panel.method, self._selection.model
        self._refresh_buttons()
        if not self._active:
            # Nobody looks: a live run for the old subject is wasted work, a run that was asked for is not.
            if info is not None and info.live:
                self._abandon()
            return
        if info is None or model is None or self.view is None:
            return
        self._dirty = False
        try:
            wanted = self.request()
        except EngineError as error:
            self._show_empty(str(error))
            return
        if wanted is None:
            self._show_empty()
        elif (known := self._known(model, wanted, info.live)) is not None:
            if info.live:
                self._abandon()
            self._show(known)
        elif info.live:
            self._renew(self.view, wanted)
        elif self._running is None or subject(self._running) != subject(wanted):
            self._abandon_live()
            self._show_empty()

    def _renew(self, view: PayloadView, wanted: Run) -> None:
        if self.result is None:
            view.show_message("One moment…")
        view.set_stale(True)
        self._submit(wanted)

    def _known(self, model: ModelInfo, wanted: Run, live: bool) -> Result | None:
        return self._results.get(model, wanted) if live else self._results.similar(model, wanted)

    def _is_wanted(self, run: Run) -> bool:
        """True if `run` is about what the window looks at now."""
        try:
            wanted = self.request()
        except EngineError:
            return False
        return wanted is not None and subject(wanted) == subject(run)

    # ------------------------------------------------------------------------------------------- showing

    def _show_empty(self, sentence: str = "") -> None:
        self.result = None
        self.errands.stop()
        self.checker.set_result(None)
        self._refresh_buttons()
        if self.view is None:
            return
        if self._selection.model is None:
            self.view.show_message("The network is being opened…")
            return
        if self._running is None:
            # How long another method took is no news here.
            self.panel.run_bar.show_ended("")
        elif not sentence and (other := self._other_at_work()):
            self.view.show_message(f"{other} is still at work. Wait for it, or press Stop.")
            return
        layer = self._selection.layer or "the layer"
        invitation, button = self.spec.invitation(self.panel.method.name if self.panel.method is not None else "")
        takes_demo = self.spec.demo_button and "folder" in self.panel.needs and self._selection.folder is None
        button = self.spec.demo_button if takes_demo else button
        self.view.show_message(sentence or invitation.format(layer=layer), "" if sentence else button)

    def _other_at_work(self) -> str:
        """The title of a method that runs while another one is chosen, else ""."""
        other = self.panel.info_of(self._running.method) if self._running is not None else None
        return other.title if other is not None and other is not self.panel.method else ""

    def _show(self, result: Result) -> None:
        self.result = result
        info = self.panel.method
        self.checker.set_result(result, info.known_to_fail_randomisation if info is not None else "")
        self._refresh_buttons()
        if self.view is None:
            return
        self.view.set_stale(False)
        self.view.show_result(result)
        self.shown.emit(result)
        if self._running is None:
            self.panel.run_bar.show_ended(f"Took {words.duration(result.seconds)}", self._scores())

    def _scores(self) -> tuple[Score, ...]:
        """The numbers of what is on screen."""
        return self.on_screen.scores if self.on_screen is not None else ()

    def _on_screen_changed(self) -> None:
        if self._running is None:
            self.panel.run_bar.show_scores(self._scores())

    def _refresh_buttons(self) -> None:
        info, model = self.panel.method, self._selection.model
        ready = info is not None and model is not None and info.name not in dict(model.cannot)
        self.panel.set_enabled(ready=ready, saveable=self.result is not None)

    # ------------------------------------------------------------------------------------------ the lane

    def _submit(self, request: Run) -> None:
        # They are about what this run is going to replace.
        self.errands.stop()
        self._running = request
        self._pictured = False
        self._began = time.monotonic()
        self.panel.run_bar.show_started()
        self._client.submit(self.spec.name, request)

    def _abandon(self) -> None:
        """Drop the run under way, picture so far included."""
        if self._running is not None:
            self._running = None
            self.panel.run_bar.show_ended("")
            self._client.cancel(self.spec.name)

    def _abandon_live(self) -> None:
        """Drop the run under way if it is of a method that runs by itself: nobody asked for it."""
        running = self.panel.info_of(self._running.method) if self._running is not None else None
        if running is not None and running.live:
            self._abandon()

    def _on_started(self, message: Started) -> None:
        if message.job.lane == self.spec.name and self.view is not None and self._running is not None:
            self.view.set_stale(self.result is not None and self._is_wanted(self._running))

    def _on_progressed(self, message: Progressed) -> None:
        if message.job.lane != self.spec.name or self._running is None:
            return
        self.panel.run_bar.show_progress(message)
        if self.view is None or not self._is_wanted(self._running):
            return
        if message.preview is not None:
            self._pictured = True
            self.view.set_stale(False)
            self.view.show_preview(message.preview)
        elif self.result is None and not self._pictured and message.note:
            self.view.show_message(f"{message.note[:1].upper()}{message.note[1:]}…")

    def _on_finished(self, message: Finished) -> None:
        if message.job.lane != self.spec.name or not isinstance(message.outcome, Result):
            return
        if message.outcome.model is self._selection.model:
            self._end(message.outcome, f"Took {words.duration(message.outcome.seconds)}")
            self.settled.emit()

    def _on_cancelled(self, message: Cancelled) -> None:
        if message.job.lane != self.spec.name or self._running is None:
            return
        run, model = self._running, self._selection.model
        if message.partial is None or model is None:
            self._running = None
            self._restore()
            self.panel.run_bar.show_ended("Stopped")
            self._go_on()
            return
        seconds = time.monotonic() - self._began
        self._end(Result(run, message.partial, run.settings, model, seconds), "Stopped; this is what there was")

    def _on_failed(self, message: Failed) -> None:
        # A run that was given up may still fail, over a layer that the next network does not have, say.
        if message.job is None or message.job.lane != self.spec.name or self._running is None:
            return
        wanted = self._is_wanted(self._running)
        self._running = None
        self.panel.run_bar.show_ended("")
        self.problem.emit(message.problem)
        if wanted and self.result is None:
            self._show_empty(str(message.problem))
        else:
            self._restore()

    def _end(self, result: Result, note: str) -> None:
        wanted, other = self._is_wanted(result.run), self._other_at_work()
        self._running = None
        self._results.put(result)
        if wanted:
            self._page_waits = ""
            self._show(result)
            self.panel.run_bar.show_ended(note, result.scores)
            return
        if other and self.result is None:
            self._show_empty()
        # What is on screen is something else: its own time stands, or none.
        own = f"Took {words.duration(self.result.seconds)}" if self.result is not None else ""
        note = f"{other}: {note[:1].lower()}{note[1:]}" if other else own
        self.panel.run_bar.show_ended(note, self.result.scores if self.result is not None else ())
        self._go_on()

    def _on_errand_progressed(self, message: Progressed) -> None:
        if self._running is None:
            self.panel.run_bar.show_progress(message)
        if message.preview is not None and self.view is not None and isinstance(message.job.command, Reproject):
            self.view.show_working(message.job.command, message.preview)

    def _on_errand_done(self, errand: Errand, outcome: Outcome) -> None:
        if self.view is not None and self.result is not None:
            self.view.show_outcome(errand, outcome)
            # Of pictures dropped together, those that could be placed must not hide what is wrong with the others.
            if isinstance(errand, Reproject):
                self.settled.emit()

    def _on_errand_given_up(self, errand: Errand, problem: Problem | None) -> None:
        if self.view is not None and self.result is not None and self._running is None:
            self.view.show_given_up(errand)
        if problem is not None:
            self.problem.emit(problem)

    def _on_errands_ended(self) -> None:
        if self._running is None:
            self.panel.run_bar.show_ended("", self._scores())

    def _on_checked(self, before: Result, result: Result) -> None:
        self._results.put(result)
        if self.result is before:
            self.result = result
            self.checker.set_result(result)
            self.settled.emit()

    def _restore(self) -> None:
        """After a run that came to nothing, what was on screen counts again, if it is still about the subject."""
        if self.view is None:
            return
        self.view.set_stale(False)
        if self.result is None or not self._is_wanted(self.result.run):
            self._show_empty()
        else:
            self.view.show_result(self.result)
