"""Fixtures shared by all tests: real data beside the repository, skipped with a reason where it is absent."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

# Before Qt is imported anywhere: the same window on every machine.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parents[1]


_home = tempfile.TemporaryDirectory(prefix="convviz-tests-")


def pytest_configure(config: pytest.Config) -> None:
    # What tests keep is not the user's, and what an earlier run of them kept is not theirs.
    os.environ["CONVVIZ_HOME"] = _home.name
    # UMAP is compiled once for all processes of the tests, not by every one that is started.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(_home.name, "compiled")))
    # A shell starts what runs in its background with Ctrl+C ignored, and programs that tests start would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What the program asks of warnings when it is imported (engine/images.py), which pytest undoes for every test.
    config.addinivalue_line("filterwarnings", r"ignore::UserWarning:PIL\.")
    config.addinivalue_line("filterwarnings", "error::PIL.Image.DecompressionBombWarning")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test data beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}")
    return folder


@pytest.fixture(scope="session")
def squeezenet_weights(shared: Path) -> Path:
    """A real ImageNet SqueezeNet 1.0 in torchvision's layout."""
    return shared / "weights" / "squeezenet1_0_imagenet.safetensors"


@pytest.fixture(scope="session")
def photos(shared: Path) -> Path:
    """263 photographs in 12 folders; a file's name begins with its ImageNet class index."""
    return shared / "photos"


@pytest.fixture(scope="session")
def odd_images(shared: Path) -> Path:
    """86 files of odd modes and orientations, truncated, broken, hostile."""
    return shared / "odd-images"
