"""Networks as users have them: opened, looked into by every method, and left as they were."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import methods
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Level, ModelInfo, Preprocess, Result, Run, Target
from tests.engine import nasty as nets
from tests.engine.nasty import NASTY, nasty
from tests.engine.test_methods import QUICK, finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net

BIG = "3,000 modules"
REFUSED = {
    **{
        (method, name): "finite" if name == "NaN" else "differentiably"
        for method in ("filters", "filters-fourier", "filters-maco")
        for name in ("no_grad backbone", "no_grad", "inference mode", "NaN")
    },
    ("ablation", "NaN"): "NaN",
    ("switch-off", "NaN"): "NaN",
    ("occlusion", "NaN"): "NaN",
    ("grad-cam", "overwriting"): "in place",
    ("grad-cam", "no_grad"): "differentiably",
    ("grad-cam", "inference mode"): "differentiably",
    ("grad-cam", "NaN"): "NaN",
    ("grad-cam", "no maps"): "no layer with maps",
    **{
        ("cam", name): "needs class scores made by"
        for name in ("branching", "buffers only", "dense", "no maps", "view")
    },
    **{
        (method, name): word
        for method in ("grad-cam-pp", "layer-cam", "xgrad-cam", "film-strip")
        for name, word in {
            "overwriting": "in place",
            "no_grad": "differentiably",
            "inference mode": "differentiably",
        }.items()
    },
    **{
        (method, "no maps"): "no layer with maps"
        for method in ("grad-cam-pp", "layer-cam", "xgrad-cam", "score-cam", "eigen-cam", "film-strip")
    },
    **{
        (method, "NaN"): "NaN"
        for method in ("cam", "grad-cam-pp", "layer-cam", "xgrad-cam", "score-cam", "eigen-cam", "film-strip")
    },
    **{
        (method, name): "differentiably"
        for method in (
            "saliency",
            "grad-x-input",
            "smoothgrad",
            "integrated-gradients",
            "guided-backprop",
            "deconvnet",
            "guided-grad-cam",
        )
        for name in ("no_grad backbone", "no_grad", "inference mode")
    },
    **{
        (method, name): word
        for method in ("saliency", "grad-x-input", "smoothgrad", "integrated-gradients", "guided-grad-cam")
        for name, word in {"overwriting": "in place", "NaN": "NaN"}.items()
    },
    ("guided-backprop", "NaN"): "NaN",
    ("deconvnet", "NaN"): "NaN",
    ("guided-grad-cam", "no maps"): "no layer with maps",
    ("latent", "NaN"): "NaN",
    ("transfer", "NaN"): "NaN",
    ("latent", "dense"): "classifier",
    ("latent", "buffers only"): "classifier",
    ("retrieve", "NaN"): "NaN",
    ("retrieve", "dense"): "classifier",
    ("retrieve", "buffers only"): "classifier",
    ("patches", "NaN"): "NaN",
    ("census", "NaN"): "NaN",
    ("weights", "buffers only"): "no weights",
}
"""Which method cannot look into which network, and a word of the sentence that says why. All others can."""

SIZED = Preprocess((32, 32), 32, "bilinear", (0.5,) * 3, (0.25,) * 3, "tests")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("pictures")
    for seed in range(9):
        place = root / ("ab"[seed % 2])
        place.mkdir(exist_ok=True)
        Image.fromarray(noise_picture(seed=seed).pixels).save(place / f"{seed}.png")
    return str(root)


def opened(name: str) -> tuple[Session, ModelInfo]:
    session = Session()
    return session, session.adopt(nasty(name), SIZED if name == BIG else None)


def state_of(model: nn.Module) -> dict[str, Any]:
    """Everything of a network that a method could leave behind."""
    hooks = [
        (path, kind, list(vars(part)[kind].items()))
        for path, part in model.named_modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    ]
    tensors = (*model.named_parameters(), *model.named_buffers())
    return {
        "hooks": hooks,
        "flags": [(path, part.training, type(part), id(part)) for path, part in model.named_modules()],
        "tensors": [
            (key, id(value), value.requires_grad, value._version, value.grad is None) for key, value in tensors
        ],
        "grad mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "stance": torch._dynamo.eval_frame._stance.stance,
        "function modes": torch._C._len_torch_function_stack(),
    }


def request_for(method: str, info: ModelInfo, folder: str) -> Run:
    needs = methods()[method].info().needs
    settings = dict(QUICK.get(method, ()))
    if "size" in settings:
        settings |= {"size": max(info.preprocess.size)} | ({"crop": 2} if method == "filters" else {})
    return Run(
        method,
        # So deep a layer takes a minute to climb.
        Target("blocks.5.0" if info.find("blocks.700") else None, (0, 3)) if "channels" in needs else Target(),
        noise_picture() if "image" in needs else None,
        folder if "folder" in needs else None,
        tuple(settings.items()),
    )


@pytest.mark.parametrize("name", sorted(NASTY))
def test_every_method_works_or_says_why(name: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    session, info = opened(name)
    if name == BIG:  # opened once: it takes seconds
        _check_big(session, info)
    before = state_of(session.model)
    assert not any(flag[1] for flag in before["flags"])
    for method in methods():
        refused = REFUSED.get((method, name))
        if refused is None:
            result = finish(session, request_for(method, info, folder))
            assert isinstance(result.payload, methods()[method].payload)
        else:
            with pytest.raises(EngineError, match=refused) as caught:
                finish(session, request_for(method, info, folder))
            assert caught.value.hint
        assert state_of(session.model) == before, method
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", sorted(NASTY.keys() - {BIG, "NaN", "lazy"}))
def test_class_scores_are_those_of_the_network_itself(name: str) -> None:
    """Against a copy of the network that nothing has been done to but `eval`."""
    twin = _inside(nasty(name))
    twin.eval()
    session, info = opened(name)
    picture = noise_picture()
    x, _ = session.input(picture)
    kind = next((tensor.dtype for tensor in twin.parameters()), torch.float32)
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        expected = logits_of(twin(x.contiguous().to(kind)))[0].float()
    got = finish(session, Run("overview", image=picture)).payload.logits
    loose = kind in (torch.float16, torch.bfloat16)
    np.testing.assert_allclose(got, expected.numpy(), atol=2e-2 if loose else 1e-5, rtol=0)
    assert info.n_classes == max(len(got), 2)


def _inside(net: Any) -> Any:
    while type(net).__name__ in ("DataParallel", "OptimizedModule"):
        net = net.module if isinstance(net, nn.DataParallel) else net._orig_mod
    return net


@pytest.mark.parametrize(
    "name", ["functional only", "in-place everything", "dict", "named tuple", "dataclass", "by name"]
)
def test_a_convolution_shows_what_it_gives_and_not_what_became_of_it(name: str) -> None:
    session, _ = opened(name)
    model: Any = session.model
    layer = "backbone.conv1" if name == "dataclass" else "conv1"
    x, _ = session.input(noise_picture())
    conv = model.get_submodule(layer)
    expected = F.conv2d(x, conv.weight, conv.bias, padding=1)[0]
    payload = finish(session, Run("activations", Target(layer), noise_picture())).payload
    np.testing.assert_allclose(payload.maps, expected.numpy(), atol=1e-5)
    assert payload.maps.min() < 0


@pytest.mark.parametrize(
    "name", ["in-place everything", "dict", "tuple", "named tuple", "dataclass", "float64", "no_grad backbone"]
)
def test_grad_cam_equals_finite_differences(name: str) -> None:
    """The weight of each channel: how much the score grows if the whole channel does."""
    session, info = opened(name)
    assert info.default_map_layer is not None
    result = finish(session, Run("grad-cam", Target(class_index=2), noise_picture()))
    module = session.model.get_submodule(info.default_map_layer.partition("#")[0])
    call = int(info.default_map_layer.partition("#")[2] or 1)
    x, _ = session.input(noise_picture())
    maps, weights = _by_differences(session.model.double(), module, call, x.double())
    expected = (weights[:, None, None] * maps).sum(0)
    np.testing.assert_allclose(result.payload.raw, expected.numpy(), atol=1e-4 * float(expected.abs().max()))


def _by_differences(model: nn.Module, module: nn.Module, call: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """A call's maps [C, h, w], and the slope of class 2's score along each channel, per position."""
    step, calls, seen = 1e-5, 0, []

    def shift(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != call:
            return None
        maps = output["maps"] if isinstance(output, dict) else output
        seen.append(maps.clone())
        moved = maps + by.view(1, -1, 1, 1)
        return {**output, "maps": moved} if isinstance(output, dict) else moved

    handle = module.register_forward_hook(shift)
    slopes = []
    by = torch.zeros(8, dtype=torch.float64)
    with torch.no_grad():
        for channel in range(8):
            scores = []
            for sign in (1, -1):
                by, calls = torch.zeros(8, dtype=torch.float64), 0
                by[channel] = sign * step
                scores.append(float(logits_of(model(x))[0, 2]))
            slopes.append((scores[0] - scores[1]) / (2 * step))
    handle.remove()
    return (seen[0] + seen[1])[0] / 2, torch.tensor(slopes, dtype=torch.float64) / seen[0][0, 0].numel()


# ------------------------------------------------------------------------------------------------ what is said


def kinds(info: ModelInfo) -> dict[str, Level]:
    return {finding.kind: finding.level for finding in info.health}


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("DataParallel", "wrappers", Level.HANDLED),
        ("compiled", "wrappers", Level.HANDLED),
        ("compiled inside", "wrappers", Level.HANDLED),
        ("DataParallel inside", "wrappers", Level.HANDLED),
        ("averaged", "wrappers", Level.HANDLED),
        ("half", "precision", Level.HANDLED),
        ("frozen backbone", "frozen", Level.FACT),
        ("dict", "outputs", Level.HANDLED),
        ("dense", "dense", Level.HANDLED),
        ("NaN", "nan", Level.WARNING),
        ("no_grad", "no-gradient", Level.WARNING),
        ("grey", "preprocessing", Level.WARNING),
    ],
)
def test_what_was_found_is_in_the_health_report(name: str, kind: str, level: Level) -> None:
    _, info = opened(name)
    assert kinds(info)[kind] is level


def test_a_sound_network_with_its_preprocessing_given_has_none_of_it() -> None:
    info = Session().adopt(nets.Plain(), SIZED)
    assert not kinds(info).keys() & {"wrappers", "precision", "frozen", "outputs", "dense", "nan", "preprocessing"}


def test_the_dictionary_member_that_holds_the_scores_is_named() -> None:
    _, info = opened("dict")
    assert any("taken from out" in finding.detail for finding in info.health)


def test_two_inputs_are_refused_with_a_way_out() -> None:
    with pytest.raises(EngineError, match="needs 2 inputs \\(x, meta\\)") as caught:
        Session().adopt(nets.TwoInputs(), SIZED)
    assert "meta" in caught.value.hint


def test_what_is_no_network_is_refused() -> None:
    for thing in (torch.jit.script(nn.Sequential(nn.Conv2d(3, 3, 3))), nets.Plain().state_dict(), None):
        with pytest.raises(EngineError) as caught:
            Session().adopt(thing, SIZED)  # type: ignore[arg-type]
        assert caught.value.hint


def test_a_head_without_classes_is_refused() -> None:
    with pytest.raises(EngineError, match="has no classes"):
        Session().adopt(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(0)), SIZED)


class Failing(nets.Plain):
    def forward(self, x: Tensor) -> Any:
        return self.head(super().features(x))


def test_a_forward_pass_that_fails_is_said_with_its_place() -> None:
    session = Session()
    with pytest.raises(
        EngineError, match=r"3×32×32 \(test_nasty.py, line \d+: RuntimeError: .*mat1 and mat2"
    ) as caught:
        session.adopt(Failing(), SIZED)
    assert "preprocessing" in caught.value.hint
    assert "Traceback" in caught.value.detail


# ---------------------------------------------------------------------------------------------------- adopting


def test_adopting_takes_the_network_itself_and_says_so_in_flags_alone() -> None:
    net = nets.InPlaceEverything().train()
    values = copy.deepcopy(net.state_dict())
    parts = [id(part) for part in net.modules()]
    session = Session()
    session.adopt(net)
    assert session.model is net
    assert [id(part) for part in net.modules()] == parts
    assert not any(part.training for part in net.modules())
    assert not any(parameter.requires_grad for parameter in net.parameters())
    for name, value in net.state_dict().items():
        assert torch.equal(value, values[name]), name


def test_the_users_own_hooks_stay_and_count() -> None:
    session, _ = opened("own hooks")
    model: Any = session.model
    assert len(model.conv2._forward_hooks) == 1
    x, _ = session.input(noise_picture())
    with torch.no_grad():
        before = model.pool(model.relu(model.bn1(model.conv1(x))))
        plain = F.conv2d(before, model.conv2.weight, model.conv2.bias, padding=1)[0]
    maps = finish(session, Run("activations", Target("conv2"), noise_picture())).payload.maps
    np.testing.assert_allclose(maps, 2 * plain.numpy(), atol=1e-5)


def test_every_call_of_a_reused_module_is_a_layer() -> None:
    session, info = opened("one ReLU ten times")
    assert [node.id for node in info.layers() if node.kind == "ReLU"] == [f"relu#{i}" for i in range(1, 11)]
    shapes = {
        layer: finish(session, Run("activations", Target(layer), noise_picture())).payload.maps.shape
        for layer in ("relu#1", "relu#10")
    }
    assert shapes == {"relu#1": (6, 32, 32), "relu#10": (8, 16, 16)}


def test_layers_of_compiled_parts_can_be_seen_and_stay_compiled() -> None:
    session, info = opened("compiled inside")
    assert info.find("first._orig_mod.0#1") is not None
    model: Any = session.model
    assert type(model.first).__name__ == "OptimizedModule"
    assert model.conv2._compiled_call_impl is not None
    payload = finish(session, Run("activations", Target("first._orig_mod.0#2"), noise_picture())).payload
    assert isinstance(payload.maps, np.ndarray)


def test_what_is_random_in_training_is_not_here() -> None:
    session, _ = opened("train mode")
    first, second = (finish(session, Run("overview", image=noise_picture())).payload.logits for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_network_that_insists_on_the_plain_layout_gets_it() -> None:
    session, info = opened("view")
    assert info.preprocess.size == (32, 32)
    assert all(parameter.is_contiguous() for parameter in session.model.parameters())
    session, _ = opened("functional only")
    assert session.model.get_submodule("conv2").weight.is_contiguous(memory_format=torch.channels_last)


def test_layers_that_never_make_maps_are_shown_as_vectors() -> None:
    session, info = opened("no maps")
    assert info.default_map_layer is None
    result = finish(session, Run("activations", image=noise_picture()))
    assert result.payload.maps.shape[1:] == (1, 1)
    assert dict(info.cannot)["grad-cam"] == "This network has no layer with maps"


def test_a_picture_in_four_channels_leaves_the_fourth_at_its_mean(folder: str) -> None:
    session, info = opened("four channels")
    assert info.preprocess.channels == 4
    x, _ = session.input(noise_picture())
    assert x.shape[1] == 4
    assert not x[:, 3].any()
    assert x[:, :3].any()
    result: Result = finish(session, request_for("filters", info, folder))
    assert result.payload.images.shape[-1] == 3


def _check_big(session: Session, info: ModelInfo) -> None:
    assert sum(1 for _ in info.root.walk()) == 3000
    maps = finish(session, Run("activations", Target("blocks.700.0"), noise_picture())).payload.maps
    assert maps.shape == (4, 2, 2)


def test_a_layer_that_a_method_does_not_ask_for_opens_no_way_round_its_reason() -> None:
    session, info = opened("inference mode")
    for method in ("film-strip", "saliency", "integrated-gradients"):
        assert dict(info.cannot)[method]
        with pytest.raises(EngineError, match="differentiably"):
            finish(session, Run(method, Target("conv1"), noise_picture()))


def test_a_network_without_maps_cannot_be_asked_in_every_layer() -> None:
    session, _ = opened("no maps")
    with pytest.raises(EngineError, match="maps to ask"):
        finish(session, Run("ask", image=noise_picture(), settings=(("layers", "every layer"),)))


def test_the_session_goes_on_after_a_refusal() -> None:
    session, info = opened("dict")
    with pytest.raises(EngineError):
        session.adopt(nets.TwoInputs(), SIZED)
    assert session.info is info
    finish(session, Run("overview", image=noise_picture()))


class _InPlace(nn.Module):
    """Prepares its input itself, in place or not."""

    def __init__(self, *, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place
        self.net = tiny_net()

    def forward(self, x: Tensor) -> Any:
        return self.net(x.mul_(1.5).sub_(0.3) if self.in_place else x * 1.5 - 0.3)


@pytest.mark.parametrize("method", ["grad-cam", "eigen-cam", "smoothgrad", "integrated-gradients", "occlusion"])
def test_a_network_that_works_on_its_input_in_place_does_not_change_the_photo(method: str) -> None:
    settings = {"smoothgrad": (("samples", 3),), "integrated-gradients": (("steps", 4),)}.get(method, ())
    request = Run(
        method, Target(layer="net.conv2") if "cam" in method else Target(), noise_picture(), settings=settings
    )
    found = []
    for in_place in (True, False):
        session = Session()
        session.adopt(_InPlace(in_place=in_place), PREPROCESS)
        for _ in range(2):
            payload: Any = finish(session, request).payload
            found.append(payload.heat)
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-5 * float(np.abs(found[0]).max()))
