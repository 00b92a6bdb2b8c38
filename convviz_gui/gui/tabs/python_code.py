""" "Copy as Python": a script that computes what the window shows."""

from __future__ import annotations

from convviz_gui.engine.params import Settings
from convviz_gui.engine.types import MethodInfo, ModelInfo, ModelSpec, Run, Target

_COMPLETE = '''
def complete(steps):
    """Take a command through all its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
'''


def python_code(run: Run, model: ModelInfo, info: MethodInfo, photo_source: str = "") -> str:
    """A script for `run` on `model`. `photo_source` makes `photo` where the picture is a sample with no file."""
    names = ["LoadModel", "ModelSpec", *(["Preprocess"] if model.spec.preprocess else []), "Run", "Target"]
    lines = [
        "from convviz_gui.engine.session import Session",
        f"from convviz_gui.engine.types import {', '.join(names)}",
    ]
    if run.image is not None and run.image.path:
        lines.append("from convviz_gui.engine.images import load_image")
    lines += ["", _COMPLETE, "", "session = Session()"]
    place = repr(model.device) if model.precision == "float32" else f"{model.device!r}, {model.precision!r}"
    lines.append(f"complete(session.execute(LoadModel({_model(model.spec)}, {place})))")
    if run.image is not None:
        lines.append(_photo(run, photo_source))
    lines += [f"result = complete(session.execute({_run(run, info)}))", f"print({_what(info)})", ""]
    return "\n".join(lines)


def _model(spec: ModelSpec) -> str:
    parts = [repr(spec.source)]
    plain = ModelSpec()
    for name in ("weights", "pretrained", "trusted", "partial", "class_names", "preprocess"):
        value = getattr(spec, name)
        if value != getattr(plain, name):
            parts.append(f"{name}={value!r}")
    return f"ModelSpec({', '.join(parts)})"


def _photo(run: Run, source: str) -> str:
    assert run.image is not None
    if run.image.path:
        return f"photo = load_image({run.image.path!r})"
    if source:
        return source
    return "photo = ...  # this picture was pasted and has no file: save it and use load_image(path)"


def _run(run: Run, info: MethodInfo) -> str:
    parts = [repr(run.method), _target(run.target)]
    if run.image is not None:
        parts.append("image=photo")
    if run.folder is not None:
        parts.append(f"folder={run.folder!r}")
    if run.splits:
        parts.append(f"splits={run.splits!r}")
    if settings := _changed(run.settings, info):
        parts.append(f"settings={settings!r}")
    if run.seed:
        parts.append(f"seed={run.seed}")
    return f"Run({', '.join(parts)})"


def _target(target: Target) -> str:
    parts = []
    if target.layer is not None:
        parts.append(f"layer={target.layer!r}")
    if target.channels is not None:
        parts.append(f"channels={_channels(target.channels)}")
    if target.class_index is not None:
        parts.append(f"class_index={target.class_index}")
    if target.against is not None:
        parts.append(f"against={target.against}")
    if target.unit is not None:
        parts.append(f"unit={target.unit!r}")
    return f"Target({', '.join(parts)})"


def _channels(channels: tuple[int, ...]) -> str:
    first = channels[0] if channels else 0
    if len(channels) > 3 and channels == tuple(range(first, first + len(channels))):
        return f"tuple(range({first}, {first + len(channels)}))"
    return repr(channels)


def _changed(settings: Settings, info: MethodInfo) -> Settings:
    defaults = {spec.name: spec.default for spec in info.specs}
    return tuple((name, value) for name, value in settings if defaults.get(name) != value)


_SHOWN = {
    "Seen": "result.payload.tensor.shape, result.payload.box",
    "Maps": "result.payload.maps.shape, result.payload.sparsity",
    "Gallery": "result.payload.images.shape",
    "Heat": "result.payload.class_index, result.payload.raw",
    "PixelMap": "result.payload.class_index, result.payload.attribution.shape",
    "Occlusion": "result.payload.class_index, result.payload.drop",
    "Points": "result.payload.xy, result.payload.trustworthiness",
}


def _what(info: MethodInfo) -> str:
    return _SHOWN.get(info.payload, "result.payload")
