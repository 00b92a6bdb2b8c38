"""`convviz layers`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from convviz_gui.cli.model_options import add_model_options, load_command
from convviz_gui.cli.terminal import DONE
from convviz_gui.engine.types import LayerNode


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_model_options(parser)
    parser.set_defaults(command=_layers)


def _layers(options: argparse.Namespace, _words: list[str]) -> int:
    from convviz_gui.engine.console import Console

    info = Console().open(load_command(options))
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
