"""Where the user's files go on each platform, and what a missing resource says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convviz_gui import paths

FOLDERS = [paths.cache_dir, paths.config_dir, paths.data_dir]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("CONVVIZ_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_resource_is_found() -> None:
    assert paths.resource("convviz.svg").read_text(encoding="utf-8").startswith("<svg")


def test_missing_resource_is_one_sentence_with_a_remedy() -> None:
    with pytest.raises(FileNotFoundError, match=r"'nothing\.bin' is missing .* reinstall") as error:
        paths.resource("nothing.bin")
    assert error.value.errno is None


@pytest.mark.parametrize("folder", FOLDERS)
def test_override_keeps_everything_in_one_place(
    folder: Callable[[], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVVIZ_HOME", str(home / "portable"))
    assert folder().parent == home / "portable"
    assert folder().is_dir()
    assert len({one() for one in FOLDERS}) == 3


def test_without_a_home_that_can_be_written_there_are_no_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("CONVVIZ_HOME", str(home / "file"))
    assert not paths.config_dir().exists()
    for folder in (paths.cache_dir, paths.data_dir):
        with pytest.raises(OSError, match="file"):
            folder()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the XDG folders are Linux's")
def test_xdg_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.cache_dir() == home / ".cache" / "convviz"
    assert paths.config_dir() == home / ".config" / "convviz"
    assert paths.data_dir() == home / ".local" / "share" / "convviz"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert paths.cache_dir() == home / "elsewhere" / "convviz"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.cache_dir() == home / ".cache" / "convviz"
    assert paths.cache_dir().is_dir()
