""" "Copy as Python": the script is run, and must compute what the window showed."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convviz_gui.engine.images import load_image
from convviz_gui.engine.method import methods
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Preprocess, Result, Run
from convviz_gui.gui.tabs.python_code import python_code
from tests.engine.tiny import noise_picture

EDITED = Preprocess((96, 90), "fit", "bicubic", (0.1, 1 / 3, 0.7), (0.3,) * 3, "edited", "bgr")


def complete(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("preprocess", [None, EDITED])
def test_the_script_computes_the_same(tmp_path: Path, preprocess: Preprocess | None, named: bool) -> None:
    picture, names = tmp_path / "it's.png", tmp_path / "names.txt"
    Image.fromarray(noise_picture().pixels).save(picture)
    names.write_text("".join(f"kind {i}\n" for i in range(12)))
    spec = ModelSpec(preprocess=preprocess, class_names=str(names) if named else None)
    session = Session()
    model = complete(session.execute(LoadModel(spec, "cpu")))
    run = Run("input", image=load_image(picture))
    result = complete(session.execute(run))
    assert isinstance(result, Result)
    scope: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(python_code(run, model, methods()["input"].info()), scope)
    assert str(scope["result"].payload.tensor.shape) in said.getvalue()
    np.testing.assert_array_equal(scope["result"].payload.tensor, result.payload.tensor)  # type: ignore[union-attr]
    assert scope["result"].model.class_names == model.class_names
