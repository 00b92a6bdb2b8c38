"""`convviz models`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from convviz_gui.cli.terminal import DONE, name
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.names import close_names, did_you_mean
from convviz_gui.engine.zoo import index
from convviz_gui.engine.zoo.index import ModelEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from convviz_gui.engine.types import Candidate

_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "--search", metavar="TEXT", default="", help="every word of TEXT is in name, family, library or licence"
    )
    parser.add_argument("--family", metavar="F", help="of this group, such as resnet")
    parser.add_argument(
        "--max-params", metavar="N", type=_number, help="with at most so many parameters, such as 25M or 1.5B"
    )
    parser.add_argument("--input-size", metavar="N", type=int, help="whose input has N pixels on its longer side")
    parser.add_argument("--licence", "--license", metavar="TEXT", help="whose weights' licence has TEXT in its name")
    parser.add_argument("--downloaded", action="store_true", help="whose published weights are on this machine")
    parser.add_argument("--pretrained", action="store_true", help="that have published weights")
    parser.add_argument("--weights", metavar="FILE", type=name, help="that the weights in FILE may be of, best first")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_models)


def _number(text: str) -> int:
    """25M, 1.5B, 300k or 25000000."""
    digits, unit = text[:-1], _UNITS.get(text[-1:].lower(), 0)
    try:
        found = float(digits) * unit if unit else int(text)
        number = int(found)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number such as 25M, 1.5B, 300k or 25000000") from None
    if number < 0:
        raise argparse.ArgumentTypeError("a network has no fewer than 0 parameters")
    return number


def _models(options: argparse.Namespace, _words: list[str]) -> int:
    if options.weights is not None:
        return _of_weights(options)
    here = index.downloaded()
    found = [entry for entry in index.search(options.search) if all(test(entry) for test in _tests(options, here))]
    if options.json:
        # A line each: with indentation json is ten times slower, which shows with 3,000 of them.
        lines = (json.dumps(_known(entry) | {"downloaded": entry.source in here}) for entry in found)
        print("[" + ",\n ".join(lines) + "]")
    elif not found:
        raise _nothing(options)
    else:
        from convviz_gui.cli.model_lines import model_lines

        print("\n".join(model_lines(found, here)))
    return DONE


def _tests(options: argparse.Namespace, here: frozenset[str]) -> list[Callable[[ModelEntry], bool]]:
    """What each option asks of a network."""
    tests: list[Callable[[ModelEntry], bool]] = []
    if options.family is not None:
        _check_family(options.family)
        tests.append(lambda entry: entry.family == options.family.lower())
    if options.max_params is not None:
        tests.append(lambda entry: entry.params <= options.max_params)
    if options.input_size is not None:
        tests.append(lambda entry: entry.input_size == options.input_size)
    if options.licence is not None:
        tests.append(lambda entry: options.licence.lower() in entry.licence.lower())
    if options.downloaded:
        tests.append(lambda entry: entry.source in here)
    if options.pretrained:
        tests.append(lambda entry: entry.pretrained)
    return tests


def _check_family(family: str) -> None:
    known = sorted({entry.family for entry in index.entries()})
    if family.lower() not in known:
        hint = did_you_mean(close_names(family.lower(), known), "Search for it instead: convviz models --search TEXT")
        raise EngineError(f"There is no family of networks called {family!r}", hint)


def _nothing(options: argparse.Namespace) -> EngineError:
    narrowing = (options.family, options.max_params, options.input_size, options.licence)
    if any(value is not None for value in narrowing) or options.downloaded or options.pretrained:
        return EngineError("No network fits all of these options", "Leave one out, or search for a shorter text")
    title = f"No network's name, family, library or licence has {options.search!r}"
    return EngineError(title, "Try a shorter text, such as resnet")


def _of_weights(options: argparse.Namespace) -> int:
    asked = vars(options)
    others = ("family", "max_params", "input_size", "licence")
    if options.search or options.downloaded or options.pretrained or any(asked[key] is not None for key in others):
        raise EngineError("--weights lists the networks that one file may be of", "Add no option to it but --json")
    from convviz_gui.engine.console import Console

    found = Console().identify(options.weights)
    if options.json:
        print(json.dumps([_facts(candidate) for candidate in found.candidates], indent=1))
    elif not found.candidates:
        raise EngineError(
            f"No network that ConvViz knows has tensors like those in {options.weights}",
            "Open it with the code that made it: --model FILE.py:FACTORY",
        )
    else:
        from convviz_gui.cli.model_lines import candidate_lines

        print("\n".join(candidate_lines(found.candidates)))
    return DONE


def _known(entry: ModelEntry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def _facts(candidate: Candidate) -> dict[str, Any]:
    return asdict(candidate) | {
        "mismatched": [
            {"name": tensor, "expected": expected, "found": there} for tensor, expected, there in candidate.mismatched
        ]
    }
