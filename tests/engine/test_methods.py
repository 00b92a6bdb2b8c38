"""What every method owes: run over the registry, so a new method file has these tests from its first day."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import methods
from convviz_gui.engine.params import ParamValue, Settings
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Result, Run, Target
from tests.engine.tiny import noise_picture, tiny_session

QUICK: dict[str, Settings] = {
    "unit": (("steps", 2),),
    "filters": (("steps", 2), ("size", 64)),
    "filters-fourier": (("steps", 3), ("size", 32)),
    "filters-maco": (("steps", 3), ("size", 32), ("crops", 3)),
    "latent": (("projection", "pca"),),
    "transfer": (("folds", 2),),
}
"""Settings that keep a method's run short; everything else runs with its defaults."""

METHODS = sorted(methods())
RUNNING = [name for name in METHODS if name not in ("input", "weights")]
"""Methods that run the network: what it is given and its weights can be shown without."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(9):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(noise_picture(seed=seed).pixels).save(place / f"{seed}.png")
    return str(root)


@pytest.fixture
def session() -> Session:
    return tiny_session()


def request_for(name: str, folder: str, seed: int = 0) -> Run:
    needs = methods()[name].info().needs
    return Run(
        name,
        Target(channels=(0, 3) if "channels" in needs else None),
        noise_picture() if "image" in needs else None,
        folder if "folder" in needs else None,
        QUICK.get(name, ()),
        seed,
    )


def finish(session: Session, run: Run) -> Result:
    outcome: list[Any] = []

    def drive() -> Iterator[Any]:
        outcome.append((yield from session.execute(run)))

    for _ in drive():
        pass
    assert isinstance(outcome[0], Result)
    return outcome[0]


def arrays_of(payload: Any) -> dict[str, np.ndarray]:
    """Every array of a payload, those in its parts included."""
    found: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(payload):
        value = getattr(payload, field.name)
        if isinstance(value, np.ndarray):
            found[field.name] = value
        elif dataclasses.is_dataclass(value):
            found |= {f"{field.name}.{name}": array for name, array in arrays_of(value).items()}
    return found


def fingerprint(model: nn.Module) -> tuple[Any, ...]:
    """Hooks, training flags, gradient flags and parameters' versions: what a method must leave as it was."""
    hooks = sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) + len(m._backward_pre_hooks)
        for m in model.modules()
    )
    flags = tuple(m.training for m in model.modules())
    tensors = tuple((p.requires_grad, p._version, p.grad is None) for p in (*model.parameters(), *model.buffers()))
    return hooks, flags, tensors


@pytest.mark.parametrize("name", METHODS)
def test_defaults_run_and_return_read_only_host_arrays(name: str, session: Session, folder: str) -> None:
    result = finish(session, request_for(name, folder))
    assert isinstance(result.payload, methods()[name].payload)
    arrays = arrays_of(result.payload)
    assert arrays
    for key, array in arrays.items():
        assert not array.flags.writeable, key
        if array.dtype.kind == "f":
            assert np.isfinite(array).all(), key
    assert dict(result.settings).keys() == {spec.name for spec in methods()[name].info().specs}


@pytest.mark.parametrize("name", METHODS)
def test_same_seed_same_result(name: str, folder: str) -> None:
    """And of a method that says it leaves nothing to chance, another seed's, too."""
    seeds = (7, 7) if methods()[name].by_chance else (7, 8)
    first, second = (arrays_of(finish(tiny_session(), request_for(name, folder, seed)).payload) for seed in seeds)
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)


@pytest.mark.parametrize("name", METHODS)
def test_conditions_are_on_values_that_another_field_takes(name: str) -> None:
    specs = {spec.name: spec for spec in methods()[name].info().specs}
    for spec in specs.values():
        if spec.when is not None:
            other, values = spec.when
            assert other != spec.name
            assert values == tuple(specs[other].check(value) for value in values)
            assert not spec.counts({other: "something else"})


@pytest.mark.parametrize("name", METHODS)
def test_the_model_is_clean_at_every_step_and_after_stopping_there(name: str, session: Session, folder: str) -> None:
    before = fingerprint(session.model)
    n_steps = 0
    for _ in session.execute(request_for(name, folder)):
        n_steps += 1
        assert fingerprint(session.model) == before
    assert n_steps > 0
    assert fingerprint(session.model) == before
    for stop_at in {0, n_steps // 2, n_steps - 1}:
        # What a session keeps of a run would make the next one shorter.
        fresh = tiny_session()
        untouched = fingerprint(fresh.model)
        steps = fresh.execute(request_for(name, folder))
        for _ in range(stop_at + 1):
            next(steps)
        steps.close()
        assert fingerprint(fresh.model) == untouched


@pytest.mark.parametrize("name", METHODS)
def test_another_run_between_two_steps_changes_nothing(name: str, session: Session, folder: str) -> None:
    expected = arrays_of(finish(tiny_session(), request_for(name, folder)).payload)
    guest = Run("grad-cam", image=noise_picture(seed=99))
    steps = session.execute(request_for(name, folder))
    try:
        while True:
            next(steps)
            finish(session, guest)
    except StopIteration as stop:
        got = arrays_of(stop.value.payload)
    for key in expected:
        np.testing.assert_array_equal(expected[key], got[key], err_msg=key)


@pytest.mark.parametrize("name", RUNNING)
def test_a_model_that_raises_is_left_clean(name: str, session: Session, folder: str) -> None:
    before = fingerprint(session.model)
    forward = session.model.conv2.forward

    def burst(_x: Any) -> Any:
        raise RuntimeError("boom")

    session.model.conv2.forward = burst
    with pytest.raises(RuntimeError, match="boom"):
        finish(session, request_for(name, folder))
    session.model.conv2.forward = forward
    assert fingerprint(session.model) == before
    finish(session, request_for(name, folder))


@pytest.mark.parametrize("name", METHODS)
def test_previews_are_payloads_of_the_same_kind(name: str, session: Session, folder: str) -> None:
    for update in session.execute(request_for(name, folder)):
        assert 0 <= update.done <= update.total
        if update.preview is not None:
            assert isinstance(update.preview(), methods()[name].payload)


@pytest.mark.parametrize("name", METHODS)
def test_texts_teach(name: str) -> None:
    info = methods()[name].info()
    for text in (info.title, info.summary, info.how_to_read, info.how_it_misleads, info.reference):
        assert text.strip()
    assert "\n" not in info.summary or len(info.summary) < 200
    for spec in info.specs:
        assert spec.label
        assert spec.help


def changed(default: ParamValue, choices: tuple[str, ...], lo: float | None, hi: float | None) -> ParamValue:
    if isinstance(default, bool):
        return not default
    if choices:
        return next(choice for choice in choices if choice != default)
    if isinstance(default, str):
        return default + "x"
    near = [value for value in (default + 1, default - 1, default / 2) if _inside(value, lo, hi)]
    return type(default)(near[0])


def _inside(value: float, lo: float | None, hi: float | None) -> bool:
    return (lo is None or value >= lo) and (hi is None or value <= hi)


@pytest.mark.parametrize("name", METHODS)
def test_every_field_survives_the_command_line(name: str) -> None:
    for spec in methods()[name].info().specs:
        value = changed(spec.default, spec.choices, spec.lo, spec.hi)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parsed = spec.parse(text)
        assert parsed == value
        params = methods()[name].params.from_settings(((spec.name, parsed),))
        assert dict(params.settings())[spec.name] == value


@pytest.mark.parametrize("name", METHODS)
def test_what_is_missing_or_out_of_range_is_said(name: str, session: Session, folder: str) -> None:
    run = request_for(name, folder)
    info = methods()[name].info()
    wrong: list[Run] = [dataclasses.replace(run, settings=(("no_such_thing", 1),))]
    wrong += [dataclasses.replace(run, seed=seed) for seed in (-1, 2**63)]
    if "image" in info.needs:
        wrong.append(dataclasses.replace(run, image=None))
    if "folder" in info.needs:
        wrong += [dataclasses.replace(run, folder=None), dataclasses.replace(run, folder=str(Path(folder) / "none"))]
    if "layer" in info.needs:
        wrong.append(dataclasses.replace(run, target=dataclasses.replace(run.target, layer="no.such.layer")))
    if "channels" in info.needs:
        wrong += [dataclasses.replace(run, target=Target(layer, channels=(99,))) for layer in ("conv1", None)]
    if "class" in info.needs:
        wrong.append(dataclasses.replace(run, target=Target(class_index=5)))
    for request in wrong:
        with pytest.raises(EngineError) as caught:
            finish(session, request)
        assert caught.value.title
        assert caught.value.hint
