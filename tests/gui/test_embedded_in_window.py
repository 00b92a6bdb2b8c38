"""A directory of features that is too large for memory, in the window: its map, and neighbours for what is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from convviz_gui.engine.embedded.local_engine import embed_dataset
from convviz_gui.engine.embedded.opened import open_embedded
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Embed, LoadModel, ModelSpec, Nearest, Result, Run
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.latent import LatentView
from tests.benchmarks.bench_embedded import write

ROWS = 60_500


def done(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    done(session.execute(LoadModel(ModelSpec("demo"), "cpu")))
    return session


@pytest.fixture(scope="module")
def result(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("large")
    write(folder, ROWS, 8, per_part=20_000)
    made = done(session.execute(Run("latent", folder=str(folder))))
    assert isinstance(made, Result)
    return made


def test_large_directory_on_the_map(qtbot: QtBot, session: Session, result: Result) -> None:
    selection = Selection()
    selection.set_model(session.info)
    view = LatentView(selection)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    wanted: list[Nearest] = []
    view.command_wanted.connect(wanted.append)
    view.show_preview(result.payload)
    view.show_result(result)
    facts = view.bench.facts
    assert facts is not None
    assert len(facts) == ROWS
    qtbot.waitUntil(lambda: facts.orders.ready, timeout=20_000)
    # Names are the directory's: the demo that is open has twelve classes.
    assert facts.class_name(99) == "class 99"
    assert facts.prediction(ROWS - 1) == "class 99"
    assert facts.probability(0) == pytest.approx(0.5)

    # Passed by on the way: only where the user stops is asked for.
    for row in (7, 8, 9):
        view.bench.choose(row)
    qtbot.waitUntil(lambda: bool(wanted))
    assert [command.row for command in wanted] == [9]
    view.show_outcome(wanted[0], done(session.execute(wanted[0])))

    features = np.concatenate([values for _, values in open_embedded(Path(result.payload.folder)).vectors()])
    distances = np.linalg.norm(features.astype(np.float64) - features[9].astype(np.float64), axis=1)
    distances[9] = np.inf
    nearest = np.argsort(distances, kind="stable")[:12]
    assert facts.neighbours(9) == tuple(nearest.tolist())
    np.testing.assert_allclose(facts.distances(9, facts.neighbours(9)), distances[nearest], rtol=1e-6)
    assert view.map.strip.points.rowCount() == 12
    assert "12" in view.map.strip.heading.text()

    # What is known is not asked for again.
    view.bench.choose(10)
    qtbot.waitUntil(lambda: len(wanted) == 2)
    view.show_given_up(wanted[1])
    view.bench.choose(9)
    assert view.map.strip.points.rowCount() == 12
    qtbot.wait(500)
    assert len(wanted) == 2


@pytest.mark.parametrize("kept", [True, False])
def test_stored_thumbnails_stand_in_for_pictures_that_are_not_here(
    qtbot: QtBot, session: Session, tmp_path: Path, kept: bool
) -> None:
    (tmp_path / "photos").mkdir()
    colours = [(40 + 5 * i, 200 - 4 * i, 90) for i in range(30)]
    for i, colour in enumerate(colours):
        Image.new("RGB", (300, 200), colour).save(tmp_path / "photos" / f"{i}.png")
    command = Embed(str(tmp_path / "photos"), str(tmp_path / "out"), rows_per_part=8, thumbnails=kept)
    done(embed_dataset(session, command))
    # Another machine: the directory is somewhere else, and all pictures but one are not there.
    (tmp_path / "out").rename(tmp_path / "moved")
    for i in range(1, 30):
        (tmp_path / "photos" / f"{i}.png").unlink()
    made = done(session.execute(Run("latent", folder=str(tmp_path / "moved"), settings=(("projection", "pca"),))))
    paths = list(made.payload.paths)
    selection = Selection()
    selection.set_model(session.info)
    view = LatentView(selection)
    qtbot.addWidget(view)
    view.resize(1000, 740)
    view.show()
    # As while it is read, when nothing is known of a directory.
    view.show_preview(replace(made.payload, origin=None, final=False))
    qtbot.waitUntil(lambda: bool(view.thumbnails.get(paths[1]) or view.thumbnails.problem(paths[1])))
    view.show_result(made)
    for thumbnails in (view.thumbnails, view.desk.pane.large):
        for row in (0, 1, 7, 8, 29):
            qtbot.waitUntil(lambda: bool(thumbnails.get(paths[row]) or thumbnails.problem(paths[row])))  # noqa: B023
            picture, problem = thumbnails.get(paths[row]), thumbnails.problem(paths[row])
            assert ("There is no file" in problem) == (row > 0)
            assert ("was stored with its features" in problem) == (row > 0 and kept)
            assert (picture is not None) == (row == 0 or kept)
            if picture is not None:
                side = 128 if row else min(300, thumbnails._decoder._size)
                assert (picture.width(), picture.height()) == (side, round(side / 1.5))
                colour = picture.pixelColor(50, 50).getRgb()[:3]
                assert colour == pytest.approx(colours[int(Path(paths[row]).stem)], abs=4)
    card, facts = view.map._card, view.bench.facts
    assert card is not None
    assert facts is not None
    card.show_point(facts, 29, QPoint(300, 300), ("a line",))
    colour = card.grab().toImage().pixelColor(card.width() // 2, 80).getRgb()[:3]
    assert (colour == pytest.approx(colours[29], abs=4)) == kept
    view.thumbnails.close()
