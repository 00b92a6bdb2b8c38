"""Recognise the state dict of every torchvision network and of one timm network of every family, in three forms.

``python -m tests.benchmarks.recognition`` prints what was not recognised at the first place, and counts. The forms are
as torch.save keeps them (module paths beside the tensors), as safetensors keep them (names and shapes alone), and as
trainers do (a prefix, 10 classes). Recognised at the first place means: of that network or, without module paths, of
one with the same tensors.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections import Counter, OrderedDict
from pathlib import Path

import timm
import torch
from timm.models import model_entrypoint

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.comparison import outline
from convviz_gui.engine.opening.recognition import candidates
from convviz_gui.engine.opening.weights import Checkpoint
from convviz_gui.engine.types import Candidates
from convviz_gui.engine.zoo import torchvision_zoo
from convviz_gui.engine.zoo.architecture import State
from convviz_gui.engine.zoo.catalogue import find

FORMS = ("torch.save", "safetensors", "checkpoint")


def main() -> None:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    counts: Counter[str] = Counter()
    slowest = (0.0, "")
    sources = [source for source in all_sources() if options.only in source]
    for source in sources:
        for form in FORMS:
            began = time.process_time()
            found = recognise(state_of(source, form))
            slowest = max(slowest, (time.process_time() - began, f"{source} as {form}"))
            models = [candidate.model for candidate in found.candidates if candidate.fits]
            first = models[:1] == [source]
            counts[form] += first or (form != "torch.save" and source in models)
            if not first:
                print(f"{source} as {form}: {', '.join(models[:4]) or 'not recognised'}", flush=True)
    print(f"{len(sources)} networks; at the first place, or with the same tensors as the first: {dict(counts)}")
    print(f"slowest: {slowest[0]:.2f} s of processor time for {slowest[1]}")


def all_sources() -> list[str]:
    """Every torchvision network, and the one with the shortest name of every file of timm's."""
    families: dict[str, str] = {}
    for name in sorted(timm.list_models(), key=lambda name: (len(name), name)):
        families.setdefault(model_entrypoint(name).__module__, name)
    return [
        *(torchvision_zoo.PREFIX + name for name in torchvision_zoo.names()),
        *map("timm:{}".format, families.values()),
    ]


def state_of(source: str, form: str) -> State:
    """A network's state dict without values, in one of `FORMS`."""
    n_classes = 10 if form == "checkpoint" else None
    with torch.no_grad():
        state = outline(find(source), n_classes).state_dict()
    if form == "torch.save":
        return state
    prefix = "module.model." if form == "checkpoint" else ""
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def recognise(state: State) -> Candidates:
    """What the state dict may be of."""
    steps = candidates(Checkpoint(state), Path("weights.pth"))
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        found: Candidates = stop.value
    except EngineError as error:
        print(error)
        return Candidates("", ())
    return found


if __name__ == "__main__":
    main()
