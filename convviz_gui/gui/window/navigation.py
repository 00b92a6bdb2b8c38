"""Keeps the history of a window, and takes it back and forward: keys, buttons and the mouse's side buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QWindow
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.window.history import History, Place

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow

_SIDE_BUTTONS = {Qt.MouseButton.BackButton: -1, Qt.MouseButton.ForwardButton: 1}


class Navigation(QObject):
    """Notes where a window goes: tab, method, layer, channel, class, place and photo.

    Signals:
        changed: there is something else to go back or forward to.
    """

    changed = Signal()

    def __init__(self, window: MainWindow, history: History | None = None) -> None:
        super().__init__(window)
        self._window = window
        self.history = history or History()
        # What one click changes (layer, channel and tab, say) is one step.
        self._settled = QTimer(self, singleShot=True, interval=0)
        self._settled.timeout.connect(self._note)
        self._watched: QWindow | None = None
        selection = window.selection
        for signal in (
            selection.layer_changed,
            selection.channel_changed,
            selection.class_changed,
            selection.point_changed,
            selection.image_changed,
        ):
            signal.connect(self._settled.start)
        selection.model_changed.connect(self._on_model)
        window.tabs.shown.connect(self._settled.start)
        for tab in window.tabs.tabs.values():
            tab.panel.method_changed.connect(self._settled.start)

    def back(self) -> None:
        """Go to where the window was before."""
        self._go(-1)

    def forward(self) -> None:
        """Undo a step back."""
        self._go(1)

    def watch(self, handle: QWindow | None) -> None:
        """Listen for the mouse's side buttons, wherever in the window the cursor is."""
        if handle is not None and handle is not self._watched:
            self._watched = handle
            handle.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            by = _SIDE_BUTTONS.get(event.button())
            if by is not None:
                self._go(by)
                return True
        return False

    # ---------------------------------------------------------------------------------------------- within

    def _here(self) -> Place:
        window, selection = self._window, self._window.selection
        page, info = window.tabs.page, window.tabs.current.panel.method
        method = info.name if info is not None else ""
        return Place(
            page.name,
            page.name if page is window.tabs.compare else method,
            selection.layer,
            selection.channel,
            selection.class_index,
            selection.point,
            window.tray.current_key(),
        )

    def _note(self) -> None:
        # Before the engine is up there are no methods, and nowhere to go back to.
        if self._window.selection.model is not None and self._here().method:
            self.history.visit(self._here())
            self.changed.emit()

    def _on_model(self) -> None:
        self.history.clear()
        self._settled.start()
        self.changed.emit()

    def _go(self, by: int) -> None:
        if self._settled.isActive():
            self._settled.stop()
            self._note()
        place = self.history.go(by)
        if place is None:
            return
        window, selection = self._window, self._window.selection
        if place.tab in window.tabs.tabs:
            window.tabs.tabs[place.tab].panel.choose(place.method)
        window.tabs.show(place.tab)
        if place.image is not None:
            window.tray.choose(place.image)
        if place.layer is not None and selection.model is not None and selection.model.find(place.layer) is not None:
            selection.set_layer(place.layer)
            selection.set_channel(place.channel)
        selection.set_class(place.class_index)
        selection.set_point(place.point)
        self._settled.stop()
        self.changed.emit()


class NavigationButtons(QWidget):
    """Two arrows beside the tabs."""

    def __init__(self, navigation: Navigation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self.back, self.forward = QToolButton(), QToolButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(0)
        for button, text, name, do in (
            (self.back, "←", "Back", navigation.back),
            (self.forward, "→", "Forward", navigation.forward),
        ):
            button.setText(text)
            button.setAccessibleName(name)
            button.setFixedWidth(7 * UNIT // 2)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(do)
            row.addWidget(button)
        navigation.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        history = self._navigation.history
        for button, by, name, keys in ((self.back, -1, "Back", "Alt+Left"), (self.forward, 1, "Forward", "Alt+Right")):
            place = history.ahead(by)
            button.setEnabled(place is not None)
            button.setToolTip(f"{name} ({keys})" if place is None else tip(f"{name} to {in_words(place)} ({keys})"))


def in_words(place: Place) -> str:
    """ "patches, block3_conv1, channel 7"."""
    layer = [place.layer, f"channel {place.channel}"] if place.layer is not None else []
    return ", ".join([place.method or place.tab, *layer])
