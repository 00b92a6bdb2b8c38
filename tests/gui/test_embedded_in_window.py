"""A directory of features that is too large for memory, in the window: its map, and neighbours for what is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from convviz_gui.engine.embedded.opened import open_embedded
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Nearest, Result, Run
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
