"""The options that say which network to open, and how."""

from __future__ import annotations

import argparse

from convviz_gui.cli.terminal import name
from convviz_gui.engine.types import LoadModel, ModelSpec


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which network, shared by all commands that open one."""
    parser.add_argument("--model", metavar="M", required=True, help="demo, torchvision:NAME or timm:NAME")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--weights", metavar="FILE", type=name, help="safetensors, or a state dict saved by PyTorch")
    source.add_argument("--pretrained", action="store_true", help="download the library's own weights")
    parser.add_argument("--device", default="auto", metavar="D", help="auto (the default), cpu, cuda or mps")
    parser.add_argument("--json", action="store_true", help="print JSON")


def load_command(options: argparse.Namespace) -> LoadModel:
    """What the options ask for."""
    return LoadModel(ModelSpec(options.model, options.weights, options.pretrained), options.device)
