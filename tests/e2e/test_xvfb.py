"""The real program on a real X server, driven by mouse and keyboard as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convviz_gui.engine.demo import toybox

TOOLS = ("Xvfb", "xdotool", "import")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} (Debian: xvfb xdotool imagemagick)")

PATIENCE = 60


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    reading, writing = os.pipe()
    words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x720x24", "-nolisten", "tcp"]
    server = subprocess.Popen(words, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


class Person:
    """Somebody at the virtual screen."""

    def __init__(self, display: str, home: Path, *files: str) -> None:
        self.environment = os.environ | {"DISPLAY": display, "CONVVIZ_HOME": str(home)}
        self.environment.pop("QT_QPA_PLATFORM", None)
        self.environment.pop("WAYLAND_DISPLAY", None)
        words = [sys.executable, "-m", "convviz_gui", *files]
        self.log = home / "stderr.txt"
        with self.log.open("w") as log:
            self.program = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)

    def do(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def window(self) -> str:
        """The X window's number; "" while there is none."""
        return next(iter(self.do("search", "--onlyvisible", "--name", "ConvViz").split()), "")

    def title(self) -> str:
        window = self.window()
        return self.do("getwindowname", window) if window else ""

    def focus(self) -> None:
        """Give the window the keyboard, as a window manager would; there is none here."""
        self.do("windowfocus", "--sync", self.window())

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert self.program.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"waited in vain for {what}; the title is {self.title()!r}"
            time.sleep(0.2)

    def look(self, path: Path) -> np.ndarray:
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)
        return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "my picture.png"
    Image.fromarray(next(iter(toybox.samples(1, 21))).pixels).save(path)
    return str(path)


def is_alive_with_colours(screen: np.ndarray) -> bool:
    return len(np.unique(screen.reshape(-1, 3), axis=0)) > 2000


def test_open_look_around_and_quit(display: str, tmp_path: Path, picture: str) -> None:
    person = Person(display, tmp_path, picture)
    try:
        person.wait_for(lambda: "my picture.png" in person.title() and "ToyNet" in person.title(), "the demo network")
        first = tmp_path / "first.png"
        person.wait_for(lambda: is_alive_with_colours(person.look(first)), "the activations")
        person.focus()
        seen = [person.look(first)]
        for number in ("3", "2", "1"):
            person.do("key", f"ctrl+{number}")
            before = seen[-1]
            person.wait_for(
                lambda before=before: (person.look(first) != before).any(axis=2).mean() > 0.05, f"tab {number}"
            )
            seen.append(person.look(first))
        person.do("key", "ctrl+q")
        assert person.program.wait(20) == 0
    finally:
        person.program.kill()
        person.program.wait()
    assert person.log.read_text() == ""


def test_a_bad_file_is_said_and_the_window_lives(display: str, tmp_path: Path) -> None:
    bad = tmp_path / "no picture.jpg"
    bad.write_text("hello")
    person = Person(display, tmp_path, str(bad))
    try:
        person.wait_for(lambda: "ToyNet" in person.title(), "the demo network")
        person.wait_for(lambda: is_alive_with_colours(person.look(tmp_path / "screen.png")), "the activations")
        person.program.send_signal(2)
        assert person.program.wait(20) == 0
    finally:
        person.program.kill()
        person.program.wait()
    assert person.log.read_text() == ""
