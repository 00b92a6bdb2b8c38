"""The `convviz` command that repeats a result, option by option."""

from __future__ import annotations

from convviz_gui.engine.channels import write_channels
from convviz_gui.engine.types import ModelSpec, Preprocess, Result, Run


def command_line(result: Result, out: str) -> list[str]:
    """The `convviz` command that repeats a result."""
    run = result.run
    words = ["convviz", "run", run.method, *model_options(result.model.spec), *_what(run)]
    for name, value in result.settings:
        words += ["--" + name.replace("_", "-"), str(value).lower() if isinstance(value, bool) else str(value)]
    if result.precision != "float32":
        words += ["--precision", result.precision]
    if result.trust is not None:
        words.append("--trust-check")
    return [*words, "--seed", str(run.seed), "--device", result.model.device, "--out", out]


def model_options(spec: ModelSpec) -> list[str]:
    """The options that open a network again; numbers are written so that not a bit of them is lost.

    `--trust` stands for the file as it was: whoever repeats the command trusts the file as it is then.
    """
    words = ["--model", spec.source] if spec.source else []
    for flag, value in (("--weights", spec.weights), ("--classes", spec.class_names)):
        words += [flag, value] if value else []
    for flag, chosen in (("--pretrained", spec.pretrained), ("--partial", spec.partial), ("--trust", spec.trusted)):
        words += [flag] if chosen else []
    return words + (preprocess_options(spec.preprocess) if spec.preprocess is not None else [])


def preprocess_options(preprocess: Preprocess) -> list[str]:
    """Every field of a preprocessing as options, whatever was found."""
    match preprocess.resize:
        case None:
            resize = "squash"
        case "fit":
            resize = "fit"
        case int():
            resize = str(preprocess.resize)
        case _:
            resize = _size(preprocess.resize)
    # With an equals sign, since a value may begin with a minus sign.
    mean, std = (",".join(map(repr, map(float, values))) for values in (preprocess.mean, preprocess.std))
    words = ["--input-size", _size(preprocess.size), "--resize", resize, "--interpolation", preprocess.interpolation]
    words += ["--grey"] if preprocess.channels == 1 else []
    return [*words, f"--mean={mean}", f"--std={std}", "--channel-order", preprocess.channel_order]


def _size(sides: tuple[int, int]) -> str:
    return f"{sides[0]}x{sides[1]}"


def _what(run: Run) -> list[str]:
    words: list[str] = []
    if run.image is not None:
        words += ["--image", run.image.path or run.image.name]
    if run.folder is not None:
        words += ["--folder", run.folder, *run.splits]
    if run.target.layer is not None:
        words += ["--layer", run.target.layer]
    if run.target.channels is not None:
        words += ["--channels", write_channels(run.target.channels)]
    if run.target.class_index is not None:
        words += ["--class", str(run.target.class_index)]
    if run.target.against is not None:
        words += ["--against", str(run.target.against)]
    if run.target.unit is not None:
        words += ["--unit", "{},{}".format(*run.target.unit)]
    return words
