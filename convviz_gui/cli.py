"""The command line: everything the window can do, without one. Its options and files are a contract (docs/cli.md)."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import convviz_gui
from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError, Problem, ProblemKind, problem_from
from convviz_gui.engine.params import Settings, Spec
from convviz_gui.engine.types import LayerNode, ModelSpec

if TYPE_CHECKING:
    from convviz_gui.engine.types import MethodInfo

DONE, OUR_BUG, YOUR_MISTAKE = 0, 1, 2
STOPPED = 128
"""Plus the number of the signal that stopped it: 130 for Ctrl+C."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line with a remedy instead of argparse's several."""
        raise EngineError(message[:1].upper() + message[1:], f"See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0 done, 2 the user's mistake, 1 our bug, 128 + number after a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Names of files and our own dots need not fit the terminal's encoding.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # A library's warning is no line for the user of a program.
    warnings.simplefilter("ignore")
    try:
        with _stopping_by_signals():
            options = _parser(words).parse_args(words)
            code = int(options.command(options, words))
            # What is buffered still may find the disk full, or nobody to read it.
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except KeyboardInterrupt as stop:
        _say("stopped; nothing was written")
        return STOPPED + (stop.number if isinstance(stop, _Stop) else signal.SIGINT)
    except BrokenPipeError:
        # `convviz models | head`: nobody reads on.
        _drop_unwritable()
        return DONE
    except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
        _drop_unwritable()
        return _complain(problem_from(error))


class _Stop(KeyboardInterrupt):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def _stopping_by_signals() -> Iterator[None]:
    """While inside, the first signal that asks to end lets everything be tidied up, and further ones do not disturb."""
    wanted = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    stopped: list[_Stop] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        for other in taken:
            signal.signal(other, signal.SIG_IGN)
        stopped.append(_Stop(number))
        raise stopped[0]

    handlers = {number: signal.getsignal(number) for number in wanted}
    # What is ignored already (nohup) stays so; other threads than the first may not choose.
    ours = threading.current_thread() is threading.main_thread()
    taken = {number: handler for number, handler in handlers.items() if ours and handler not in (None, signal.SIG_IGN)}
    try:
        for number in taken:
            signal.signal(number, stop)
        yield
    except Exception:
        # numpy, interrupted while it is imported, makes an error of its own of it.
        if stopped:
            raise stopped[0] from None
        raise
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


def _drop_unwritable() -> None:
    """What is buffered for a stdout that takes nothing more would raise again at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    """One line on stderr, unless that is closed."""
    if sys.stderr is not None:
        print(f"convviz: {' '.join(text.split())}", file=sys.stderr)


def _complain(problem: Problem) -> int:
    _say(str(problem))
    if problem.kind is not ProblemKind.BUG:
        return YOUR_MISTAKE
    if sys.stderr is not None:
        print(problem.detail, file=sys.stderr)
    return OUR_BUG


# ------------------------------------------------------------------------------------------------------ the parser


def _parser(words: list[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="convviz", description="Look inside trained image networks, from the command line.")
    parser.add_argument("--version", action="version", version=f"ConvViz {convviz_gui.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    models = commands.add_parser("models", help="list the networks that can be opened")
    models.add_argument("--search", metavar="TEXT", default="", help="only those whose name contains TEXT")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=_models)

    layers = commands.add_parser("layers", help="list a network's layers")
    _add_model_options(layers)
    layers.set_defaults(command=_layers)

    run = commands.add_parser("run", help="run a method and write its result into a folder")
    # Only `run` needs the methods, and with them torch.
    if words[:1] == ["run"]:
        _add_methods(run)

    tour = commands.add_parser("tour", help="drive the window through every tab on the demo, saving pictures")
    tour.add_argument("--out", metavar="DIR", type=_name, required=True, help="the folder to write into")
    tour.set_defaults(command=_tour)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="M", required=True, help="demo, torchvision:NAME or timm:NAME")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--weights", metavar="FILE", type=_name, help="safetensors, or a state dict saved by PyTorch")
    source.add_argument("--pretrained", action="store_true", help="download the library's own weights")
    parser.add_argument("--device", default="auto", metavar="D", help="auto (the default), cpu, cuda or mps")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _name(text: str) -> str:
    """An unset variable of a shell must not mean the current folder; a manifest can hold Unicode only."""
    if not text:
        raise argparse.ArgumentTypeError("an empty text names nothing")
    shown = text.encode("utf-8", "replace").decode()
    if shown != text:
        raise argparse.ArgumentTypeError(f"{shown!r} is not valid Unicode: rename it first")
    return text


def _add_methods(run: argparse.ArgumentParser) -> None:
    from convviz_gui.engine.method import methods

    choices = run.add_subparsers(metavar="METHOD", required=True, parser_class=_Parser, dest="method")
    for name, method in methods().items():
        info = method.info()
        parser = choices.add_parser(name, help=info.title, description=info.summary, epilog=info.reference)
        _add_model_options(parser)
        parser.add_argument(
            "--image", metavar="FILE", type=_name, nargs="+", action="extend", default=[], help="pictures"
        )
        parser.add_argument("--folder", metavar="DIR", type=_name, help="a folder of pictures; sub-folders are labels")
        parser.add_argument("--layer", metavar="ID", type=_name, help="a layer as `convviz layers` lists it")
        parser.add_argument("--channels", metavar="LIST", help="like 0,3,8-15, or 'first 64', or all")
        parser.add_argument(
            "--class", metavar="N", dest="class_index", type=int, help="class index; else the top class"
        )
        parser.add_argument("--seed", metavar="N", type=int, default=0, help="same seed, same result")
        parser.add_argument("--out", metavar="DIR", type=_name, required=True, help="the folder to write into")
        for spec in info.specs:
            _add_setting(parser, spec)
        parser.set_defaults(command=_run, info=info)


def _add_setting(parser: argparse.ArgumentParser, spec: Spec) -> None:
    unit = f" {spec.unit}" if spec.unit else ""
    text = f"{spec.label}: {spec.help} ({spec.accepts()}; default {spec.default}{unit})".replace("%", "%%")
    parser.add_argument(spec.flag, metavar="VALUE", dest=f"setting_{spec.name}", help=text)


# ---------------------------------------------------------------------------------------------------- the commands


def _models(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.models import search_models

    entries = search_models(options.search)
    if options.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1))
    elif not entries:
        raise EngineError(f"No network's name contains {options.search!r}", "Try a shorter text, such as resnet")
    else:
        print("\n".join(entry.source for entry in entries))
    return DONE


def _spec(options: argparse.Namespace) -> ModelSpec:
    return ModelSpec(options.model, options.weights, options.pretrained)


def _layers(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.console import Console

    info = Console().open(_spec(options), options.device)
    if options.json:
        print(json.dumps([_layer_facts(node) for node in info.layers() if node.id], indent=1))
        return DONE
    print(f"{info.name} · {info.weights} · {info.n_params:,} parameters · input {info.preprocess.size}")
    rows = [(node.id, node.kind, _shape(node), f"{node.n_params:,}") for node in info.layers() if node.id]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for layer, kind, shape, params in rows:
        print(f"{layer:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {params:>{widths[3]}}")
    return DONE


def _layer_facts(node: LayerNode) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "shape": list(node.shape) if node.shape is not None else None,
        "channels": node.channels,
        "params": node.n_params,
        "depth": node.depth,
    }


def _shape(node: LayerNode) -> str:
    return "×".join(str(size) for size in node.shape) if node.shape is not None else "–"


def _run(options: argparse.Namespace, words: list[str]) -> int:
    from convviz_gui.engine.console import Console, Order

    info: MethodInfo = options.info
    order = Order(
        method=info.name,
        settings=_settings(info, options),
        layer=options.layer,
        class_index=options.class_index,
        channels=options.channels,
        images=tuple(options.image),
        folder=options.folder,
        seed=options.seed,
    )
    if order.channels is not None:
        parse_channels(order.channels)
    console = Console()
    console.open(_spec(options), options.device)
    facts = console.run(info, order, options.out, ["convviz", *words])
    for item in facts["skipped"]:
        _say(f"left out {item['path']}: {item['reason']}")
    print(json.dumps(facts, indent=1) if options.json else f"Wrote {len(facts['files']) + 1} files to {options.out}")
    return DONE


def _settings(info: MethodInfo, options: argparse.Namespace) -> Settings:
    written = {spec.name: getattr(options, f"setting_{spec.name}") for spec in info.specs}
    return tuple((spec.name, spec.parse(written[spec.name])) for spec in info.specs if written[spec.name] is not None)


def _tour(options: argparse.Namespace, _words: list[str]) -> int:
    # A process of its own: the command line imports no Qt.
    out = str(Path(options.out))
    with subprocess.Popen([sys.executable, "-m", "convviz_gui.tour", "--out", out]) as tour:
        try:
            code = tour.wait()
        except KeyboardInterrupt:
            tour.terminate()
            raise
    return code if code >= 0 else STOPPED - code


if __name__ == "__main__":
    sys.exit(main())
