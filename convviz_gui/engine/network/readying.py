"""A network made ready to be looked into, or the sentence that says why it cannot be."""

from __future__ import annotations

import inspect
import sysconfig
import traceback
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

import convviz_gui
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.wrappers import on_one_device, unwrapped
from convviz_gui.engine.types import Finding, Level, Preprocess

LAYOUTS = (torch.channels_last, torch.contiguous_format)
"""The layout in which convolutions are fastest, and the one that some networks insist on (`x.view(len(x), -1)`)."""

_HALVES = (torch.float16, torch.bfloat16)


def made_ready(
    module: nn.Module, device: torch.device, layout: torch.memory_format = torch.channels_last
) -> tuple[nn.Module, tuple[Finding, ...]]:
    """The network itself, in eval mode on the device, no parameter requiring a gradient; and what was done for that.

    Wrappers around it are taken off. Weights of half precision become float32, which holds their values exactly.
    Called a second time, it finds nothing more to do.

    Raises:
        EngineError: its forward needs more than a picture, or `module` is no network that could be looked into.
    """
    module, wrappers = unwrapped(module)
    _check_kind(module)
    _check_inputs(module)
    _check_sizes(module)
    flags = [parameter.requires_grad for parameter in module.parameters()]
    # Not in one chain: a `train` of the user's own often returns nothing.
    module.eval()
    module.requires_grad_(False)
    halves = _to_float32(module)
    module.to(device)
    lay_out(module, layout)
    return module, (*wrappers, *on_one_device(module), *halves, *_frozen(flags))


def lay_out(module: nn.Module, layout: torch.memory_format) -> None:
    """Bring a network's weights into a memory layout; their values stay."""
    if not any(tensor.ndim == 5 for tensor in (*module.parameters(), *module.buffers())):
        module.to(memory_format=layout)


def _check_kind(module: object) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        title = "A TorchScript program's layers cannot be looked into"
        raise EngineError(title, "Open the network from before it was scripted or traced")
    if not isinstance(module, nn.Module):
        title = f"A network is a torch.nn.Module, not a {type(module).__name__}"
        raise EngineError(title, "Put what it computes into a module's forward")


def _check_inputs(module: nn.Module) -> None:
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):  # written in C
        return
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in several]
    if len(needed) > 1:
        raise EngineError(
            f"The network needs {len(needed)} inputs ({', '.join(needed)}), and a photo is only one",
            f"Wrap it in a module whose forward takes the picture alone and adds the rest ({', '.join(needed[1:])})",
        )


def _check_sizes(module: nn.Module) -> None:
    lazy = [path for path, part in module.named_modules() if any(map(is_lazy, part.parameters(recurse=False)))]
    if lazy:
        title = f"The sizes of {len(lazy)} layers, such as {lazy[0]!r}, are not known before the network has run once"
        raise EngineError(title, "Run it on a picture, or give its weights: then their sizes are known")


def _to_float32(module: nn.Module) -> tuple[Finding, ...]:
    found = {tensor.dtype for tensor in (*module.parameters(), *module.buffers()) if tensor.dtype in _HALVES}
    if not found:
        return ()
    module._apply(_whole)  # type: ignore[no-untyped-call]
    names = " and ".join(sorted(str(dtype).removeprefix("torch.") for dtype in found))
    detail = "It computes in float32, which holds these values exactly"
    return (Finding("precision", Level.HANDLED, f"The weights are {names}", detail),)


def _whole(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in _HALVES else tensor


def _frozen(flags: list[bool]) -> tuple[Finding, ...]:
    frozen = flags.count(False)
    if frozen in (0, len(flags)):
        return ()
    detail = "Gradients with respect to the picture go through them all the same"
    return (Finding("frozen", Level.FACT, f"{frozen} of {len(flags)} parameters were frozen", detail),)


def refusal(error: Exception, preprocess: Preprocess) -> EngineError:
    """Why a network's forward pass failed, in a sentence with the place in the user's code."""
    size = f"{preprocess.channels}×{preprocess.size[0]}×{preprocess.size[1]}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = f"{type(error).__name__}: {lines[0][:300]}".rstrip(".") if lines else type(error).__name__
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}: " if own else ""
    hint = "Check the input's size and channels in the preprocessing, or mend the network's forward"
    if isinstance(error, ModuleNotFoundError):
        hint = "Put imports of files beside it at the top of the file: in a forward pass they are not found"
    refused = EngineError(f"The network cannot take an input of {size} ({place}{said})", hint)
    refused.detail = "".join(traceback.format_exception(error))
    return refused


def _is_users(file: str) -> bool:
    ours = str(Path(convviz_gui.__file__).parent)
    known = [sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")]
    return not file.startswith("<") and not any(Path(file).is_relative_to(place) for place in (ours, *known))
