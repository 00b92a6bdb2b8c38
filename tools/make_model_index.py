"""Write the index of every network that torchvision and timm can build: ``python tools/make_model_index.py``.

Parameters are counted on networks built without memory for their values. Needs no network; takes some ten minutes.
Run it again whenever the libraries' pins change: tests/engine/test_index.py compares the two.
"""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

import timm
import torch
import torchvision
from timm.models import get_pretrained_cfg, model_entrypoint
from torch import nn
from torchvision.models import get_model_builder

from convviz_gui.engine.demo.toynet import INPUT_SIZE, build_toynet
from convviz_gui.engine.zoo import demo_zoo, timm_zoo, torchvision_zoo
from convviz_gui.engine.zoo.architecture import Published
from convviz_gui.engine.zoo.index import HUB_FILES, INDEX

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "resources" / INDEX
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """A row of the index; `place` as in `index._files`, the rest as in `ModelEntry`."""

    name: str
    family: str
    input_size: int
    params: int
    n_classes: int
    licence: str = ""
    download: int = 0
    estimated: bool = False
    place: str = ""


def main() -> None:
    """Collect the facts and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out = parser.parse_args().out
    # timm names networks that it renamed, and weights that are another's, on every building of one.
    warnings.simplefilter("ignore")
    logging.disable()
    networks = {"ConvViz": [demo()], "torchvision": list(from_torchvision()), "timm": list(from_timm())}
    out.write_text(as_text(networks), encoding="utf-8")
    print(f"{sum(map(len, networks.values())):,} networks, {out.stat().st_size:,} bytes: {out}")


def demo() -> Facts:
    """The bundled network."""
    architecture = demo_zoo.architecture()
    params, _ = counted(build_toynet())
    return Facts(architecture.name, "toynet", INPUT_SIZE, params, architecture.n_classes, place=demo_zoo.WEIGHTS)


def from_torchvision() -> Iterator[Facts]:
    """The networks that classify images; their library knows the sizes of its files, in mebibytes."""
    for name in torchvision_zoo.names():
        weights = torchvision_zoo.weights_of(name)
        architecture = torchvision_zoo.architecture(name)
        yield Facts(
            name=name,
            family=get_model_builder(name).__module__.rpartition(".")[2],
            input_size=max(architecture.preprocess.size),
            params=weights.meta["num_params"],
            n_classes=architecture.n_classes,
            licence=weights.meta.get("license", ""),
            download=round(weights.meta["_file_size"] * MEBIBYTE),
            place=place_of(architecture.published),
        )


def from_timm() -> Iterator[Facts]:
    """Architectures and weights; the sizes of files are estimated."""
    for name in timm_zoo.names():
        config = get_pretrained_cfg(name)
        published = timm_zoo.architecture(name).published
        params, n_bytes = counted_by_timm(
            name.partition(".")[0], config.num_classes, config.input_size, config.fixed_input_size
        )
        yield Facts(
            name=name,
            family=model_entrypoint(name).__module__.rpartition(".")[2],
            input_size=max(config.input_size[1:]),
            params=params,
            n_classes=config.num_classes,
            licence=config.license if published and config.license not in (None, "unknown") else "",
            download=n_bytes if published else 0,
            estimated=published is not None,
            place=place_of(published),
        )


@cache
def counted_by_timm(name: str, n_classes: int, input_size: tuple[int, int, int], fixed: bool) -> tuple[int, int]:
    """`counted` of an architecture: its weights of other names with these same facts have the same size."""
    overlay = {"num_classes": n_classes, "input_size": input_size, "fixed_input_size": fixed}
    with torch.device("meta"):
        return counted(timm.create_model(name, pretrained_cfg_overlay=overlay))


def counted(module: nn.Module) -> tuple[int, int]:
    """Number of parameters, and bytes of the state dict."""
    state = module.state_dict()
    return sum(parameter.numel() for parameter in module.parameters()), sum(value.nbytes for value in state.values())


def place_of(published: Published | None) -> str:
    """Where the weights lie in their cache, as in `index._files`."""
    if published is None:
        return ""
    if not published.repository:
        return PurePosixPath(urlparse(published.url).path).name
    return published.repository + ("" if published.files == HUB_FILES else f"#{published.files[0]}")


def as_text(networks: dict[str, list[Facts]]) -> str:
    """JSON with a line for each network, so that a change shows what changed."""
    everything = [facts for rows in networks.values() for facts in rows]
    families = sorted({facts.family for facts in everything})
    licences = sorted({facts.licence for facts in everything})

    def row(facts: Facts) -> list[Any]:
        family, licence = families.index(facts.family), licences.index(facts.licence)
        numbers = [facts.input_size, facts.params, facts.n_classes, licence, facts.download, int(facts.estimated)]
        return [facts.name, family, *numbers, facts.place]

    libraries = ",\n".join(
        f'"{library}": [\n' + ",\n".join(json.dumps(row(facts), separators=(",", ":")) for facts in rows) + "\n]"
        for library, rows in networks.items()
    )
    versions = {"torchvision": torchvision.__version__.partition("+")[0], "timm": timm.__version__}
    head = {"versions": versions, "families": families, "licences": licences}
    return json.dumps(head)[:-1] + ', "networks": {\n' + libraries + "\n}}\n"


if __name__ == "__main__":
    main()
