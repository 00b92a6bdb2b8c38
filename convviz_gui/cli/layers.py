"""`convviz layers`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from convviz_gui.cli.model_options import add_model_options, load_command
from convviz_gui.cli.terminal import DONE
from convviz_gui.engine.errors import one_line
from convviz_gui.engine.types import LayerNode, Level, ModelInfo

_LEVELS = {Level.WARNING: "warning", Level.HANDLED: "handled", Level.FACT: "note"}


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model_options(parser)
    parser.add_argument("--report", action="store_true", help="what was found on opening it, and what applies to it")
    parser.set_defaults(command=_layers)


def _layers(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.console import Console

    info = Console().open(load_command(options))
    if options.report:
        _print_report(info, as_json=options.json)
        return DONE
    if options.json:
        print(json.dumps([_layer_facts(node) for node in info.layers() if node.id], indent=1))
        return DONE
    print(_heading(info))
    rows = [(node.id, node.kind, _shape(node), f"{node.n_params:,}", _sees(node)) for node in info.layers() if node.id]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for layer, kind, shape, params, sees in rows:
        line = f"{layer:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {params:>{widths[3]}}  {sees}"
        print(one_line(line.rstrip()))
    return DONE


def _heading(info: ModelInfo) -> str:
    return one_line(f"{info.name} · {info.weights} · {info.n_params:,} parameters · input {info.preprocess.size}")


def _print_report(info: ModelInfo, *, as_json: bool) -> None:
    """The health report: what was found, worst first, and why a method does not apply."""
    from convviz_gui.engine.method import methods

    cannot = dict(info.cannot)
    reasons = {name: cannot.get(name, "") for name in methods()}
    if as_json:
        findings = [dataclasses.asdict(finding) for finding in info.health]
        print(json.dumps({"model": info.name, "health": findings, "methods": reasons}, indent=1))
        return
    print(_heading(info))
    if not info.health:
        print("\nNothing to remark.")
    for finding in info.health:
        print(f"\n{_LEVELS[finding.level]:<8}  {one_line(finding.title)}")
        if finding.detail:
            print(f"{'':<8}  {one_line(finding.detail)}")
    print()
    for name, reason in reasons.items():
        print(f"{name:<{max(map(len, reasons))}}  {reason or 'applies'}")


def _layer_facts(node: LayerNode) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "shape": list(node.shape) if node.shape is not None else None,
        "channels": node.channels,
        "params": node.n_params,
        "depth": node.depth,
        "receptive_field": dataclasses.asdict(node.receptive_field) if node.receptive_field is not None else None,
    }


def _sees(node: LayerNode) -> str:
    """How much of the picture one position sees."""
    if node.receptive_field is None:
        return ""
    rows, columns = node.receptive_field.size
    return "sees all" if node.receptive_field.whole else f"sees {rows}×{columns}"


def _shape(node: LayerNode) -> str:
    return "×".join(str(size) for size in node.shape) if node.shape is not None else "–"
