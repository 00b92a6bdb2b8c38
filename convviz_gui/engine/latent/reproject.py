"""Some of the points of a map, projected anew and laid where they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from convviz_gui.engine.channels import parse_channels, write_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.alignment import aligned
from convviz_gui.engine.latent.distortion import measure_distortion
from convviz_gui.engine.latent.frames import showing
from convviz_gui.engine.latent.measures import said_of
from convviz_gui.engine.latent.neighbours import nearest
from convviz_gui.engine.latent.params import LatentParams
from convviz_gui.engine.latent.rows import cut
from convviz_gui.engine.method import Steps, find_method
from convviz_gui.engine.payloads import FloatArray, Points, frozen
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.projections.plan import Plan, project
from convviz_gui.engine.session import Session
from convviz_gui.engine.stages import stage
from convviz_gui.engine.types import Reproject, Result

_SEARCH, _PROJECT, _MEASURE = (0, 50), (50, 900), (900, 1000)
FEWEST = 2


def reproject(session: Session, command: Reproject) -> Steps[Result]:
    """Carry out a `Reproject`; the result's run has the rows in its setting `only`, so that it can be repeated.

    Needs no network: `session` is left alone. Raises `EngineError` if the result holds no finished points, the rows are
    not there or too few, or the projection cannot take them.
    """
    del session
    began = time.monotonic()
    result = command.result
    points = result.payload
    if not isinstance(points, Points) or not points.final:
        raise EngineError("Only a finished map can be projected anew", "Wait until it is finished, or run it again")
    rows = _checked(command.rows, len(points.paths))
    if not len(points.features):
        raise EngineError("The features of this map are not in memory", "Open a smaller part of the dataset")
    changed = dict(result.settings) | dict(command.settings)
    # What was cut once is cut again, in numbers of the whole.
    changed["only"] = write_channels(_in_the_whole(rows, str(changed.get("only", ""))))
    run = replace(result.run, settings=tuple(changed.items()))
    params = LatentParams.from_settings(run.settings)
    found = yield from projected_again(points, rows, params.plan(run.seed), params.neighbours)
    scores = find_method(run.method).scores(found)
    return replace(
        result, run=run, settings=run.settings, payload=found, scores=scores, seconds=time.monotonic() - began
    )


def projected_again(points: Points, rows: Sequence[int], plan: Plan, n_neighbours: int) -> Steps[Points]:
    """Project some rows of `points` on their own, aligned to where they are; true neighbours are among them alone."""
    before = cut(points, rows)
    plan.check(len(rows))
    features = before.features
    neighbours = yield from stage(nearest(features, n_neighbours), _SEARCH)
    components = pca(features, 3)
    is_pca = plan.projection == "pca"
    before = replace(
        before,
        final=False,
        projection=plan.projection,
        neighbours=neighbours.indices,
        xyz=components if is_pca else components[:0],
    )

    def move(xy: FloatArray) -> FloatArray:
        return aligned(xy, before.xy)

    xy = yield from stage(showing(before, project(features, frozen(components[:, :2]), plan), move), _PROJECT)
    near = min(n_neighbours, (len(xy) - 1) // 2)
    distortion = yield from stage(measure_distortion(features, xy, neighbours, near), _MEASURE)
    return replace(before, xy=xy, final=True, **said_of(distortion))


def _checked(rows: Sequence[int], n: int) -> tuple[int, ...]:
    found = tuple(int(row) for row in np.unique(np.asarray(rows, np.int64)))
    if len(found) < FEWEST:
        raise EngineError(f"{len(found)} pictures make no map", f"Select at least {FEWEST}")
    if found[0] < 0 or found[-1] >= n:
        raise EngineError(f"There is no row {found[0] if found[0] < 0 else found[-1]}", f"Rows go from 0 to {n - 1}")
    return found


def _in_the_whole(rows: tuple[int, ...], only: str) -> tuple[int, ...]:
    if not only:
        return rows
    whole = sorted(parse_channels(only) or ())
    return tuple(whole[row] for row in rows)
