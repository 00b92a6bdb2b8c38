"""What the menus, the palette, drops and pastes do to the window."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

import convviz_gui
from convviz_gui.engine.errors import EngineError, Problem, problem_from
from convviz_gui.engine.types import Exported
from convviz_gui.gui.look.theme import Theme, apply_theme
from convviz_gui.gui.photos import samples
from convviz_gui.gui.photos.dataset_words import ask_files, ask_folder, described
from convviz_gui.gui.photos.intake import first_pictures, from_qimage, image_of, paths_of, sort_paths
from convviz_gui.gui.tabs.python_code import python_code
from convviz_gui.gui.window.command_palette import CommandPalette, Entry
from convviz_gui.gui.window.kept_command import KeptCommand
from convviz_gui.gui.window.model_commands import ModelCommands
from convviz_gui.gui.window.shortcut_sheet import shortcut_sheet
from convviz_gui.gui.window.window_state import sources_of
from convviz_gui.worker.mailbox import EXPORT

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow

FOLDER_PICTURES = 24
"""Pictures of an opened dataset that go into the tray; the latent space shows them all."""

LATENT = "latent space"


class Commands(QObject):
    """Commands of one window, without any state of their own but what they count."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.model = ModelCommands(window)
        self.kept = KeptCommand(window)
        self._toybox_seed = samples.START[1]
        self._pasted = 0
        self._drawn = ""
        window.selection.folder_changed.connect(self._remember_dataset)

    # -------------------------------------------------------------------------------- pictures and folders

    def ask_for_pictures(self) -> None:
        """Open pictures (or weights) chosen in a dialog."""
        pictures = "*.jpg *.jpeg *.png *.webp *.avif *.tif *.tiff *.bmp *.gif *.ppm *.pgm *.pbm"
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window,
            "Open pictures",
            self._last_folder(),
            f"Pictures ({pictures});;Archives and tables of pictures (*.zip *.csv *.tsv);;All files (*)",
        )
        self.open_paths([Path(name) for name in chosen])

    def ask_for_folder(self) -> None:
        """Open a folder chosen in a dialog."""
        self.open_paths(map(Path, ask_folder(self._window, self._last_folder())))

    def ask_for_files(self) -> None:
        """Open archives and tables chosen in a dialog; several are splits of one dataset."""
        self.open_paths(map(Path, ask_files(self._window, self._last_folder())))

    def ask_for_split(self) -> None:
        """Add a folder chosen in a dialog to the dataset, as a split of its own."""
        chosen = ask_folder(self._window, self._last_folder(), "Add a folder of pictures as a split")
        if chosen:
            self.open_folder(*map(Path, (*self._window.selection.sources, *chosen)))

    def _last_folder(self) -> str:
        recent = self._window.state.recent
        return str(Path(sources_of(recent[0])[0]).parent) if recent else str(Path.home())

    def open_paths(self, paths: Iterable[Path]) -> None:
        """Open pictures in the tray, a dataset in the latent space, weights and Python files in the dialog.

        Several folders, archives or tables are one dataset, each a split of its own.
        """
        window = self._window
        window.notices.settle("files")
        found = sort_paths(paths)
        if found.pictures:
            window.tray.open_files(found.pictures)
            window.state.remember_path(str(found.pictures[0].absolute()))
        if found.datasets:
            self.open_folder(*found.datasets, select=not found.pictures)
        if found.weights:
            self.model.ask(weights=str(found.weights[0].absolute()))
        elif found.code:
            self.model.ask(code=str(found.code[0].absolute()))

    def open_picture(self, path: str) -> None:
        """Show one picture file."""
        self._window.tray.open_files([Path(path)])

    def open_folder(self, *sources: Path, select: bool = True) -> None:
        """Make a folder, an archive or a table the window's dataset, several as splits; show its first pictures."""
        window = self._window
        window.selection.set_sources(map(str, sources))
        chosen = window.selection.sources
        if len(chosen) > 1:
            window.status.say(described(chosen))

        def then(value: object) -> None:
            if isinstance(value, Problem):
                window.notices.tell("files", value)
            elif isinstance(value, tuple):
                window.tray.open_files(value, select=select)

        window.loader.call(lambda: first_pictures(chosen, FOLDER_PICTURES, window.loader.is_closed), then)

    def open_toybox(self, kind: str) -> None:
        """Draw another Toybox picture of a class."""
        self._toybox_seed += 1
        self._window.tray.open_sample(samples.toybox(kind, self._toybox_seed))

    def open_demo_folder(self, tab: str = LATENT) -> None:
        """Draw the demo's folder, choose it and run the method of a tab on it."""
        window = self._window
        window.tabs.show(tab)
        window.status.say("Drawing the demo's pictures…")

        def then(value: object) -> None:
            window.status.say("")
            if isinstance(value, Problem):
                window.notices.tell("files", value)
            else:
                self._drawn = str(value)
                window.selection.set_folder(str(value))
                window.tabs.tabs[tab].run()

        window.loader.call(samples.demo_folder, then)

    def _remember_dataset(self) -> None:
        sources = self._window.selection.sources
        # The demo's folder has a command of its own; what is not there was mistyped.
        if sources and sources != (self._drawn,) and Path(sources[0]).exists():
            self._window.state.remember_sources(sources)

    def paste(self) -> None:
        """Open what the clipboard holds: files, or a picture."""
        self.take(QGuiApplication.clipboard().mimeData(), "pasted picture")

    def take(self, data: QMimeData, name: str) -> bool:
        """Open what was dropped or pasted; False if it holds nothing that can be opened."""
        if paths := paths_of(data):
            self.open_paths(paths)
            return True
        image = image_of(data)
        if image is None:
            self._window.status.say("There is no picture in the clipboard.")
            return False
        self._pasted += 1
        title = f"{name} {self._pasted}"
        self._window.tray.open_made(title, from_qimage(image, title))
        return True

    # -------------------------------------------------------------------------------------- model and layers

    def ask_for_model(self) -> None:
        """Show the dialog that opens a network."""
        self.model.ask()

    def find_layer(self) -> None:
        """Put the cursor into the layers' search box."""
        self._window.docks[0].show()
        self._window.layers.search.setFocus()
        self._window.layers.search.selectAll()

    def step_layer(self, by: int) -> None:
        """Go to the next (1) or previous (−1) layer in order of execution."""
        selection = self._window.selection
        if selection.model is None:
            return
        ids = [node.id for node in selection.model.layers() if node.id and not node.children]
        if selection.layer in ids:
            selection.set_layer(ids[(ids.index(selection.layer) + by) % len(ids)])
        elif ids:
            selection.set_layer(ids[0])

    # -------------------------------------------------------------------------------------------------- runs

    def run_or_stop(self) -> None:
        """Run the tab on screen, or stop its run."""
        tab = self._window.tabs.current
        if tab.running:
            tab.stop()
        else:
            tab.run()

    def check_map(self) -> None:
        """Find out whether the map on screen deserves belief, or stop that."""
        checker = self._window.tabs.current.checker
        if checker.checking:
            checker.stop()
        elif not checker.check():
            self._window.status.say(checker.why_not())

    def stop_all(self) -> None:
        """Stop every run and the opening of a network."""
        self._window.tabs.stop_all()
        self._window.opener.stop()

    def reset_parameters(self) -> None:
        """Give the parameters of the tab on screen their defaults."""
        form = self._window.tabs.current.panel.form
        if form is not None:
            form.reset()

    def save_result(self) -> None:
        """Save what the tab on screen shows."""
        tabs = self._window.tabs
        if tabs.page is tabs.compare:
            self._save_comparison()
            return
        result = tabs.current.on_screen
        if result is not None:
            self._window.saver.ask(result)
        else:
            self._window.status.say("There is no result to save yet.")

    def _save_comparison(self) -> None:
        window, compare = self._window, self._window.tabs.compare
        if compare.found is None:
            window.status.say("There is nothing to compare yet.")
            return
        folder = window.saver.ask_folder(compare.name)
        if folder is None:
            return

        def then(value: object) -> None:
            if isinstance(value, Problem):
                window.notices.tell(EXPORT, value)
            elif isinstance(value, Exported):
                window.saver.saved.emit(value)

        window.loader.call(lambda: compare.save(folder), then)

    def compare_result(self) -> None:
        """Keep what the tab on screen shows, to put another result beside it."""
        window, tab = self._window, self._window.tabs.current
        if window.tabs.page is window.tabs.compare:
            window.status.say("Go to another tab and choose Compare there.")
            return
        if tab.result is None:
            window.status.say("There is no result to compare yet.")
            return
        try:
            said = window.tabs.compare.pin(tab.result)
        except EngineError as error:
            said = str(error)
        window.status.say(said)

    def copy_python(self) -> None:
        """Copy a script that computes what the tab on screen shows."""
        window, tab = self._window, self._window.tabs.current
        if window.tabs.page is window.tabs.compare:
            window.status.say("Copy A's script and B's where they come from.")
            return
        info, model = tab.panel.method, window.selection.model
        try:
            run = tab.request()
        except EngineError as error:
            window.notices.tell(tab.spec.name, problem_from(error))
            return
        if run is None or info is None or model is None:
            window.status.say("There is nothing to copy yet.")
            return
        source = window.tray.python_source(run.image) if run.image is not None else ""
        QGuiApplication.clipboard().setText(python_code(run, model, info, source))
        window.status.say("The script is in the clipboard.")

    # ------------------------------------------------------------------------------------------- the window

    def set_theme(self, theme: Theme) -> None:
        """Choose and remember light, dark or the system's."""
        self._window.state.theme = theme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)

    def toggle_full_screen(self) -> None:
        """Full screen and back."""
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def show_palette(self) -> None:
        """Show every command and every layer, to be found by typing."""
        selection = self._window.selection
        layers = selection.model.layers() if selection.model is not None else ()
        entries = self._window.menus.entries()
        entries += [
            Entry(f"Layer: {node.id}", node.kind, lambda node=node: selection.set_layer(node.id))  # type: ignore[misc]
            for node in layers
            if node.id
        ]
        entries += [
            Entry(f"Open recent: {entry.title()}", "", lambda entry=entry: self.model.open_recent(entry))  # type: ignore[misc]
            for entry in self._window.recent.entries()
            if not entry.obstacle()
        ]
        CommandPalette(entries, self._window).show()

    def show_shortcuts(self) -> None:
        """Show every key."""
        shortcut_sheet(self._window.menus.shortcuts(), self._window).show()

    def show_about(self) -> None:
        """Say what this program is."""
        box = QMessageBox(self._window)
        box.setWindowTitle("About ConvViz")
        box.setText(f"<b>ConvViz {convviz_gui.__version__}</b>")
        box.setInformativeText(
            "Look inside trained image networks: activations, filters, class maps and the latent space of a data set."
            "<br><br>BSD-3-Clause licence."
        )
        box.setIconPixmap(self._window.windowIcon().pixmap(64))
        box.open()
        box.finished.connect(box.deleteLater)
