"""docs/methods.md: every method is on it, with its words and a picture made by the program."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from convviz_gui.engine.method import methods

ROOT = Path(__file__).resolve().parent.parent
REMEDY = "run `python tools/make_methods_page.py`"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_methods_page", ROOT / "tools" / "make_methods_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_methods_say(tool: ModuleType) -> None:
    written = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    missing = [name for name in methods() if f"`convviz run {name} " not in written]
    assert not missing, f"docs/methods.md lacks {', '.join(missing)}: {REMEDY}"
    assert written == tool.page(), f"docs/methods.md is older than the methods' texts: {REMEDY} (--text)"


def test_every_method_says_when_to_take_it(tool: ModuleType) -> None:
    silent = [info.name for info in tool.infos() if not info.when_to_use]
    assert not silent


def test_pictures_are_small_and_belong_to_methods(tool: ModuleType) -> None:
    pictures = sorted(tool.PICTURES.glob("*.png"))
    assert pictures
    assert {path.stem for path in pictures} <= set(methods())
    assert all(path.stat().st_size <= tool.MOST_BYTES for path in pictures)


def test_a_section_for_every_tab_and_a_place_for_the_ground_truth(tool: ModuleType) -> None:
    text = tool.page()
    headings = [line[3:].lower() for line in text.splitlines() if line.startswith("## ")]
    assert headings[:-1] == [name for name in tool.CATEGORIES if name in headings]
    assert text.count(tool._TRUTH_TITLE) == 1
