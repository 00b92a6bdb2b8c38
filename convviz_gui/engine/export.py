"""Results into folders: manifest.json, data.npz and the pictures a person would want."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import convviz_gui
from convviz_gui.engine.atomic import staged
from convviz_gui.engine.command_line import command_line
from convviz_gui.engine.datasets import check_apart
from convviz_gui.engine.depiction import arrays, pictures, random_weights, tables
from convviz_gui.engine.depiction.located import located_arrays
from convviz_gui.engine.depiction.trust import trust_arrays
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.latent.whose import model_of
from convviz_gui.engine.manifest import ResultFacts, manifest, result_facts
from convviz_gui.engine.payloads import Points, Skipped
from convviz_gui.engine.types import Exported, Result, Run

MANIFEST = "manifest.json"


def write_result(result: Result, folder: str) -> Exported:
    """Write one result; the folder holds all of it afterwards, or what it held before.

    Raises `EngineError` if it is inside the dataset that the result is about, or as `write_results`.
    """
    run = result.run
    check_apart(() if run.folder is None else (run.folder, *run.splits), folder)
    return write_results([result], [], folder, command_line(result, folder))


def write_results(
    results: Iterable[Result], skipped: Sequence[Skipped], folder: str, command: Sequence[str], *, several: bool = False
) -> Exported:
    """Write results that differ only in their photo, or in their layer, each as it comes.

    Args:
        results: at least one.
        skipped: pictures that were left out; read when all results have come, so it may grow meanwhile.
        folder: made if it is not there.
        command: the command line that repeats this.
        several: each result gets a sub-folder, numbered and named after its photo or layer; else the only one lies in
            `folder`.

    Raises `EngineError` if the folder cannot be written, a photo or table that was named would be replaced, or there is
    nothing to write.
    """
    root = Path(folder)
    sources: set[str] = set()
    with staged(root, MANIFEST, sources) as staging:
        facts: list[ResultFacts] = []
        left_out: list[Skipped] = []
        for i, result in enumerate(map(_of_its_network, results)):
            place = f"{i:04}_{_stem(result)}" if several else "."
            (staging / place).mkdir(exist_ok=True)
            _write(result, staging / place)
            facts.append(result_facts(result, place))
            sources |= _sources(result.run)
            left_out += _skipped_inside(result)
        if not facts:
            raise EngineError(skipped[0].reason if skipped else "There is nothing to write", "")
        names = sorted(path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file())
        text = json.dumps(manifest(facts, [*skipped, *left_out], command, names), indent=2, ensure_ascii=False)
        (staging / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return Exported(str(root), tuple(str(root / name) for name in (*names, MANIFEST)))


def _of_its_network(result: Result) -> Result:
    if not isinstance(result.payload, Points) or result.payload.origin is None:
        return result
    return replace(result, model=model_of(result.payload, result.model), precision=result.payload.origin.precision)


def _stem(result: Result) -> str:
    layer = result.run.target.layer or "result"
    name = Path(result.run.image.name).stem if result.run.image else layer
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:60]


def _sources(run: Run) -> set[str]:
    """The files that were named: a photo, tables and archives."""
    image = run.image.path if run.image is not None else None
    return {path for path in (image, run.folder, *run.splits) if path}


def _skipped_inside(result: Result) -> tuple[Skipped, ...]:
    return getattr(result.payload, "skipped", ())


def _write(result: Result, folder: Path) -> None:
    (folder / "data.npz").write_bytes(npz_bytes(result))
    for name, picture in pictures(result).items():
        Image.fromarray(picture).save(folder / f"{name}.png", format="PNG", pnginfo=_facts(result))
    for name, text in tables(result).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")


def _facts(result: Result) -> PngInfo:
    """What a picture says of itself wherever it is copied to."""
    facts = PngInfo()
    facts.add_text("Software", f"ConvViz {convviz_gui.__version__}")
    model = result.model
    facts.add_itxt("Description", f"{result.run.method} · {model.name} · {model.weights}")
    if not model.trained:
        facts.add_itxt("Warning", random_weights(model))
    return facts


def npz_bytes(result: Result) -> bytes:
    """The result's arrays as an uncompressed .npz without pickles."""
    buffer = io.BytesIO()
    checked = {} if result.trust is None else trust_arrays(result.trust)
    np.savez(buffer, allow_pickle=False, **arrays(result.payload), **checked, **located_arrays(result.located))
    return buffer.getvalue()
