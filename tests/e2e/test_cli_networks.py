"""The command line's options that say which network and how: what they ask for, and that manifests repeat it."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convviz_gui.cli import main
from convviz_gui.cli.model_options import load_command
from convviz_gui.cli.parser import command_parser
from convviz_gui.engine.command_line import command_line, model_options
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.jobs import Finished, Job, Message, run_job
from convviz_gui.engine.payloads import Seen
from convviz_gui.engine.preprocess import prepare
from convviz_gui.engine.preprocess_rules import changed
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import (
    Command,
    Export,
    LoadModel,
    ModelInfo,
    ModelSpec,
    Outcome,
    Preprocess,
    PreprocessChange,
    Result,
    Run,
)
from tests.e2e.test_cli import refused, run
from tests.engine.tiny import noise_picture

FOUND = Preprocess((128, 128), 128, "bilinear", (0.5,) * 3, (0.25,) * 3, "found")
AWKWARD = Preprocess((40, 44), (50, 61), "lanczos", (-0.1, 1 / 3, 2.5e-7), (0.1 + 0.2, -1.0, 1e5), "edited", "bgr")
OTHERS = [
    AWKWARD,
    Preprocess((40, 40), None, "nearest", (0.1307,), (0.3081,), "edited"),
    Preprocess((40, 44), "fit", "bicubic", (0.0,) * 3, (1.0,) * 3, "edited"),
    Preprocess((40, 44), 64, "bilinear", (0.5,) * 5, (0.2,) * 5, "edited"),
]


def command(*words: str) -> LoadModel:
    return load_command(command_parser(["layers"]).parse_args(["layers", *words]))


def do(session: Session, command: Command) -> Outcome:
    class Last:
        message: Message | None = None

        def send(self, message: Message) -> None:
            self.message = message

        def wants_preview(self) -> bool:
            return False

    sink = Last()
    run_job(session, Job(0, "test", command), sink)
    assert isinstance(sink.message, Finished), sink.message
    return sink.message.outcome


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "noise.png"
    Image.fromarray(noise_picture(90, 70).pixels).save(path)
    return str(path)


def test_every_option_of_a_network(tmp_path: Path) -> None:
    code = tmp_path / "net.py"
    code.write_text("raise SystemExit('it ran')\n")
    words = ("--model", f"{code}:build", "--weights", "w.pth", "--partial", "--trust", "--classes", "names.txt")
    spec = command(*words, "--precision", "bfloat16", "--device", "cpu")
    assert (spec.device, spec.precision, spec.change) == ("cpu", "bfloat16", None)
    digest = spec.spec.trusted
    assert digest is not None
    assert spec.spec == ModelSpec(f"{code}:build", "w.pth", trusted=digest, partial=True, class_names="names.txt")
    code.write_text("# another\n")
    assert command(*words).spec.trusted != digest


def test_trust_says_what_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = tmp_path / "net.py"
    code.write_bytes(b"x = 1\n")
    command("--model", f"{code}:build", "--trust")
    said = capsys.readouterr().err
    assert str(code) in said
    assert hashlib.sha256(b"x = 1\n").hexdigest() in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "change"),
    [
        (("--input-size", "64"), PreprocessChange(size=(64, 64))),
        (("--input-size", "64x96"), PreprocessChange(size=(64, 96))),
        (("--resize", "80"), PreprocessChange(resize=80)),
        (("--resize", "80x90"), PreprocessChange(resize=(80, 90))),
        (("--resize", "80x80"), PreprocessChange(resize=(80, 80))),
        (("--resize", "fit"), PreprocessChange(resize="fit")),
        (("--resize", "squash"), PreprocessChange(resize="squash")),
        (("--interpolation", "lanczos"), PreprocessChange(interpolation="lanczos")),
        (("--mean=-1,2e-3,.5", "--std", "1"), PreprocessChange(mean=(-1, 0.002, 0.5), std=(1,))),
        (("--channel-order", "bgr", "--grey"), PreprocessChange(channel_order="bgr", grey=True)),
    ],
)
def test_single_fields(words: tuple[str, ...], change: PreprocessChange) -> None:
    assert command("--model", "demo", *words).change == change


def test_weights_alone_name_no_network() -> None:
    assert command("--weights", "w.safetensors").spec == ModelSpec("", "w.safetensors")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "No network is named. Give --model M, or --weights FILE alone"),
        (("--pretrained",), "No network is named"),
        (("--model", "demo", "--partial"), "no weights to load in part"),
        (("--model", "demo", "--trust"), "Only code of your own"),
        (("--model", "nowhere.py:f", "--trust"), "no Python file"),
        (("--model", "demo", "--classes", "nowhere.txt"), "There is no nowhere.txt"),
        (("--model", "demo", "--classes", ""), "an empty text names nothing"),
        (("--model", ""), "an empty text names nothing"),
        (("--model", "demo", "--input-size", "0"), "input size cannot be 0×0"),
        (("--model", "demo", "--input-size", "9999999"), "cannot be 9999999×9999999"),
        (("--model", "demo", "--input-size", "big"), "'big' is no size"),
        (("--model", "demo", "--input-size", "1x2x3"), "'1x2x3' is no size"),
        (("--model", "demo", "--resize", "stretch"), "'stretch' is no size"),
        (("--model", "demo", "--mean", "a,b"), "no list of numbers"),
        (("--model", "demo", "--std", "1,nan,1"), "no list of numbers"),
        (("--model", "demo", "--std", "0"), "standard deviation cannot be 0"),
        (("--model", "demo", "--grey"), "cannot take an input of 1 channel"),
        (("--model", "demo", "--precision", "float8"), "invalid choice"),
        (("--model", "demo", "--channel-order", "gbr"), "invalid choice"),
    ],
)
def test_mistakes_are_said_in_a_line(words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sentence in refused(capsys, "layers", *words)


def test_what_the_model_saw_with_another_preprocessing(tmp_path: Path, picture: str) -> None:
    words = ("input", "--model", "demo", "--image", picture, "--input-size", "64x48", "--resize", "fit")
    words += ("--channel-order", "bgr", "--mean", "0.4,0.5,0.6", "--std", "0.5")
    arrays, facts = run(tmp_path / "out", *words)
    preprocess = Preprocess((64, 48), "fit", "bilinear", (0.4, 0.5, 0.6), (0.5,) * 3, channel_order="bgr")
    tensor, box = prepare(noise_picture(90, 70).pixels, preprocess)
    assert sorted(arrays) == ["box", "input"]
    np.testing.assert_array_equal(arrays["input"], tensor)
    np.testing.assert_array_equal(arrays["box"], box)
    assert facts["preprocessing"]["source"] == "edited"
    assert facts["preprocessing_found"]["size"] == [128, 128]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "data.npz",
        "input.csv",
        "input.png",
        "manifest.json",
    }


def test_class_names_stand_in_tables_and_manifest(tmp_path: Path, picture: str) -> None:
    names = tmp_path / "names.json"
    names.write_text(json.dumps([f"toy {i}" for i in range(12)]))
    words = ("overview", "--model", "demo", "--image", picture, "--classes", str(names))
    _, facts = run(tmp_path / "out", *words)
    assert "toy " in (tmp_path / "out" / "predictions.csv").read_text()
    assert facts["model"]["class_names"] == str(names)
    assert facts["preprocessing_found"] is None


def test_the_command_of_the_manifest_repeats_the_result(tmp_path: Path, picture: str) -> None:
    words = ("grad-cam", "--model", "demo", "--image", picture, "--input-size", "96", "--std=0.3,0.31,0.333333333333")
    arrays, facts = run(tmp_path / "one", *words)
    assert main(shlex.split(facts["command"].replace(str(tmp_path / "one"), str(tmp_path / "two")))[1:]) == 0
    with np.load(tmp_path / "two" / "data.npz") as again:
        np.testing.assert_array_equal(arrays["raw"], again["raw"])


def test_so_does_the_command_of_a_result_from_the_window(tmp_path: Path, picture: str) -> None:
    from convviz_gui.engine.images import load_image

    session = Session()
    spec = ModelSpec(preprocess=Preprocess((96, 90), "fit", "bicubic", (0.1, 1 / 3, 0.7), (0.3,) * 3, "edited", "bgr"))
    assert isinstance(do(session, LoadModel(spec, "cpu")), ModelInfo)
    result = do(session, Run("input", image=load_image(picture)))
    assert isinstance(result, Result)
    assert isinstance(result.payload, Seen)
    do(session, Export(result, str(tmp_path / "one")))
    assert main(command_line(result, str(tmp_path / "two"))[1:]) == 0
    with np.load(tmp_path / "two" / "data.npz") as again:
        np.testing.assert_array_equal(again["input"], result.payload.tensor)
    facts: list[dict[str, Any]] = [
        json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("one", "two")
    ]
    assert facts[0]["preprocessing"] == facts[1]["preprocessing"]
    assert facts[0]["model"] == facts[1]["model"]


@pytest.mark.parametrize("preprocess", OTHERS)
def test_a_preprocessing_as_options_loses_nothing(preprocess: Preprocess) -> None:
    spec = ModelSpec("demo", "some weights.pth", partial=True, class_names="a b.txt", preprocess=preprocess)
    again = command(*model_options(spec))
    assert again.change is not None
    assert changed(FOUND, again.change) == preprocess
    assert (again.spec.source, again.spec.weights, again.spec.partial) == ("demo", "some weights.pth", True)
    assert again.spec.class_names == "a b.txt"


def test_options_of_specs() -> None:
    assert model_options(ModelSpec("", "w.pth")) == ["--weights", "w.pth"]
    assert model_options(ModelSpec("timm:x", pretrained=True)) == ["--model", "timm:x", "--pretrained"]
    assert model_options(ModelSpec("n.py:f", trusted="0" * 64)) == ["--model", "n.py:f", "--trust"]


def test_random_weights_are_said_in_manifest_and_pictures(tmp_path: Path, picture: str) -> None:
    words = ("grad-cam", "--model", "torchvision:squeezenet1_1", "--image", picture, "--input-size", "64")
    _, facts = run(tmp_path / "out", *words)
    assert facts["model"]["trained"] is False
    with Image.open(tmp_path / "out" / "overlay.png") as shown:
        assert shown.height > 90
        assert shown.text["Warning"] == "Random weights: squeezenet1_1 has learned nothing"  # type: ignore[attr-defined]


def test_options_that_contradict_each_other() -> None:
    with pytest.raises(EngineError, match="not allowed with"):
        command("--model", "timm:x", "--weights", "w.pth", "--pretrained")
