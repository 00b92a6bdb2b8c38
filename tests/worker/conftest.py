"""Where Qt's objects are collected, as in the window's tests."""

from tests.gui.conftest import collected_in_this_thread, nothing_left_to_others

__all__ = ["collected_in_this_thread", "nothing_left_to_others"]
