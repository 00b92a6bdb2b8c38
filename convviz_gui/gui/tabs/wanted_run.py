"""The run that selection and forms ask for at this moment."""

from __future__ import annotations

from collections.abc import Callable

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Run, Target
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.method_panel import MethodPanel
from convviz_gui.gui.tabs.result_cache import subject


class WantedRun:
    """Reads a panel and the window's selection; `refined` is what the view on screen makes of a target."""

    def __init__(self, panel: MethodPanel, selection: Selection, refined: Callable[[Target], Target]) -> None:
        self._panel = panel
        self._selection = selection
        self._refined = refined

    def request(self) -> Run | None:
        """The run, or None while something is missing.

        Raises `EngineError` for channels that cannot be read, and for a method that does not apply to the network.
        """
        panel, selection = self._panel, self._selection
        info, form = panel.method, panel.form
        if info is None or form is None or selection.model is None:
            return None
        if (reason := dict(selection.model.cannot).get(info.name)) is not None:
            why = reason[:1].lower() + reason[1:].rstrip(".")
            raise EngineError(f"{info.title} does not apply to {selection.model.name}: {why}")
        image = selection.image if "image" in panel.needs else None
        folder = panel.target.chosen_folder()
        if ("image" in panel.needs and image is None) or self.lacks_folder():
            return None
        target = self._refined(panel.target.target())
        splits = selection.splits if folder is not None else ()
        return Run(info.name, target, image, folder, form.settings(), panel.target.chosen_seed(), splits)

    def lacks_folder(self) -> bool:
        """True while a folder is needed and none is chosen."""
        return "folder" in self._panel.needs and self._panel.target.chosen_folder() is None

    def is_about(self, run: Run) -> bool:
        """True if `run` is about what is asked for now: settings apart, the same."""
        try:
            wanted = self.request()
        except EngineError:
            return False
        return wanted is not None and subject(wanted) == subject(run)
