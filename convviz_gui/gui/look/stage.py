"""The ground a view's content stands on: it can give way to a sentence, or be dimmed while it waits for news."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT

_WIDEST = 440
_NARROWEST = 160
PATIENCE_MS = 200
"""What comes sooner than this replaces what is shown without dimming it first."""


class Stage(QStackedWidget):
    """Shows `content`, or an empty state with one sentence and one button."""

    asked = Signal()

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._warm_already = False
        self._message = _Message()
        self._message.button.clicked.connect(self.asked)
        self._veil = _Veil(content)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._veil.lower_over)
        self._warming = QTimer(self, singleShot=True, interval=0)
        self._warming.timeout.connect(self._warm)
        self.addWidget(self._message)
        self.addWidget(content)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        if not self._warm_already and not self.shows_content():
            self._warming.start()

    def _warm(self) -> None:
        """Have Qt style and lay out the content, which takes a twentieth of a second, before something waits for it."""
        if not self._warm_already and not self.shows_content():
            self._content.resize(self.size())
            self._content.grab()
        self._warm_already = True

    def show_message(self, sentence: str, button: str = "") -> None:
        """Show a sentence and, if `button` is given, a button for the signal `asked`."""
        self.set_stale(False)
        self._message.say(sentence, button)
        self.setCurrentWidget(self._message)

    def show_content(self) -> None:
        """Show the content, as it should be: undimmed."""
        self.set_stale(False)
        self.setCurrentWidget(self._content)

    def shows_content(self) -> bool:
        """False while an empty state is shown."""
        return self.currentWidget() is self._content

    def set_stale(self, stale: bool) -> None:
        """Dim the content, unless it is brought up to date at once."""
        if not stale:
            self._patience.stop()
            self._veil.hide()
        elif not self._patience.isActive() and not self._veil.isVisible():
            self._patience.start()

    def is_dimmed(self) -> bool:
        """True while the content is dimmed."""
        return self._veil.isVisibleTo(self._content)


class _Message(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.sentence = plain(QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter))
        self.button = QPushButton()
        self.button.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setSpacing(16)
        column.addStretch(2)
        column.addWidget(self.sentence, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def say(self, sentence: str, button: str) -> None:
        self.sentence.setText(sentence)
        self._fit()
        self.button.setText(button)
        self.button.setVisible(bool(button))

    def _fit(self) -> None:
        if not self.sentence.text():
            return
        # A wrapped label centred in a layout would otherwise be too narrow and too low.
        wanted = self.sentence.fontMetrics().horizontalAdvance(self.sentence.text()) + 8
        width = min(_WIDEST, wanted, max(self.contentsRect().width() - 4 * UNIT, _NARROWEST))
        self.sentence.setFixedSize(width, self.sentence.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        # The sentence as it is wrapped now must not keep the page from becoming narrower.
        return QSize(_NARROWEST + 4 * UNIT, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()


class _Veil(QWidget):
    """Covers its parent with a film of the window's colour and lets the mouse through."""

    def __init__(self, covered: QWidget) -> None:
        super().__init__(covered)
        self._covered = covered
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        covered.installEventFilter(self)

    def lower_over(self) -> None:
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Resize and watched is self._covered:
            self.setGeometry(self._covered.rect())
        return False

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        film = QColor(self.palette().color(QPalette.ColorRole.Window))
        film.setAlpha(150)
        painter.fillRect(self.rect(), film)
