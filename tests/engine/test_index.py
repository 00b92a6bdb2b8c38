"""The bundled index against the libraries it was made from, the search, and what is on this machine already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest
import timm
from timm.models import get_pretrained_cfg, model_entrypoint
from torchvision import models as torchvision_models

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.zoo import catalogue, index, timm_zoo
from convviz_gui.paths import resource


def of(library: str) -> dict[str, index.ModelEntry]:
    return {entry.name: entry for entry in index.entries() if entry.library == library}


def sources(text: str) -> list[str]:
    return [entry.source for entry in index.search(text)]


# --------------------------------------------------------------------------------------- true to the libraries


def test_it_is_of_the_installed_libraries() -> None:
    made_from = json.loads(resource(index.INDEX).read_text(encoding="utf-8"))["versions"]
    assert made_from == {name: version(name).partition("+")[0] for name in ("torchvision", "timm")}


def test_it_has_every_network_of_torchvision() -> None:
    entries = of("torchvision")
    assert set(entries) == set(torchvision_models.list_models(torchvision_models))
    for name, entry in entries.items():
        weights = torchvision_models.get_model_weights(name).DEFAULT
        assert entry.family == torchvision_models.get_model_builder(name).__module__.rpartition(".")[2]
        assert entry.params == weights.meta["num_params"]
        assert entry.n_classes == len(weights.meta["categories"])
        assert entry.input_size == weights.transforms().crop_size[0]
        assert entry.licence == weights.meta.get("license", "")
        assert entry.files == (weights.url.rpartition("/")[2],)
        assert entry.download / 2**20 == pytest.approx(weights.meta["_file_size"], abs=1e-3)
        assert entry.pretrained
        assert not entry.estimated


def test_it_has_every_network_of_timm() -> None:
    entries = of("timm")
    assert set(entries) == {*timm.list_models(), *timm.list_pretrained()}
    for name, entry in entries.items():
        config = get_pretrained_cfg(name)
        assert entry.family == model_entrypoint(name).__module__.rpartition(".")[2]
        assert entry.pretrained == bool(config.has_weights)
        assert entry.n_classes == config.num_classes
        assert entry.input_size == max(config.input_size[1:])
        said = config.license if config.has_weights else None
        assert entry.licence == ("" if said in (None, "unknown") else said)
        assert entry.estimated == entry.pretrained == bool(entry.download) == bool(entry.files)
    assert {entry.family for entry in entries.values()} == set(timm.list_modules())


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "resnet50.bamboo",  # without a classifier
        "mobilenetv3_large_100.miil_in21k",  # with 11,221 classes
        "vit_tiny_patch16_384.augreg_in21k_ft_in1k",  # its positions depend on the input's size
        "legacy_xception",
        "test_resnet.r160_in1k",
    ],
)
def test_parameters_and_bytes_of_networks_built_for_real(name: str, tmp_path: Path) -> None:
    import safetensors.torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = timm.create_model(name)
    entry = of("timm")[name]
    assert entry.params == sum(parameter.numel() for parameter in network.parameters())
    safetensors.torch.save_file(network.state_dict(), tmp_path / "file")
    assert entry.download == pytest.approx((tmp_path / "file").stat().st_size, rel=0.03)


def test_weights_are_looked_for_where_downloads_put_them() -> None:
    entries = of("timm")
    for name in (*list(entries)[::40], "gcvit_base"):
        published = timm_zoo.architecture(name).published
        if published is None:
            assert entries[name].files == ()
        elif published.repository:
            assert (entries[name].repository, entries[name].files) == (published.repository, published.files)
        else:
            assert entries[name].repository == ""
            assert published.url.endswith("/" + entries[name].files[0])


def test_it_is_small() -> None:
    assert resource(index.INDEX).stat().st_size < 600_000


def test_every_source_once_and_the_demo_first() -> None:
    entries = index.entries()
    assert entries[0].source == "demo"
    assert len({entry.source for entry in entries}) == len(entries)
    assert index.entry_of("torchvision:resnet18") == of("torchvision")["resnet18"]
    assert index.entry_of("torchvision:resnet19") is None


# --------------------------------------------------------------------------------------------------- searching


def test_every_word_must_be_somewhere() -> None:
    assert sources("squeezenet") == ["torchvision:squeezenet1_0", "torchvision:squeezenet1_1"]
    assert sources("ResNet-50")[:2] == ["torchvision:resnet50", "timm:resnet50"]
    assert sources("timm resnet50")[0] == "timm:resnet50"
    assert sources("timm:resnet50")[0] == "timm:resnet50"
    assert "timm:legacy_xception" in sources("xception legacy")
    assert sources("no such network") == []
    assert sources("網") == []
    assert sources("  ") == sources("-") == [entry.source for entry in index.entries()]


def test_family_and_licence_are_searched_too() -> None:
    noncommercial = index.search("convnext cc-by-nc")
    assert noncommercial
    assert {(entry.family, entry.licence) for entry in noncommercial} == {("convnext", "cc-by-nc-4.0")}
    by_family = {entry.name for entry in index.search("swin_transformer")}
    assert {"swin_t", "swin_tiny_patch4_window7_224"} <= by_family
    # Found by name before found by family.
    assert sources("byobnet mobileone")[0].startswith("timm:mobileone")


def test_no_word_is_made_of_two_fields() -> None:
    """The name ends in "18" and the family begins with "resnet"."""
    assert sources("18resnet") == []


# --------------------------------------------------------------------------------------- already on this machine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def cached_in_hub(hub: Path, repository: str, name: str) -> None:
    folder = hub / ("models--" + repository.replace("/", "--"))
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "snapshots" / "abc" / name).write_bytes(b"weights")


def test_nothing_is_downloaded_but_the_demo(home: Path) -> None:
    assert index.downloaded() == {"demo"}
    (home / ".cache").write_bytes(b"no folder")
    assert index.downloaded() == {"demo"}


def test_what_is_downloaded(home: Path) -> None:
    checkpoints = home / ".cache" / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / of("torchvision")["resnet18"].files[0]).write_bytes(b"weights")
    (checkpoints / "resnet50-11ad3fa6.pth.0123456789ab.convviz-part").write_bytes(b"half of them")
    hub = home / ".cache" / "huggingface" / "hub"
    cached_in_hub(hub, "timm/resnet50.a1_in1k", "model.safetensors")
    cached_in_hub(hub, "timm/resnet50.a2_in1k", "config.json")
    cached_in_hub(hub, "timm/resnet34.a1_in1k", "pytorch_model.bin")
    # resnet50 and resnet34 open with these weights by default, where that is timm's choice.
    expected = {"demo", "torchvision:resnet18"} | {
        entry.source
        for entry in index.entries()
        if entry.repository in ("timm/resnet50.a1_in1k", "timm/resnet34.a1_in1k")
    }
    assert {"timm:resnet50", "timm:resnet50.a1_in1k", "timm:resnet34.a1_in1k"} <= expected
    assert index.downloaded() == expected


@pytest.mark.usefixtures("home")
def test_the_hubs_library_agrees_on_what_is_cached() -> None:
    from huggingface_hub import try_to_load_from_cache

    hub = index.hugging_face_cache()
    cached_in_hub(hub, "timm/resnet50.a1_in1k", "model.safetensors")
    (hub / "models--timm--resnet50.a1_in1k" / "refs" / "main").write_text("another")
    assert try_to_load_from_cache("timm/resnet50.a1_in1k", "model.safetensors", cache_dir=hub) is None
    assert index.downloaded() == {"demo"}


WHERE = """
import torch.hub
from huggingface_hub import constants
from convviz_gui.engine.zoo import index
print(torch.hub.get_dir(), index.torch_hub(), constants.HF_HUB_CACHE, index.hugging_face_cache(), sep="\\n")
"""


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"XDG_CACHE_HOME": "/x"},
        {"XDG_CACHE_HOME": "~/x", "HF_HOME": "~/hf"},
        {"TORCH_HOME": "~/t", "HF_HUB_CACHE": "$HOME/hub", "HF_HOME": "/h"},
        {"TORCH_HOME": "/t", "XDG_CACHE_HOME": "/x", "HUGGINGFACE_HUB_CACHE": "/older"},
    ],
    ids=lambda settings: " ".join(settings) or "nothing",
)
def test_caches_are_where_the_libraries_have_them(home: Path, settings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHERE], env=os.environ | settings, capture_output=True, text=True, check=True
    )
    torch_says, we_say, hub_says, and_we = done.stdout.splitlines()
    assert Path(we_say) == Path(torch_says)
    assert Path(and_we) == Path(hub_says)
    assert torch_says.startswith(("/", str(home)))


# ----------------------------------------------------------------------------------- where the library is older


def test_a_network_that_the_installed_library_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm_zoo, "names", lambda: ("resnet18",))
    with pytest.raises(EngineError, match=r"timm \d.*, which is installed, has no network 'resnet50'") as caught:
        catalogue.find("timm:resnet50")
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize("source", ["timm:", "torchvision: ", ":", "nonsense:"])
def test_a_source_without_a_name_gets_no_arbitrary_ones(source: str) -> None:
    with pytest.raises(EngineError) as caught:
        catalogue.find(source)
    assert "names no network" in caught.value.title
    assert "Did you mean" not in caught.value.hint
