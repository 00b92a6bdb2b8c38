"""Which changes of the window's selection concern a tab: those that its chosen method asks about."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.method_panel import MethodPanel


class SubjectWatch(QObject):
    """Watches photo, layer, class, channel, folder and place for a panel's method.

    Signals:
        changed: something that the method asks about is another now.
    """

    changed = Signal()

    def __init__(self, panel: MethodPanel, selection: Selection, parent: QObject) -> None:
        super().__init__(parent)
        self._panel = panel
        selection.image_changed.connect(self._on_image)
        selection.layer_changed.connect(self._on_layer)
        selection.class_changed.connect(self._on_class)
        selection.channel_changed.connect(self._on_channel)
        selection.folder_changed.connect(self._on_folder)
        selection.point_changed.connect(self._on_point)

    def _tell_if(self, concerned: bool) -> None:
        if concerned:
            self.changed.emit()

    def _on_image(self) -> None:
        self._tell_if("image" in self._panel.needs)

    def _on_layer(self) -> None:
        self._tell_if(self._panel.target.uses_tree())

    def _on_class(self) -> None:
        self._tell_if(bool({"class", "classes", "source"} & self._panel.needs))

    def _on_channel(self) -> None:
        self._tell_if(self._panel.target.uses_channel())

    def _on_folder(self) -> None:
        self._tell_if(bool({"folder", "optional folder"} & self._panel.needs))

    def _on_point(self) -> None:
        self._tell_if("place" in self._panel.needs)
