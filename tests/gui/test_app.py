"""The program's start: command line, no display, no torch before the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import convviz_gui
from convviz_gui.app import NO_DISPLAY, _show_what_nobody_caught, has_display, main
from convviz_gui.gui.main_window import MainWindow


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, without any display unless `environment` names one."""
    clean = {key: value for key, value in os.environ.items() if key not in _DISPLAYS}
    command = [sys.executable, "-m", "convviz_gui", *arguments]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=120, check=False)


_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def test_version_and_help_need_no_display(capsys: pytest.CaptureFixture[str]) -> None:
    for option, text in (("--version", convviz_gui.__version__), ("--help", "weights")):
        with pytest.raises(SystemExit) as left:
            main([option])
        assert left.value.code == 0
        assert text in capsys.readouterr().out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can be without a display")
def test_without_a_display_one_sentence() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stderr == NO_DISPLAY


def test_a_bug_is_told_in_the_window_and_on_the_terminal(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    _show_what_nobody_caught(window)
    error = ZeroDivisionError("division by zero")
    sys.excepthook(type(error), error, None)
    assert "inside ConvViz (ZeroDivisionError" in window.notices.details()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_display_is_recognised() -> None:
    assert not has_display({}, "linux")
    assert not has_display({"DISPLAY": ""}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert has_display({}, "darwin")


def test_window_is_on_screen_before_torch_pillow_and_pyqtgraph(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from convviz_gui import app\n"
        "application = app.make_application()\n"
        "window = app.make_window()\n"
        "window.painted.connect(window.close)\n"
        "window.show()\n"
        "application.exec()\n"
        "print([name for name in ('torch', 'PIL', 'pyqtgraph', 'sklearn') if name in sys.modules])\n"
    )
    environment = os.environ | {"CONVVIZ_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
