"""The menus: every command with its shortcut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import Theme
from convviz_gui.gui.opening.dialog import PRECISIONS
from convviz_gui.gui.photos import samples
from convviz_gui.gui.photos.dataset_words import described
from convviz_gui.gui.window.command_palette import Entry, entry_of
from convviz_gui.gui.window.offer import KEYS as OFFER_KEYS
from convviz_gui.gui.window.window_state import sources_of

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow
    from convviz_gui.gui.window.commands import Commands

Keys = str | QKeySequence.StandardKey
LAST_DIGIT = 9


class Menus:
    """Fills a window's menu bar."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        self._window = window
        self._do = commands
        self._commands: list[tuple[str, QAction]] = []
        self._fill_file()
        self._fill_edit()
        self.model = self._fill_model()
        self._fill_run()
        self.view = self._fill_view()
        self._fill_help()

    def entries(self) -> list[Entry]:
        """Every enabled command, for the palette."""
        return [entry_of(action, menu) for menu, action in self._commands if action.isEnabled()]

    def shortcuts(self) -> list[tuple[str, str]]:
        """(keys, what they do) of every command that has a key."""
        named = ((action, ", ".join(key.toString() for key in action.shortcuts())) for _, action in self._commands)
        return [(keys, action.text().replace("&", "")) for action, keys in named if keys]

    def _menu(self, title: str) -> QMenu:
        return self._window.menuBar().addMenu(title)

    def _add(self, menu: QMenu, text: str, do: Callable[[], object], *keys: Keys, tip: str = "") -> QAction:
        action = QAction(text, self._window)
        action.triggered.connect(lambda _checked=False: do())
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setStatusTip(tip)
        menu.addAction(action)
        self._commands.append((menu.title().replace("&", ""), action))
        return action

    def _fill_file(self) -> None:
        do, window, menu = self._do, self._window, self._menu("&File")
        self._add(menu, "&Open pictures…", do.ask_for_pictures, QKeySequence.StandardKey.Open)
        self._add(menu, "Open &folder…", do.ask_for_folder, "Ctrl+Shift+O")
        self._add(menu, "Open archive or &table…", do.ask_for_files)
        self._add(menu, "&Add a folder as a split…", do.ask_for_split)
        recent = menu.addMenu("Open &recent")
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        offered = menu.addMenu("&Samples")
        for name in samples.PHOTOGRAPHS:
            sample = samples.photograph(name)
            self._add(offered, sample.title, lambda sample=sample: window.tray.open_sample(sample))  # type: ignore[misc]
        offered.addSeparator()
        for kind in samples.TOYBOX_CLASSES:
            self._add(offered, f"{kind} (Toybox)", lambda kind=kind: do.open_toybox(kind))  # type: ignore[misc]
        offered.addSeparator()
        self._add(offered, "Demo folder (600 pictures)", do.open_demo_folder)
        menu.addSeparator()
        self._add(menu, "&Save result…", do.save_result, QKeySequence.StandardKey.Save)
        self._add(menu, "Copy as &Python", do.copy_python, "Ctrl+Shift+C")
        menu.addSeparator()
        self._add(menu, "&Kept features…", do.kept.show)
        menu.addSeparator()
        self._add(menu, "&Quit", window.close, "Ctrl+Q")

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for entry in self._window.state.recent:
            sources = sources_of(entry)
            action = menu.addAction(described(sources).replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, sources=sources: self._do.open_paths(map(Path, sources)))
        if menu.isEmpty():
            menu.addAction("Nothing yet").setEnabled(False)

    def _fill_edit(self) -> None:
        do, window, menu = self._do, self._window, self._menu("&Edit")
        undo, redo = window.undo.createUndoAction(window, "&Undo"), window.undo.createRedoAction(window, "&Redo")
        undo.setShortcut(QKeySequence(QKeySequence.StandardKey.Undo))
        redo.setShortcut(QKeySequence(QKeySequence.StandardKey.Redo))
        for action in (undo, redo):
            menu.addAction(action)
            self._commands.append(("Edit", action))
        menu.addSeparator()
        self._add(menu, "&Paste picture", do.paste, QKeySequence.StandardKey.Paste)
        self._add(menu, "&Find a layer", do.find_layer, QKeySequence.StandardKey.Find)
        self._add(menu, "&Remove picture from the tray", window.tray.remove_current)

    def _fill_model(self) -> QMenu:
        do, model, menu = self._do, self._do.model, self._menu("&Model")
        self._add(menu, "&Open…", do.ask_for_model, "Ctrl+M")
        self._add(menu, "Open the &demo", model.open_demo)
        self._add(menu, "Open the &last one again", model.open_last, OFFER_KEYS)
        recent = menu.addMenu("&Recent")
        recent.aboutToShow.connect(lambda: self._fill_recent_models(recent))
        menu.addSeparator()
        self._add(menu, "Preprocessin&g…", model.ask_for_preprocessing, "Ctrl+Shift+I")
        names = menu.addMenu("&Class names")
        self._add(names, "From a &file…", model.ask_for_class_names)
        self._add(names, "From the &folders of a dataset…", model.ask_for_class_folder)
        self._add(menu, "Preprocessing and names &as found", model.restore_as_found)
        self._fill_precision(menu.addMenu("Pre&cision"))
        menu.addSeparator()
        self._add(menu, "&Health report", model.show_health, "Ctrl+H")
        self._add(menu, "Cop&y report", model.copy_report)
        menu.addSeparator()
        self._add(menu, "&Previous layer", lambda: do.step_layer(-1), "Ctrl+Up")
        self._add(menu, "&Next layer", lambda: do.step_layer(1), "Ctrl+Down")
        return menu

    def _fill_recent_models(self, menu: QMenu) -> None:
        menu.clear()
        menu.setToolTipsVisible(True)
        for entry in self._window.recent.entries():
            obstacle = entry.obstacle()
            action = menu.addAction(f"{entry.title()}: {obstacle}" if obstacle else entry.title())
            action.setToolTip(tip(entry.spec.weights or entry.spec.source))
            action.setEnabled(not obstacle)
            action.triggered.connect(lambda _checked=False, entry=entry: self._do.model.open_recent(entry))
        if menu.isEmpty():
            menu.addAction("Nothing yet").setEnabled(False)
            return
        menu.addSeparator()
        menu.addAction("All…").triggered.connect(self._do.model.ask_recent)
        menu.addAction("Forget these").triggered.connect(self._window.recent.clear)

    def _fill_precision(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        made = {}
        for precision in PRECISIONS:
            do = lambda precision=precision: self._do.model.set_precision(precision)  # noqa: E731
            made[precision] = self._add(menu, precision, do)
            made[precision].setCheckable(True)
            group.addAction(made[precision])

        def show() -> None:
            model = self._window.selection.model
            made[model.precision if model is not None else PRECISIONS[0]].setChecked(True)

        menu.aboutToShow.connect(show)

    def _fill_run(self) -> None:
        do, menu = self._do, self._menu("&Run")
        self._add(menu, "&Run or stop", do.run_or_stop, "Space")
        self._add(menu, "&Check the map", do.check_map, "Ctrl+T")
        self._add(menu, "S&top everything", do.stop_all, "Ctrl+.")
        menu.addSeparator()
        self._add(menu, "&Compare this result", do.compare_result, "Ctrl+D")
        self._add(menu, "&Reset parameters", do.reset_parameters)

    def _fill_view(self) -> QMenu:
        do, window, menu = self._do, self._window, self._menu("&View")
        for number, page in enumerate(window.tabs.all, start=1):
            # There are no more digits: what comes after is reached by the bar and the palette.
            keys = (f"Ctrl+{number}",) if number <= LAST_DIGIT else ()
            self._add(menu, page.title, lambda name=page.name: window.tabs.show(name), *keys)  # type: ignore[misc]
        menu.addSeparator()
        navigation = window.navigation
        back = self._add(menu, "&Back", navigation.back, QKeySequence.StandardKey.Back)
        forward = self._add(menu, "F&orward", navigation.forward, QKeySequence.StandardKey.Forward)

        def enable() -> None:
            back.setEnabled(navigation.history.ahead(-1) is not None)
            forward.setEnabled(navigation.history.ahead(1) is not None)

        navigation.changed.connect(enable)
        enable()
        self._add(menu, "Everything about the &channel", lambda: window.tabs.show_method("unit"), "U")
        menu.addSeparator()
        self._add(menu, "Pre&vious picture", lambda: window.tray.step(-1), "Ctrl+PgUp")
        self._add(menu, "Ne&xt picture", lambda: window.tray.step(1), "Ctrl+PgDown")
        menu.addSeparator()
        themes, group = menu.addMenu("&Theme"), QActionGroup(window)
        for theme in Theme:
            action = self._add(themes, theme.value.capitalize(), lambda theme=theme: do.set_theme(theme))  # type: ignore[misc]
            action.setCheckable(True)
            action.setChecked(theme is window.state.theme)
            group.addAction(action)
        for dock in window.docks:
            menu.addAction(dock.toggleViewAction())
        self._add(menu, "Arrange as at &first", window.arrange)
        self._add(menu, "&Full screen", do.toggle_full_screen, "F11")
        return menu

    def _fill_help(self) -> None:
        do, menu = self._do, self._menu("&Help")
        self._add(menu, "&Commands…", do.show_palette, "Ctrl+Shift+P")
        self._add(menu, "&Keyboard and mouse", do.show_shortcuts, "F1", "?")
        self._add(menu, "&About ConvViz", do.show_about)
