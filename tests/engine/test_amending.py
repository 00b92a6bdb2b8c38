"""Another preprocessing, other class names: on opening and in the open network, which stays as it is if they fail."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Maps, Seen
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Amend, LoadModel, ModelInfo, ModelSpec, Preprocess, PreprocessChange, Run, Target
from tests.engine.test_methods import fingerprint, finish
from tests.engine.tiny import PREPROCESS, TinyNet, noise_picture, tiny_session

LARGER = Preprocess((48, 40), "fit", "bicubic", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "by hand", "bgr")
TOY_CLASSES = 12


def do(session: Session, command: Any) -> ModelInfo:
    steps = session.execute(command)
    try:
        while True:
            next(steps)
    except StopIteration as done:
        outcome = done.value
    assert isinstance(outcome, ModelInfo)
    return outcome


def names_file(folder: Path, n: int, name: str = "names.txt") -> str:
    path = folder / name
    path.write_text("".join(f"kind {i}\n" for i in range(n)))
    return str(path)


def test_another_size_is_traced_and_computed_anew() -> None:
    session = tiny_session()
    picture = noise_picture()
    before = finish(session, Run("activations", Target("conv2"), picture)).payload
    info = do(session, Amend(preprocess=LARGER))
    assert info is session.info
    assert (info.preprocess, info.spec.preprocess, info.found_preprocess) == (LARGER, LARGER, PREPROCESS)
    node = info.find("conv2")
    assert node is not None
    assert node.shape == (8, 24, 20)
    after = finish(session, Run("activations", Target("conv2"), picture)).payload
    assert isinstance(before, Maps)
    assert isinstance(after, Maps)
    assert (before.maps.shape, after.maps.shape) == ((8, 16, 16), (8, 24, 20))
    assert any(finding.kind == "preprocessing" for finding in info.health)


def test_results_are_those_of_a_network_opened_so() -> None:
    amended, fresh = tiny_session(), Session()
    finish(amended, Run("activations", image=noise_picture()))
    do(amended, Amend(preprocess=LARGER))
    fresh.adopt(_net(), LARGER)
    for method in ("activations", "grad-cam", "overview", "input"):
        one, other = (finish(session, Run(method, image=noise_picture())).payload for session in (amended, fresh))
        for field in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def _net() -> TinyNet:
    from tests.engine.tiny import tiny_net

    return tiny_net()


def test_back_to_what_was_found() -> None:
    session = tiny_session()
    first = session.info
    do(session, Amend(preprocess=LARGER))
    back = do(session, Amend(preprocess=session.info.found_preprocess))
    assert (back.preprocess, back.spec, back.found_preprocess) == (PREPROCESS, first.spec, None)
    assert back.health == first.health


@pytest.mark.parametrize(
    "wrong",
    [
        dataclasses.replace(PREPROCESS, mean=(0.5,), std=(0.5,)),
        dataclasses.replace(PREPROCESS, size=(1, 1)),
        dataclasses.replace(PREPROCESS, std=(0.0, 1.0, 1.0)),
        dataclasses.replace(PREPROCESS, interpolation="cubic"),
    ],
)
def test_what_the_network_cannot_take_leaves_everything_as_it_was(wrong: Preprocess, tmp_path: Path) -> None:
    session = tiny_session()
    do(session, Amend(class_names=names_file(tmp_path, 5)))
    expected = finish(session, Run("grad-cam", image=noise_picture())).payload
    info, flags = session.info, fingerprint(session.model)
    with pytest.raises(EngineError) as caught:
        do(session, Amend(preprocess=wrong))
    assert caught.value.hint
    assert session.info is info
    assert fingerprint(session.model) == flags
    again = finish(session, Run("grad-cam", image=noise_picture())).payload
    np.testing.assert_array_equal(expected.raw, again.raw)  # type: ignore[union-attr]


def test_the_sentence_says_what_it_cannot_take_and_what_was_found() -> None:
    with pytest.raises(EngineError) as caught:
        do(tiny_session(), Amend(preprocess=dataclasses.replace(PREPROCESS, mean=(0.5,), std=(0.5,))))
    assert caught.value.title.startswith("tiny cannot take an input of 1 channel and 32×32 pixels")
    assert "3 channels and 32×32" in caught.value.hint
    assert "Traceback" in caught.value.detail


def test_class_names_and_back(tmp_path: Path) -> None:
    session = tiny_session()
    path = names_file(tmp_path, 5)
    info = do(session, Amend(class_names=path))
    assert (info.class_name(4), info.spec.class_names) == ("kind 4", path)
    assert any("names.txt" in note for note in info.notes)
    Path(path).unlink()
    amended = do(session, Amend(preprocess=LARGER))
    assert amended.class_names == info.class_names, "the file is not asked for again"
    back = do(session, Amend(class_names=""))
    assert (back.class_names, back.spec.class_names, back.preprocess) == ((), None, LARGER)


@pytest.mark.parametrize("n", [4, 6])
def test_as_many_names_as_classes(n: int, tmp_path: Path) -> None:
    session = tiny_session()
    info = session.info
    with pytest.raises(EngineError, match=rf"names.txt names {n} classes, but tiny tells 5 apart"):
        do(session, Amend(class_names=names_file(tmp_path, n)))
    assert session.info is info


def test_a_single_logit_has_two_classes(tmp_path: Path) -> None:
    session = tiny_session(n_logits=1)
    assert do(session, Amend(class_names=names_file(tmp_path, 2))).class_names == ("kind 0", "kind 1")
    with pytest.raises(EngineError, match="names 1 classes, but tiny tells 2 apart"):
        do(session, Amend(class_names=names_file(tmp_path, 1, "one.txt")))


def test_on_opening_by_spec(tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text(json.dumps({str(i): f"thing {i}" for i in range(TOY_CLASSES)}))
    session = Session()
    spec = ModelSpec(class_names=str(names), preprocess=LARGER)
    info = do(session, LoadModel(spec))
    assert (info.spec, info.preprocess, info.class_name(3)) == (spec, LARGER, "thing 3")
    found = info.found_preprocess
    assert found is not None
    assert found.size == (128, 128)
    seen = finish(session, Run("input", image=noise_picture())).payload
    assert isinstance(seen, Seen)
    assert seen.tensor.shape == (3, 48, 40)


def test_on_opening_by_single_fields() -> None:
    session = Session()
    info = do(session, LoadModel(ModelSpec(), change=PreprocessChange(size=(64, 64), resize="fit")))
    assert (info.preprocess.size, info.preprocess.resize) == ((64, 64), "fit")
    assert info.spec.preprocess == info.preprocess
    again = do(Session(), LoadModel(info.spec))
    assert (again.preprocess, again.found_preprocess) == (info.preprocess, info.found_preprocess)
    same = do(session, LoadModel(ModelSpec(), change=PreprocessChange(size=(128, 128))))
    assert (same.spec, same.found_preprocess) == (ModelSpec(), None), "what changes nothing is no edit"


@pytest.mark.parametrize(
    "command",
    [
        LoadModel(ModelSpec(class_names="nowhere.txt")),
        LoadModel(ModelSpec(preprocess=dataclasses.replace(LARGER, size=(0, 0)))),
        LoadModel(ModelSpec(), change=PreprocessChange(std=(0.0,))),
        LoadModel(ModelSpec(), change=PreprocessChange(grey=True)),
    ],
)
def test_what_makes_no_sense_on_opening_leaves_the_open_network(command: LoadModel) -> None:
    session = tiny_session()
    info, model = session.info, session.model
    with pytest.raises(EngineError):
        do(session, command)
    assert session.info is info
    assert session.model is model


def test_names_of_another_count_on_opening(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"names 3 classes, but .* tells {TOY_CLASSES} apart"):
        do(Session(), LoadModel(ModelSpec(class_names=names_file(tmp_path, 3))))


def test_running_out_of_memory_is_not_taken_for_a_wrong_size() -> None:
    class Hungry(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            if x.shape[2] > 40:
                torch.empty(2**50)
            return self.conv(x).mean((2, 3))

    session = Session()
    session.adopt(Hungry(), PREPROCESS)
    with pytest.raises(RuntimeError, match="memory"):
        do(session, Amend(preprocess=LARGER))
    assert session.info.preprocess == PREPROCESS
