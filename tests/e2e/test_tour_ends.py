"""However the tour ends, nothing is left behind and little is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOUR = [sys.executable, "-m", "convviz_gui.cli", "tour", "--out"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_window_and_tour(tmp_path: Path, number: int) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "CONVVIZ_HOME": str(tmp_path / "home")}
    words = [*TOUR, str(tmp_path / "out")]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tour:
        assert tour.stdout is not None
        assert tour.stdout.readline().startswith("1 of ")
        tour.send_signal(number)
        # The pipes end when the last process that holds them has ended: the window's too.
        _, err = tour.communicate(timeout=60)
    assert tour.returncode == 128 + number
    assert err == "convviz: stopped; nothing was written\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = subprocess.run([*TOUR, str(tmp_path / "file")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"
