"""The right-hand side of a tab: what the method shows, what it is asked, its parameters, Run and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QStandardItemModel, QUndoStack
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.types import MethodInfo
from convviz_gui.gui.forms.fields import ChoiceBox
from convviz_gui.gui.forms.form import Form
from convviz_gui.gui.forms.target_form import TargetForm
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tabs.about_button import AboutButton
from convviz_gui.gui.tabs.run_bar import RunBar
from convviz_gui.gui.tabs.tab_spec import TabSpec
from convviz_gui.gui.trust.trust_box import TrustBox


class MethodPanel(QWidget):
    """Texts, forms and buttons for the methods of one tab.

    Signals:
        method_changed: another method of the tab was chosen.
        settings_changed: a parameter changed.
        copy_wanted: "Copy as Python".
        save_wanted: "Save…".
        compare_wanted: "Compare".
    """

    method_changed = Signal()
    settings_changed = Signal()
    copy_wanted = Signal()
    save_wanted = Signal()
    compare_wanted = Signal()

    def __init__(self, tab: TabSpec, selection: Selection, undo: QUndoStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._undo = undo
        self._selection = selection
        self._methods: dict[str, MethodInfo] = {}
        self._forms: dict[str, Form] = {}
        self.chooser = ChoiceBox()
        self.chooser.setAccessibleName("Method")
        # The longest title must not make the panel wider than its dock, where the rest would be cut off.
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(12)
        self.chooser.hide()
        self.chooser.currentIndexChanged.connect(self._on_method)
        self._title = QLabel(tab.title, wordWrap=True)
        self._title.setProperty("role", "title")
        self._summary = _paragraph()
        self._about = _paragraph()
        self._about.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._about.setOpenExternalLinks(True)
        self._about.hide()
        self._about_button = AboutButton()
        self._about_button.toggled.connect(self._about.setVisible)
        self.target = TargetForm(tab, selection)
        self.run_bar = RunBar()
        self.trust = TrustBox()
        self.trust.details_wanted.connect(self._reveal_details)
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Give every parameter its default (Ctrl+Z brings yours back)")
        self.reset.clicked.connect(self._on_reset)
        self.copy = QPushButton("Copy as Python")
        self.copy.setToolTip("Copy a script that computes the same (Ctrl+Shift+C)")
        self.copy.clicked.connect(self.copy_wanted)
        self.save = QPushButton("Save…")
        self.save.setToolTip("Save pictures, numbers and settings into a folder (Ctrl+S)")
        self.save.clicked.connect(self.save_wanted)
        self.compare = QPushButton("Compare")
        self.compare.setToolTip("Keep this result to put another one beside it (Ctrl+D)")
        self.compare.clicked.connect(self.compare_wanted)
        selection.model_changed.connect(self._mark_methods)
        self._lay_out()
        self.reset.hide()
        self.set_enabled(ready=False, saveable=False)

    def _lay_out(self) -> None:
        page = QWidget()
        self._page = QVBoxLayout(page)
        self._page.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT * 3 // 2, UNIT)
        self._page.setSpacing(UNIT)
        heading = QHBoxLayout()
        heading.setSpacing(UNIT // 2)
        heading.addWidget(self._title, 1)
        heading.addWidget(self.chooser, 1)
        heading.addWidget(self._about_button)
        self._page.addLayout(heading)
        for widget in (self._summary, self._about, self.target):
            self._page.addWidget(widget)
        self._form_place = self._page.count()
        self._page.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        self._page.addWidget(self.trust.details)
        self._page.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(page)
        rule = QFrame()
        rule.setObjectName("rule")
        footer = QVBoxLayout()
        footer.setContentsMargins(UNIT * 3 // 2, UNIT, UNIT * 3 // 2, UNIT)
        footer.setSpacing(UNIT)
        footer.addWidget(self.run_bar)
        footer.addWidget(self.trust)
        footer.addWidget(self.copy)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self.compare, 1)
        buttons.addWidget(self.save, 1)
        footer.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(rule)
        column.addLayout(footer)

    def set_methods(self, methods: tuple[MethodInfo, ...]) -> None:
        """Offer methods; with only one there is nothing to choose, and its title stands where the choice would."""
        self._methods = {info.name: info for info in methods}
        for info in methods:
            form = Form(info.specs, self._undo)
            form.changed.connect(self._on_settings)
            form.hide()
            self._forms[info.name] = form
            self._page.insertWidget(self._form_place, form)
        self.chooser.blockSignals(True)
        self.chooser.clear()
        for info in methods:
            self.chooser.addItem(info.title, info.name)
        self.chooser.blockSignals(False)
        self.chooser.setVisible(len(methods) > 1)
        self._title.setVisible(len(methods) <= 1)
        self._mark_methods()
        self._show_method()

    def _mark_methods(self) -> None:
        """Grey out what does not apply to the open network; why is in the entry's tip."""
        cannot = dict(self._selection.model.cannot) if self._selection.model is not None else {}
        model = self.chooser.model()
        for row in range(self.chooser.count()):
            info = self._methods[str(self.chooser.itemData(row))]
            reason = cannot.get(info.name, "")
            if isinstance(model, QStandardItemModel):
                model.item(row).setEnabled(not reason)
            self.chooser.setItemData(row, tip(reason or info.summary), Qt.ItemDataRole.ToolTipRole)

    @property
    def method(self) -> MethodInfo | None:
        """The chosen method; None until the engine is up."""
        return self._methods.get(str(self.chooser.currentData()))

    def info_of(self, name: str) -> MethodInfo | None:
        """A method of the tab, chosen or not."""
        return self._methods.get(name)

    def choose(self, name: str) -> bool:
        """Choose a method of this tab by name; False if it is not here, or does not apply to the network."""
        row = self.chooser.findData(name)
        model = self.chooser.model()
        if row < 0 or (isinstance(model, QStandardItemModel) and not model.item(row).isEnabled()):
            return False
        self.chooser.setCurrentIndex(row)
        return True

    @property
    def form(self) -> Form | None:
        """The chosen method's form."""
        info = self.method
        return self._forms[info.name] if info is not None else None

    @property
    def needs(self) -> frozenset[str]:
        """What the chosen method needs with what is in its form."""
        info, form = self.method, self.form
        return frozenset() if info is None or form is None else info.needs_with(form.settings())

    def set_enabled(self, *, ready: bool, saveable: bool) -> None:
        """`ready`: a run can be asked for. `saveable`: there is a result on screen."""
        self.run_bar.button.setEnabled(ready)
        self.copy.setEnabled(ready)
        self.save.setEnabled(saveable)
        self.compare.setEnabled(saveable)

    def _show_method(self) -> None:
        info = self.method
        if info is None:
            return
        self._title.setText(info.title)
        self._summary.setText(info.summary)
        self.chooser.setToolTip(tip(f"{info.title}: the method. Its entries' tips say what each shows"))
        self._about.setText(about(info))
        for name, form in self._forms.items():
            form.setVisible(name == info.name)
        self.reset.setVisible(bool(info.specs))
        self.target.set_needs(self.needs, by_chance=info.by_chance)
        self.run_bar.set_live(info.live)

    def _reveal_details(self) -> None:
        # Once they have their size.
        QTimer.singleShot(0, self, lambda: self._scroll.verticalScrollBar().setValue(self.trust.details.y()))

    def _on_method(self) -> None:
        self._show_method()
        self.method_changed.emit()

    def _on_settings(self) -> None:
        if self.method is not None:
            self.target.set_needs(self.needs, by_chance=self.method.by_chance)
        self.settings_changed.emit()

    def _on_reset(self) -> None:
        if self.form is not None:
            self.form.reset()


def about(info: MethodInfo) -> str:
    """When to use a method, how to read it, how it misleads and its reference, as rich text."""
    when = f"<p><b>When to use it.</b> {info.when_to_use}</p>" if info.when_to_use else ""
    return (
        f"{when}<p><b>How to read it.</b> {info.how_to_read}</p>"
        f"<p><b>How it misleads.</b> {info.how_it_misleads}</p>"
        f"<p><b>Reference.</b> {info.reference}</p>"
    )


def _paragraph() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label
