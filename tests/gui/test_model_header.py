"""The open network's header and its health report."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from convviz_gui.engine.jobs import Job, Progressed
from convviz_gui.engine.types import Finding, Level, LoadModel, ModelInfo, ModelSpec
from convviz_gui.gui.look.theme import DARK, LIGHT, palette
from convviz_gui.gui.network.health_panel import HealthPanel, LevelMark
from convviz_gui.gui.network.health_words import in_order, report, summary
from convviz_gui.gui.network.model_header import ModelHeader
from convviz_gui.gui.selection import Selection
from tests.gui.test_recent_models import EDITED, info

FINDINGS = (
    Finding("layout", Level.FACT, "Channels last inside"),
    Finding("nan", Level.WARNING, "3 weights are NaN", "Its training diverged"),
    Finding("in-place", Level.HANDLED, "10 activations work in place", "Values are taken before"),
)


@pytest.fixture
def header(qtbot: QtBot) -> ModelHeader:
    made = ModelHeader(Selection())
    qtbot.addWidget(made)
    made.resize(352, 140)
    made.show()
    return made


def show(header: ModelHeader, model: ModelInfo) -> None:
    header._selection.set_model(model)


def test_summary_counts_warnings_and_notes() -> None:
    model = dataclasses.replace(info(ModelSpec()), health=FINDINGS, cannot=(("grad-cam", "no maps"),))
    assert summary(dataclasses.replace(model, cannot=())) == "1 warning · 2 notes"
    assert summary(model) == "1 warning · 1 method ruled out"
    assert summary(info(ModelSpec())) == "Nothing to remark"
    assert [finding.kind for finding in in_order(FINDINGS)] == ["nan", "in-place", "layout"]


def test_report_says_everything_in_words() -> None:
    model = dataclasses.replace(info(ModelSpec(), "my net"), health=FINDINGS, cannot=(("grad-cam", "no maps"),))
    text = report(model, {"grad-cam": "Grad-CAM", "filters": "Filters"})
    assert text.splitlines()[0] == "my net"
    for part in ("Warning: 3 weights are NaN", "Its training diverged", "Methods that apply: Filters"):
        assert part in text
    assert "Does not apply: Grad-CAM: no maps" in text
    assert text.index("NaN") < text.index("in place") < text.index("Channels last")


def test_chips_warn_of_random_partial_and_coarse(header: ModelHeader) -> None:
    plain = info(ModelSpec("timm:a", "/w/a.pth"))
    show(header, plain)
    assert not any(chip.isVisible() for chip in (header.random, header.partial, header.precision))
    show(header, dataclasses.replace(plain, trained=False, digest="2"))
    assert header.random.isVisible()
    left_out = Finding("weights", Level.WARNING, "Loaded in part")
    spec = dataclasses.replace(plain.spec, partial=True)
    show(header, dataclasses.replace(plain, spec=spec, health=(left_out,), digest="3"))
    assert header.partial.isVisible()
    # What fits completely is not partial, whatever was allowed.
    show(header, dataclasses.replace(plain, spec=spec, digest="4"))
    assert not header.partial.isVisible()
    show(header, dataclasses.replace(plain, precision="bfloat16", digest="5"))
    assert header.precision.isVisible()
    assert header.precision.text() == "bfloat16"


def test_own_preprocessing_is_said(header: ModelHeader) -> None:
    plain = info(ModelSpec("timm:a"))
    show(header, dataclasses.replace(plain, preprocess=EDITED, found_preprocess=plain.preprocess))
    assert "own preprocessing" in header.facts.text()
    assert "the one you edited" in header.name.toolTip()


def test_download_shows_time_left_and_bytes_beyond_32_bits(header: ModelHeader) -> None:
    header.show_busy("big", "Opening…")
    job = Job(1, "session", LoadModel(ModelSpec()))
    header.show_progress(Progressed(job, 3 * 10**9, 6 * 10**9, "downloading x: 3000 of 6000 MB", 75.0))
    assert header.facts.text() == "Downloading x: 3000 of 6000 MB · 1 min 15 s left"
    assert header._progress.value() * 2 == header._progress.maximum()


def test_long_names_do_not_widen_the_window(header: ModelHeader) -> None:
    before = header.minimumSizeHint().width()
    show(header, info(ModelSpec("timm:x"), "vit_betwixt_patch16_reg4_gap_384.sbb2_e200_in12k_ft_in1k" * 3))
    assert header.minimumSizeHint().width() <= max(before, 340)


def test_panel_lists_findings_and_methods(qtbot: QtBot) -> None:
    parent = QWidget()
    parent.resize(1280, 720)
    qtbot.addWidget(parent)
    model = dataclasses.replace(info(ModelSpec(), "net"), health=FINDINGS, cannot=(("grad-cam", "It has no maps"),))
    panel = HealthPanel(model, {"grad-cam": "Grad-CAM", "filters": "Filters"}, parent)
    panel.show()
    said = [label.text().replace("\u200b", "") for label in panel.findChildren(QLabel)]
    for part in ("3 weights are NaN", "Its training diverged", "Grad-CAM does not apply", "It has no maps", "Filters"):
        assert part in said
    # Levels differ by shape, not by colour alone: each row has its mark, and its name says the level.
    assert len(panel.findChildren(LevelMark)) == len(FINDINGS) + 2
    named = [widget.accessibleName() for widget in panel.findChildren(QWidget)]
    assert "Warning: 3 weights are NaN. Its training diverged" in named
    copy = next(button for button in panel.findChildren(QPushButton) if "Copy" in button.text())
    copy.click()
    assert QGuiApplication.clipboard().text() == report(model, {"grad-cam": "Grad-CAM", "filters": "Filters"})
    panel.close()


def test_guessed_preprocessing_can_be_edited_from_the_report(qtbot: QtBot) -> None:
    parent = QWidget()
    parent.resize(1280, 720)
    qtbot.addWidget(parent)
    guessed = Finding("preprocessing", Level.WARNING, "The preprocessing is guessed", "edit it")
    plain = info(ModelSpec(), "net")
    panel = HealthPanel(dataclasses.replace(plain, health=(guessed,)), {}, parent)
    panel.show()
    assert panel.edit is not None
    with qtbot.waitSignal(panel.preprocessing_wanted):
        panel.edit.click()
    assert not panel.isVisible()
    told = HealthPanel(dataclasses.replace(plain, health=FINDINGS), {}, parent)
    assert told.edit is None
    told.close()


def test_the_mark_follows_the_theme(qtbot: QtBot) -> None:
    header = ModelHeader(Selection())
    qtbot.addWidget(header)
    header.setPalette(palette(LIGHT))
    show(header, dataclasses.replace(info(ModelSpec(), "net"), health=FINDINGS))
    before = header.health.icon().pixmap(14, 14).toImage()
    header.setPalette(palette(DARK))
    assert header.health.icon().pixmap(14, 14).toImage() != before
