"""ToyNet's shipped weights: what they know, and that class maps and the latent space show what is true of Toybox."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.demo.folder import Planted, write_folder
from convviz_gui.engine.demo.toybox import CLASSES, Sample, samples
from convviz_gui.engine.demo.toynet import INPUT_SIZE, MEAN, STD, build_toynet
from convviz_gui.paths import resource

FRESH_SEED = 20_261_120
"""Not a seed that training draws from."""

# Ears' share of the map over their share of the area: of the picture, and of the whole face.
EARS_FACTOR = 3.0
EARS_FACTOR_AGAINST_THE_OTHER = 4.0
EARS_FACTOR_WITHIN_THE_FACE = 1.2
EARS_POINTED_AT = 0.6


@dataclass(frozen=True)
class Seen:
    """Fresh samples with the network's answers: classes [N] and Grad-CAM of the predicted class, f32 [N, 128, 128]."""

    samples: list[Sample]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    maps: NDArray[np.float32]

    @property
    def right(self) -> list[int]:
        """Positions of the correctly recognised pictures."""
        return np.flatnonzero(self.predicted == self.labels).tolist()


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def net() -> nn.Sequential:
    model = build_toynet()
    model.load_state_dict(load_file(resource("toynet.safetensors")))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def seen(net: nn.Sequential) -> Seen:
    drawn = list(samples(2000, FRESH_SEED))
    answers = [_grad_cam(net, _inputs(drawn[k : k + 50])) for k in range(0, len(drawn), 50)]
    predicted, maps = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    return Seen(drawn, np.asarray([s.label for s in drawn]), predicted, maps)


def _inputs(drawn: list[Sample]) -> Tensor:
    return _preprocess(np.stack([s.pixels for s in drawn]))


def _preprocess(pixels: NDArray[np.uint8]) -> Tensor:
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def _top_logit(logits: Tensor) -> Tensor:
    return logits.amax(1)


def _grad_cam(
    net: nn.Sequential, x: Tensor, target: Callable[[Tensor], Tensor] = _top_logit
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Top class [N] and Grad-CAM (Selvaraju et al. 2017) at the last ReLU; written apart from the engine's method."""
    position = [name for name, _ in net.named_children()].index("avg_pool")
    maps = net[:position](x).requires_grad_()
    logits = net[position:](maps)
    (gradient,) = torch.autograd.grad(target(logits).sum(), maps)
    raw = (gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).relu().detach()
    heat = F.interpolate(raw, size=x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return logits.argmax(1).numpy(), heat.numpy()


def test_the_file_is_small_plain_and_says_where_it_came_from() -> None:
    path = resource("toynet.safetensors")
    assert path.stat().st_size <= 5_000_000
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        names = set(file.keys())
    assert metadata["network"] == "toynet"
    assert metadata["classes"].split() == list(CLASSES)
    assert int(metadata["steps"]) > 0
    assert float(metadata["accuracy"]) >= 0.97
    assert all(name.split(".")[0].split("_")[-1].startswith("conv") or "classifier" in name for name in names)


def test_layers_have_readable_names_and_the_last_map_is_16_by_16(net: nn.Sequential) -> None:
    names = [name for name, _ in net.named_children()]
    assert names[:3] == ["block1_conv1", "block1_relu1", "block1_pool"]
    assert names[-3:] == ["avg_pool", "flatten", "classifier"]
    assert sum(isinstance(m, nn.MaxPool2d) for m in net) == 3
    assert all(not m.inplace for m in net if isinstance(m, nn.ReLU))
    assert net[: names.index("avg_pool")](torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE)).shape[2:] == (16, 16)


def test_at_least_97_percent_of_2000_fresh_pictures_are_recognised(seen: Seen) -> None:
    assert (seen.predicted == seen.labels).mean() >= 0.97


def test_every_class_is_recognised_and_cats_are_told_from_dogs(seen: Seen) -> None:
    for label, name in enumerate(CLASSES):
        mine = seen.labels == label
        assert (seen.predicted[mine] == label).mean() >= 0.93, name
    pets = seen.labels < 2
    assert (seen.predicted[pets] == seen.labels[pets]).mean() >= 0.97


def test_without_ears_cat_and_dog_cannot_be_told_apart_but_the_face_is_still_a_face(
    net: nn.Sequential, seen: Seen
) -> None:
    """Ears painted over with the backdrop's colour beside them: the evidence for the species goes with them."""
    pets = [s for s in seen.samples if s.ears is not None][:200]
    bare = np.stack([_without_ears(s) for s in pets])
    labels = np.asarray([s.label for s in pets])
    with_ears = net(_preprocess(np.stack([s.pixels for s in pets])))[:, :2]
    without = net(_preprocess(bare))[:, :2]
    sign = torch.from_numpy(np.where(labels == 0, 1.0, -1.0))
    margin_with = (with_ears[:, 0] - with_ears[:, 1]) * sign
    margin_without = (without[:, 0] - without[:, 1]) * sign
    assert margin_without.mean() < 0.5 * margin_with.mean()


def _without_ears(sample: Sample) -> NDArray[np.uint8]:
    assert sample.ears is not None
    bare = sample.pixels.copy()
    bare[sample.ears] = np.median(sample.pixels[~sample.mask], axis=0).astype(np.uint8)
    return bare


def test_activations_grow_sparser_with_depth(net: nn.Sequential, seen: Seen) -> None:
    """The chapter's point: deeper layers answer to fewer things. By block, over 96 pictures of all classes."""
    by_block: dict[str, list[float]] = {}
    x = _inputs(seen.samples[:96])
    for name, layer in net.named_children():
        x = layer(x)
        if "relu" in name:
            by_block.setdefault(name[:6], []).append(float((x == 0).float().mean()))
    first, second, *deep = [float(np.mean(values)) for values in by_block.values()]
    assert len(deep) == 3
    assert first < second < min(deep)
    assert min(deep) > first + 0.15


def test_the_maximum_of_grad_cam_lies_inside_the_thing(seen: Seen) -> None:
    """The pointing game (Zhang et al. 2016) on every correctly recognised picture."""
    inside = np.asarray([seen.samples[k].mask.ravel()[seen.maps[k].argmax()] for k in seen.right])
    assert np.mean(inside) >= 0.95
    for label, name in enumerate(CLASSES):
        assert inside[seen.labels[seen.right] == label].mean() >= 0.90, name


def test_the_ears_get_three_times_their_area_of_a_cats_or_dogs_map(seen: Seen) -> None:
    """Grad-CAM of the recognised species: share of the map on the ears over their share of the picture's area."""
    factors = [
        seen.maps[k][ears].sum() / seen.maps[k].sum() / ears.mean()
        for k in seen.right
        if (ears := seen.samples[k].ears) is not None
    ]
    assert len(factors) > 300
    assert np.mean(factors) >= EARS_FACTOR


def test_for_cat_against_dog_the_map_moves_to_the_ears(net: nn.Sequential, seen: Seen) -> None:
    """Grad-CAM of the difference of the two logits: what speaks for this species and not the other."""
    pets = [seen.samples[k] for k in seen.right if seen.samples[k].ears is not None]
    of_picture, of_thing, pointed = [], [], []
    for start in range(0, len(pets), 50):
        batch = pets[start : start + 50]
        for sample, heat in zip(batch, _species_map(net, batch), strict=True):
            assert sample.ears is not None
            of_picture.append(heat[sample.ears].sum() / heat.sum() / sample.ears.mean())
            of_thing.append(heat[sample.ears].sum() / heat[sample.mask].sum() / sample.ears[sample.mask].mean())
            pointed.append(sample.ears.ravel()[heat.argmax()])
    assert np.mean(of_picture) >= EARS_FACTOR_AGAINST_THE_OTHER
    assert np.mean(of_thing) >= EARS_FACTOR_WITHIN_THE_FACE
    assert np.mean(pointed) >= EARS_POINTED_AT


def _species_map(net: nn.Sequential, pets: list[Sample]) -> NDArray[np.float32]:
    labels = torch.tensor([s.label for s in pets])

    def against_the_other(logits: Tensor) -> Tensor:
        return logits.gather(1, labels[:, None]) - logits.gather(1, 1 - labels[:, None])

    return _grad_cam(net, _inputs(pets), against_the_other)[1]


def test_folding_the_batch_normalisation_keeps_the_function() -> None:
    """The training script trains with batch normalisation and ships the plain network."""
    torch.manual_seed(0)
    trained = build_toynet(batch_norm=True)
    for module in trained:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean = torch.randn(module.num_features)
            module.running_var = torch.rand(module.num_features) + 0.5
    plain = _training_script().fold(trained)
    x = torch.randn(2, 3, INPUT_SIZE, INPUT_SIZE)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain)
    torch.testing.assert_close(plain(x), trained.eval()(x), rtol=1e-4, atol=1e-4)


def _training_script() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "tools" / "train_toynet.py"
    spec = importlib.util.spec_from_file_location("train_toynet", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def latent(net: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, list[str], Tensor]:
    target: Path = tmp_path_factory.mktemp("latent") / "folder"
    planted = write_folder(target)
    paths = sorted(p.relative_to(target).as_posix() for p in target.rglob("*.jpg"))
    pixels = np.stack([np.array(Image.open(target / p)) for p in paths])
    to_pooled = net[: [name for name, _ in net.named_children()].index("classifier")]
    features = torch.cat([to_pooled(_preprocess(pixels[k : k + 50])) for k in range(0, len(pixels), 50)])
    return planted, paths, torch.cdist(features, features).fill_diagonal_(torch.inf)


def test_the_oddities_lie_far_from_their_neighbours(latent: tuple[Planted, list[str], Tensor]) -> None:
    planted, paths, distance = latent
    score = distance.topk(12, largest=False).values.mean(1)
    first = {paths[k] for k in score.argsort(descending=True)[:16].tolist()}
    assert len(first & set(planted.odd)) >= 7, json.dumps(sorted(first))


def test_the_wrong_labels_disagree_with_their_neighbours(latent: tuple[Planted, list[str], Tensor]) -> None:
    planted, paths, distance = latent
    labels = np.asarray([p.split("/")[0] for p in paths])
    neighbours = distance.topk(12, largest=False).indices.numpy()
    disagreement = (labels[neighbours] != labels[:, None]).mean(axis=1)
    first = {paths[k] for k in np.argsort(-disagreement, kind="stable")[:24]}
    assert len(first & set(planted.wrong)) >= 10, json.dumps(sorted(first))
