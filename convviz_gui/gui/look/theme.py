"""The window's look: Fusion with our own light and dark palettes, neutral greys and one accent colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from convviz_gui import paths

UNIT = 8
"""Logical pixels of the rhythm that every margin and gap keeps."""


class Theme(StrEnum):
    """What the user chose; `SYSTEM` follows the desktop."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Colours:
    """One scheme; the stylesheet and the palette are made of these and nothing else."""

    window: str
    base: str
    raised: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    warning: str
    warning_ground: str


LIGHT = Colours(
    window="#f3f3f4",
    base="#ffffff",
    raised="#e9e9eb",
    line="#d6d6d9",
    text="#1d1d20",
    muted="#5f6066",
    faint="#9a9ba1",
    accent="#0b6bcb",
    on_accent="#ffffff",
    warning="#8f4a00",
    warning_ground="#fdf1e0",
)
DARK = Colours(
    window="#1e1f22",
    base="#17181a",
    raised="#2a2b2f",
    line="#37383d",
    text="#e4e4e7",
    muted="#a3a4ab",
    faint="#70717a",
    accent="#4da3ff",
    on_accent="#08131f",
    warning="#ffb561",
    warning_ground="#33281a",
)


def colours(widget: QWidget | None = None) -> Colours:
    """The scheme in use, told by the palette, so that it holds for whoever set it."""
    palette = widget.palette() if widget is not None else QApplication.palette()
    return DARK if palette.color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole program the palette and stylesheet of `theme`."""
    dark = theme is Theme.DARK or (theme is Theme.SYSTEM and app.styleHints().colorScheme() is Qt.ColorScheme.Dark)
    scheme = DARK if dark else LIGHT
    app.setPalette(palette(scheme))
    app.setStyleSheet(stylesheet(scheme))


def palette(c: Colours) -> QPalette:
    """`c` as Qt's palette, disabled greys included."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    made = QPalette()
    for name, value in (
        (role.Window, c.window),
        (role.WindowText, c.text),
        (role.Base, c.base),
        (role.AlternateBase, c.window),
        (role.Text, c.text),
        (role.Button, c.raised),
        (role.ButtonText, c.text),
        (role.BrightText, c.on_accent),
        (role.ToolTipBase, c.raised),
        (role.ToolTipText, c.text),
        (role.PlaceholderText, c.faint),
        (role.Highlight, c.accent),
        (role.HighlightedText, c.on_accent),
        (role.Accent, c.accent),
        (role.Link, c.accent),
        (role.LinkVisited, c.accent),
        (role.Mid, c.line),
        (role.Midlight, c.raised),
        (role.Dark, c.faint),
        (role.Light, c.base),
        (role.Shadow, c.line),
    ):
        made.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(group.Disabled, name, QColor(c.faint))
    made.setColor(group.Disabled, role.Highlight, QColor(c.line))
    return made


def numbers_font(font: QFont) -> QFont:
    """`font` with figures of equal width, so that columns of numbers stand still."""
    tabular = QFont(font)
    tabular.setFeature(QFont.Tag("tnum"), 1)
    return tabular


def stylesheet(c: Colours) -> str:
    """What a palette cannot say: flat tabs and buttons, thin lines, no boxes around boxes."""
    up, down = (paths.resource(f"chevron-{way}.svg").as_posix() for way in ("up", "down"))
    check = paths.resource("check-dark.svg" if c is DARK else "check-light.svg").as_posix()
    return f"""
QMainWindow::separator {{ background: {c.line}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {c.accent}; }}
QDockWidget {{ font-weight: 600; color: {c.muted}; }}
QDockWidget::title {{ background: {c.window}; padding: 6px 8px; text-align: left; }}
QDockWidget > QWidget {{ font-weight: 400; }}
QMenuBar {{ background: {c.window}; border: none; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {c.raised}; }}
QMenu {{ background: {c.base}; border: 1px solid {c.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QMenu::item:disabled {{ color: {c.faint}; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: 4px 8px; }}
QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.line}; padding: 6px; }}
QStatusBar {{ background: {c.window}; border-top: 1px solid {c.line}; }}
QStatusBar::item {{ border: none; }}
QTabBar {{ background: {c.window}; }}
QTabBar::tab {{ background: transparent; color: {c.muted}; padding: 8px 10px 6px 10px; margin-right: 2px;
    border: none; border-bottom: 2px solid transparent; }}
QTabBar[tight="true"]::tab {{ padding: 8px 5px 6px 5px; margin-right: 0; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.accent}; }}
QTabBar::tab:hover:!selected {{ color: {c.text}; }}
QTabBar::tab:focus {{ background: {c.raised}; }}
QTreeView, QListView {{ background: {c.base}; border: none; outline: none; }}
QTreeView::item {{ padding: 2px 0; }}
QHeaderView {{ background: {c.window}; border: none; }}
QHeaderView::section {{ background: {c.window}; color: {c.muted}; border: none; padding: 6px 6px 4px 6px; }}
QLineEdit, QAbstractSpinBox, QComboBox {{ background: {c.base}; border: 1px solid {c.line}; border-radius: 4px;
    padding: 3px 6px; min-height: 18px; selection-background-color: {c.accent}; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{ border-color: {c.accent}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {c.faint}; background: {c.window}; }}
QComboBox QLineEdit, QAbstractSpinBox QLineEdit {{ border: none; padding: 0 4px; min-height: 0;
    background: transparent; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QHeaderView::down-arrow, QHeaderView::up-arrow {{ subcontrol-origin: margin; subcontrol-position: top center;
    width: 8px; height: 6px; }}
QHeaderView::down-arrow {{ image: url("{down}"); }}
QHeaderView::up-arrow {{ image: url("{up}"); }}
QComboBox::down-arrow, QAbstractSpinBox::down-arrow {{ image: url("{down}"); width: 10px; height: 10px; }}
QAbstractSpinBox::up-arrow {{ image: url("{up}"); width: 10px; height: 10px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 18px; }}
QComboBox QAbstractItemView {{ background: {c.base}; border: 1px solid {c.line}; }}
QLineEdit[invalid="true"] {{ border-color: {c.warning}; }}
QPushButton {{ background: {c.raised}; border: 1px solid {c.line}; border-radius: 4px; padding: 4px 12px; }}
QPushButton:hover {{ border-color: {c.faint}; }}
QPushButton:pressed {{ background: {c.line}; }}
QPushButton:focus {{ border-color: {c.accent}; }}
QPushButton:disabled {{ color: {c.faint}; }}
QPushButton[primary="true"] {{ background: {c.accent}; color: {c.on_accent}; border-color: {c.accent};
    font-weight: 600; }}
QPushButton[primary="true"]:focus {{ border-color: {c.text}; }}
QPushButton[primary="true"]:disabled {{ background: {c.raised}; color: {c.faint}; border-color: {c.line}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {c.muted};
    background: {c.base}; }}
QCheckBox::indicator {{ border-radius: 3px; }}
QRadioButton::indicator {{ border-radius: 7px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {c.text}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {c.accent}; }}
QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url("{check}"); }}
QRadioButton::indicator:checked {{ width: 4px; height: 4px; border: 5px solid {c.accent};
    background: {c.on_accent}; }}
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus {{ border-color: {c.text}; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {c.line};
    background: {c.window}; }}
QCheckBox::indicator:checked:disabled {{ background: {c.faint}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 3px 6px; }}
QToolButton:hover {{ background: {c.raised}; }}
QToolButton:pressed, QToolButton:checked {{ background: {c.line}; }}
QToolButton:focus {{ border-color: {c.accent}; }}
QWidget#segments QToolButton {{ border: 1px solid {c.line}; border-radius: 0; margin-left: -1px; padding: 3px 12px;
    color: {c.muted}; }}
QWidget#segments QToolButton:checked {{ background: {c.raised}; color: {c.text}; font-weight: 600; }}
QWidget#segments QToolButton:focus {{ border-color: {c.accent}; }}
QTabBar QToolButton {{ background: {c.window}; padding: 0; }}
QTabBar::scroller {{ width: 20px; }}
QToolButton#health {{ padding: 3px 6px 3px 0; color: {c.muted}; }}
QToolButton#health:hover {{ color: {c.text}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QProgressBar {{ background: {c.raised}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 2px; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {c.line}; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {c.faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLabel[role="muted"] {{ color: {c.muted}; }}
QLabel[role="title"] {{ font-weight: 600; font-size: 11pt; }}
QLabel[role="section"] {{ color: {c.muted}; font-weight: 600; }}
QLabel[role="warning"] {{ color: {c.warning}; background: {c.warning_ground}; border-radius: 4px; padding: 1px 6px; }}
QFrame#notice {{ background: {c.warning_ground}; border-bottom: 1px solid {c.line}; }}
QFrame#notice QLabel {{ color: {c.text}; }}
QFrame#offer {{ background: {c.raised}; border-bottom: 1px solid {c.line}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QDialog#palette {{ background: {c.window}; border: 1px solid {c.faint}; }}
QFrame#prompt {{ background: {c.base}; border: 1px solid {c.faint}; border-radius: 6px; }}
QFrame#deskside {{ border: 2px solid transparent; border-radius: 4px; padding: 2px; }}
QFrame#deskside[framed="true"] {{ border-color: {c.accent}; }}
QFrame#rule {{ background: {c.line}; max-height: 1px; min-height: 1px; border: none; }}
"""
