"""The options that say which network to open, and how."""

from __future__ import annotations

import argparse
import math
from typing import Literal

from convviz_gui.cli.terminal import name, say
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.trust import is_own_code, own_code_digest, split_own_code
from convviz_gui.engine.preprocess_rules import INTERPOLATIONS, ORDERS
from convviz_gui.engine.types import LoadModel, ModelSpec, PreprocessChange

PRECISIONS = ("float32", "bfloat16", "float16")


def add_model_options(parser: argparse.ArgumentParser, *, precision: bool = True) -> None:
    """The options that say which network, shared by all commands that open one.

    `precision` is False where a method has an option of that name for itself.
    """
    network = parser.add_argument_group("network")
    network.add_argument(
        "--model",
        metavar="M",
        type=name,
        help="demo, torchvision:NAME, timm:NAME or FILE.py:FACTORY; with --weights alone the network is recognised",
    )
    source = network.add_mutually_exclusive_group()
    source.add_argument("--weights", metavar="FILE", type=name, help="safetensors, or a state dict saved by PyTorch")
    source.add_argument("--pretrained", action="store_true", help="download the library's own weights")
    network.add_argument("--partial", action="store_true", help="load what fits of the weights, the rest stays random")
    network.add_argument("--trust", action="store_true", help="run the code in FILE.py: you trust it")
    network.add_argument(
        "--classes", metavar="PATH", type=name, help="class names: a text, CSV or JSON file, or a dataset's folder"
    )
    network.add_argument("--device", default="auto", metavar="D", help="auto (the default), cpu, cuda or mps")
    if precision:
        network.add_argument("--precision", choices=PRECISIONS, help="of forward passes (float32)")
    parser.set_defaults(network_precision=precision)
    _add_preprocessing(parser.add_argument_group("preprocessing, where it is to be other than found"))
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_preprocessing(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--input-size", metavar="N|HxW", type=_sides, help="of the input in pixels; what it is cut from goes along"
    )
    group.add_argument(
        "--resize",
        metavar="N|HxW|squash|fit",
        type=_resize,
        help="shorter side, or height and width, before the crop; or all of the photo, out of shape or with margins",
    )
    group.add_argument("--interpolation", choices=INTERPOLATIONS, help="between the photo's pixels")
    group.add_argument("--mean", metavar="A,B,C", type=_numbers, help="of values in 0…1, per channel of the tensor")
    group.add_argument("--std", metavar="A,B,C", type=_numbers, help="standard deviation, likewise")
    group.add_argument("--channel-order", choices=ORDERS, help="of the tensor")
    group.add_argument("--grey", action="store_true", help="one channel: luminance")


def load_command(options: argparse.Namespace) -> LoadModel:
    """What the options ask for. Raises `EngineError` if they do not say which network, or not whose code to trust."""
    if not options.model and options.weights is None:
        raise EngineError("No network is named", "Give --model M, or --weights FILE alone to have it recognised")
    if options.partial and options.weights is None:
        raise EngineError("There are no weights to load in part", "Give --partial together with --weights FILE")
    spec = ModelSpec(
        source=options.model or "",
        weights=options.weights,
        pretrained=options.pretrained,
        trusted=_trusted(options.model or "") if options.trust else None,
        partial=options.partial,
        class_names=options.classes,
    )
    precision = (options.precision if options.network_precision else None) or "float32"
    return LoadModel(spec, options.device, precision, _change(options))


def _trusted(source: str) -> str:
    if not is_own_code(source):
        raise EngineError(
            "Only code of your own has to be trusted", "Leave --trust away, or give --model FILE.py:FACTORY"
        )
    path = split_own_code(source)[0]
    digest = own_code_digest(path)
    say(f"running {path.absolute()} (SHA-256 {digest}), since --trust says so")
    return digest


def _change(options: argparse.Namespace) -> PreprocessChange | None:
    change = PreprocessChange(
        size=options.input_size,
        resize=options.resize,
        interpolation=options.interpolation,
        mean=options.mean,
        std=options.std,
        channel_order=options.channel_order,
        grey=options.grey,
    )
    return None if change == PreprocessChange() else change


def _sides(text: str) -> tuple[int, int]:
    sides = text.lower().replace("×", "x").split("x")
    # isdecimal takes the digits of every script, and int() with it.
    if len(sides) > 2 or not all(side.isdecimal() and len(side) < 10 for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give pixels, as 224, or height and width, as 224x320")
    return int(sides[0]), int(sides[-1])


def _resize(text: str) -> int | tuple[int, int] | Literal["fit", "squash"]:
    match text:
        case "fit":
            return "fit"
        case "squash":
            return "squash"
        case _:
            sides = _sides(text)
            return sides[0] if text.isdecimal() else sides


def _numbers(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers, such as 0.485,0.456,0.406")
    return numbers
