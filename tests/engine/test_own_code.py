"""The user's own code: run only if trusted, as if it were alone, and said in a sentence if it fails."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.opening.trust import is_own_code, own_code_digest, split_own_code
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelInfo, ModelSpec, Run
from tests.engine.nasty import NASTY
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes=4, in_chans=3):
        super().__init__()
        self.conv = nn.Conv2d(in_chans, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(6, num_classes)

    def forward(self, x):
        return self.head(self.relu(self.conv(x)).mean((2, 3)))

def build(num_classes=4, in_chans=3):
    return Net(num_classes, in_chans)
"""


def write(folder: Path, code: str, name: str = "net.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return path


def load(path: Path, factory: str = "build", **words: Any) -> tuple[Session, ModelInfo]:
    session = Session()
    spec = ModelSpec(f"{path}:{factory}", trusted=own_code_digest(path), **words)
    steps = session.execute(LoadModel(spec, "cpu"))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return session, stop.value


def refused(path: Path, factory: str = "build", **words: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        load(path, factory, **words)
    assert caught.value.hint
    assert caught.value.kind is ProblemKind.USER
    return caught.value


# ------------------------------------------------------------------------------------------------------ trust


@pytest.mark.parametrize(
    ("source", "file", "factory"),
    [
        ("net.py:build", "net.py", "build"),
        ("a b/net.py", "a b/net.py", ""),
        (r"C:\nets\net.py:Net", r"C:\nets\net.py", "Net"),
        (r"C:\nets\net.py", r"C:\nets\net.py", ""),
        ("/x/NET.PY:small.make", "/x/NET.PY", "small.make"),
        ("/x:y/net.py:build", "/x:y/net.py", "build"),
    ],
)
def test_sources(source: str, file: str, factory: str) -> None:
    assert is_own_code(source)
    assert split_own_code(source) == (Path(file), factory)


@pytest.mark.parametrize("source", ["demo", "torchvision:resnet18", "timm:py", "", "net.pth", "net.py.txt"])
def test_other_sources(source: str) -> None:
    assert not is_own_code(source)


def test_without_trust_nothing_runs(tmp_path: Path) -> None:
    path = write(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + NET)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert own_code_digest(path) == digest
    for trusted in (None, "0" * 64, ""):
        with pytest.raises(EngineError, match=digest) as caught:
            list(Session().execute(LoadModel(ModelSpec(f"{path}:build", trusted=trusted))))
        assert str(path) in caught.value.title
        assert "--trust" in caught.value.hint
    assert not (tmp_path / "ran").exists()
    load(path)
    assert (tmp_path / "ran").exists()


def test_an_edit_after_trust_is_not_run(tmp_path: Path) -> None:
    path = write(tmp_path, NET)
    digest = own_code_digest(path)
    path.write_text(NET + f"\nopen({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with pytest.raises(EngineError, match="changed since it was trusted"):
        list(Session().execute(LoadModel(ModelSpec(f"{path}:build", trusted=digest))))
    assert not (tmp_path / "ran").exists()


def test_digests_of_nothing(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.py"):
        with pytest.raises(EngineError) as caught:
            own_code_digest(path)
        assert caught.value.hint


# ---------------------------------------------------------------------------------------------------- factories


@pytest.mark.parametrize("factory", ["build", "Net", "net", "Zoo.small"])
def test_functions_classes_instances_and_members(tmp_path: Path, factory: str) -> None:
    more = "\nnet = Net(4)\nclass Zoo:\n    @staticmethod\n    def small():\n        return Net(4)\n"
    session, info = load(write(tmp_path, NET + more), factory)
    assert info.n_classes == 4
    assert info.name == f"net.{factory}"
    assert finish(session, Run("grad-cam", image=noise_picture())).payload.raw.shape == (32, 32)


@pytest.mark.parametrize("name", ["functional only", "dict", "one logit", "grey", "view", "no maps", "by name", "half"])
def test_nasty_networks_from_a_file(name: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    code = f"import sys\nsys.path.append({str(root)!r})\nfrom tests.engine.nasty import nasty\n"
    path = write(tmp_path, f"{code}def build():\n    return nasty({name!r})\n")
    assert name in NASTY
    session, info = load(path)
    assert len(info.layers()) > 3
    for method in ("activations", "overview"):
        finish(session, Run(method, image=noise_picture()))


def test_random_weights_are_said_and_the_same_every_time(tmp_path: Path) -> None:
    path = write(tmp_path, NET)
    before = torch.get_rng_state()
    (one, info), (other, _) = load(path), load(path)
    assert torch.equal(torch.get_rng_state(), before)
    assert (info.trained, info.weights) == (False, "random weights")
    for first, second in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(first, second)


def test_weights_that_the_code_brings_are_not_called_random(tmp_path: Path) -> None:
    torch.save(torch.full((6, 3, 3, 3), 0.5), tmp_path / "conv.pt")
    more = "\nfrom pathlib import Path\ndef mine():\n    net = build()\n    nn.init.ones_(net.head.weight)\n"
    more += "    net.conv.weight.data = torch.load(Path(__file__).parent / 'conv.pt')\n    return net\n"
    session, info = load(write(tmp_path, NET + more), "mine")
    assert info.trained
    assert info.weights == "as net.py:mine makes it"
    assert float(session.model.get_submodule("conv").weight.min()) == 0.5


@pytest.mark.parametrize("factory", ["build", "Net"])
def test_weights_tell_the_class_count_and_the_channels(tmp_path: Path, factory: str) -> None:
    path = write(tmp_path, NET)
    names: dict[str, Any] = {}
    exec(NET, names)
    net = names["Net"](7, 1)
    torch.save(net.state_dict(), tmp_path / "w.pth")
    session, info = load(path, factory, weights=str(tmp_path / "w.pth"))
    assert (info.n_classes, info.preprocess.channels, info.trained) == (7, 1, True)
    assert info.weights == "w.pth"
    x = torch.randn(2, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(forward(session.model, x), net.eval()(x))


def test_a_number_that_the_factory_insists_on_comes_from_the_weights(tmp_path: Path) -> None:
    code = NET.replace("def build(num_classes=4, in_chans=3)", "def build(num_classes, in_chans=3)")
    path = write(tmp_path, code)
    error = refused(path)
    assert "needs num_classes" in error.title
    names: dict[str, Any] = {}
    exec(NET, names)
    torch.save(names["Net"](9).state_dict(), tmp_path / "w.pth")
    assert load(path, weights=str(tmp_path / "w.pth"))[1].n_classes == 9


def test_wrappers_that_the_code_returns_are_taken_off(tmp_path: Path) -> None:
    more = "\ndef wrapped():\n    return nn.DataParallel(build())\n"
    path = write(tmp_path, NET + more)
    _, info = load(path, "wrapped")
    assert info.find("conv") is not None
    assert [f.title for f in info.health if f.kind == "wrappers"] == ["The network was wrapped in DataParallel"]


# ---------------------------------------------------------------------------------------------- as if it were alone


def test_modules_beside_it_are_found_and_gone_afterwards(tmp_path: Path) -> None:
    before, path_before = set(sys.modules), list(sys.path)
    for folder, width in (("a", 5), ("b", 9)):
        write(tmp_path / folder, f"WIDTH = {width}\n", "sizes.py")
        write(tmp_path / folder, "from ..sizes import WIDTH\n", "parts/__init__.py")
        write(tmp_path / folder, "from sizes import WIDTH\n" + NET.replace("6", "WIDTH"))
        session, _ = load(tmp_path / folder / "net.py")
        assert session.model.get_submodule("conv").out_channels == width
        assert "sizes" not in sys.modules
        assert not list((tmp_path / folder).glob("__pycache__"))
    assert sys.path == path_before
    assert not {name for name in set(sys.modules) - before if name in ("net", "sizes", "parts")}


def test_edited_files_are_run_anew_siblings_included(tmp_path: Path) -> None:
    write(tmp_path, "WIDTH = 5\n", "sizes.py")
    path = write(tmp_path, "from sizes import WIDTH\n" + NET.replace("6", "WIDTH"))
    assert load(path)[0].model.get_submodule("conv").out_channels == 5
    stamp = (tmp_path / "sizes.py").stat()
    write(tmp_path, "WIDTH = 7\n", "sizes.py")
    os.utime(tmp_path / "sizes.py", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert load(path)[0].model.get_submodule("conv").out_channels == 7


@pytest.mark.parametrize("inside", [True, False])
def test_relative_imports_work_in_a_package_and_in_a_plain_folder(tmp_path: Path, inside: bool) -> None:
    folder = tmp_path / "project" / "nets"
    if inside:
        write(folder, "", "__init__.py")
        write(tmp_path / "project", "DEPTH = 1\n", "__init__.py")
    write(folder, "WIDTH = 5\n", "sizes.py")
    path = write(folder, "from .sizes import WIDTH\n" + NET.replace("6", "WIDTH"))
    assert load(path)[0].model.get_submodule("conv").out_channels == 5
    assert not {name for name in sys.modules if name.startswith(("project", "nets"))}


def test_a_module_of_the_same_name_in_memory_is_neither_taken_nor_lost(tmp_path: Path) -> None:
    other = write(tmp_path / "other", "WIDTH = 3\n", "sizes.py")
    sys.path.insert(0, str(other.parent))
    try:
        import sizes  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    try:
        write(tmp_path, "WIDTH = 5\n", "sizes.py")
        path = write(tmp_path, "from sizes import WIDTH\n" + NET.replace("6", "WIDTH"))
        assert load(path)[0].model.get_submodule("conv").out_channels == 5
        assert sys.modules["sizes"] is sizes
    finally:
        sys.modules.pop("sizes", None)


@pytest.mark.parametrize("name", ["torch.py", "types.py", "timm.py"])
def test_a_file_called_like_a_library_is_that_file_and_leaves_the_library(tmp_path: Path, name: str) -> None:
    library = sys.modules.get(name.removesuffix(".py"))
    path = write(tmp_path, NET.replace("import torch\n", ""), name)
    assert load(path)[1].n_classes == 4
    assert sys.modules.get(name.removesuffix(".py")) is library


def test_what_it_prints_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('importing')\n" + NET.replace("return Net(", "print('building')\n    return Net(")
    code = code.replace("        return self.head", "        print('passing')\n        return self.head")
    session, _ = load(write(tmp_path, code))
    finish(session, Run("overview", image=noise_picture()))
    out, err = capsys.readouterr()
    assert out == ""
    assert all(word in err for word in ("importing", "building", "passing"))


def test_settings_of_the_process_stay_as_they_are(tmp_path: Path) -> None:
    code = (
        "import os, random, sys, torch, numpy\nos.chdir(os.path.dirname(__file__))\n"
        "torch.set_default_dtype(torch.float64)\n"
        "torch.set_grad_enabled(False)\ntorch.manual_seed(9); numpy.random.seed(9); random.seed(9)\n"
        "torch.set_default_device('cpu')\nassert __name__ != '__main__'\nassert sys.argv == [__file__]\n"
        "torch.set_num_threads(torch.get_num_threads() + 1)\ntorch.autograd.set_detect_anomaly(True)\n"
        "import argparse\nargparse.ArgumentParser().parse_args()\n"
    )
    folder, state, threads = Path.cwd(), np.random.get_state()[1].copy(), torch.get_num_threads()
    load(write(tmp_path, code + NET))
    assert Path.cwd() == folder
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert np.array_equal(np.random.get_state()[1], state)
    assert (torch.get_num_threads(), torch.is_anomaly_enabled()) == (threads, False)


@pytest.mark.parametrize(
    "wish",
    [
        "torch.backends.cudnn.benchmark = True; torch.backends.cudnn.deterministic = False",
        "torch.backends.cuda.matmul.allow_tf32 = True; torch.backends.cudnn.allow_tf32 = True",
        "torch.set_float32_matmul_precision('high')",
        "torch.set_float32_matmul_precision('medium')",
        "torch.backends.fp32_precision = 'tf32'",
        "torch.backends.cuda.matmul.fp32_precision = 'tf32'",
        "torch.use_deterministic_algorithms(True, warn_only=True)",
    ],
)
def test_a_training_script_does_not_change_how_exactly_is_computed(wish: str, tmp_path: Path) -> None:
    def settings() -> list[Any]:
        cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
        exact = [cudnn.allow_tf32, products.allow_tf32, torch.get_float32_matmul_precision()]
        newer = [place.fp32_precision for place in (torch.backends, cudnn, cudnn.conv, products)]  # type: ignore[attr-defined]
        return [*exact, *newer, cudnn.benchmark, cudnn.deterministic, torch.get_deterministic_debug_mode()]

    Session()
    before = settings()
    load(write(tmp_path, f"{NET}\n    {wish}\n".replace("    return Net(", "    net = Net(") + "    return net\n"))
    assert settings() == before


def test_what_was_done_is_said_of_networks_that_insist_on_a_layout(tmp_path: Path) -> None:
    more = """
class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4 * 16 * 16, 3)

    def forward(self, x):
        return self.head(nn.functional.max_pool2d(self.conv(x), 2).view(len(x), 4 * 16 * 16))

def flat():
    net = Flat().half()
    net.conv.requires_grad_(False)
    return net
"""
    _, info = load(write(tmp_path, NET + more), "flat")
    said = {finding.kind: finding.title for finding in info.health}
    assert said["precision"] == "The weights are float16"
    assert said["frozen"] == "2 of 4 parameters were frozen"


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def build(:\n", "net.py, line 1: SyntaxError"),
        ("x = 1\nimport no_such_module_anywhere\n", "net.py, line 2: ModuleNotFoundError: No module named"),
        ("def build():\n    x = 1\n    return undefined\n", "net.py, line 3: NameError: name 'undefined'"),
        ("import sys\nsys.exit(2)\n", "net.py, line 2: it ends the program"),
        ("def build():\n    raise SystemExit\n", "net.py, line 2: it ends the program"),
        ("def build():\n    open('no such file')\n", "net.py, line 2: FileNotFoundError"),
        ("class Odd(Exception): pass\ndef build():\n    raise Odd('first\\nsecond')\n", "net.py, line 3: Odd: first"),
        ("def build():\n    return build()\n", "RecursionError"),
        ("def build():\n    return None\n", "gives nothing, not a network"),
        ("def build():\n    return {'a': 1}\n", "gives a dictionary, not a network"),
        ("build = 3\n", "build in net.py is an int, which builds no network"),
        ("def build(width, depth):\n    pass\n", "needs width, depth"),
        ("def bild():\n    pass\n", "There is no 'build' in net.py"),
        ("", "There is no 'build' in net.py"),
        ("\0", "net.py"),
        ("import torch\ndef build():\n    return torch.jit.script(torch.nn.ReLU())\n", "TorchScript"),
    ],
)
def test_faults_in_a_sentence(tmp_path: Path, code: str, says: str) -> None:
    error = refused(write(tmp_path, code))
    assert says in error.title
    assert "\n" not in error.title


def test_faults_of_modules_beside_it_name_their_place(tmp_path: Path) -> None:
    write(tmp_path, "\n\n1 / 0\n", "sizes.py")
    error = refused(write(tmp_path, "import sizes\n" + NET))
    assert error.title.startswith("sizes.py, line 3: ZeroDivisionError")
    assert "Traceback" in error.detail


def test_a_fault_in_the_forward_pass_names_its_line(tmp_path: Path) -> None:
    error = refused(write(tmp_path, NET.replace(".mean((2, 3))", ".mean((2, 3)) + missing")))
    assert "net.py, line 13: NameError: name 'missing'" in error.title


def test_the_file_alone_lists_what_could_be_meant(tmp_path: Path) -> None:
    path = write(tmp_path, NET + "\nfrom torchvision.models import resnet18\ndef _hidden(): pass\n")
    with pytest.raises(EngineError, match="alone does not say") as caught:
        list(Session().execute(LoadModel(ModelSpec(str(path), trusted=own_code_digest(path)))))
    assert caught.value.hint == "Name one of: net.py:Net, net.py:build"


def test_control_c_is_control_c(tmp_path: Path) -> None:
    path = write(tmp_path, "def build():\n    raise KeyboardInterrupt\n")
    path_before = list(sys.path)
    with pytest.raises(KeyboardInterrupt):
        load(path)
    assert sys.path == path_before


def test_a_lack_of_memory_is_not_the_files_fault(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        load(write(tmp_path, "def build():\n    raise MemoryError\n"))


# ---------------------------------------------------------------------------------------- preprocessing and names


def test_the_file_says_how_pictures_are_prepared_and_what_classes_are_called(tmp_path: Path) -> None:
    more = (
        "\nfrom torchvision import transforms as T\nCLASS_NAMES = ['a', 'b', 'c', 'd']\n"
        "transform = T.Compose([T.Resize(72), T.CenterCrop(64), T.ToTensor(), T.Normalize([0.1]*3, [0.2]*3)])\n"
    )
    _, info = load(write(tmp_path, NET + more))
    found = info.preprocess
    assert (found.size, found.resize, found.mean, found.std) == ((64, 64), 72, (0.1,) * 3, (0.2,) * 3)
    assert info.class_names == ("a", "b", "c", "d")
    assert not [finding for finding in info.health if finding.kind == "preprocessing"]


def test_the_network_has_nothing_of_a_torch_module_that_it_should_not(tmp_path: Path) -> None:
    session, _ = load(write(tmp_path, NET))
    assert isinstance(session.model, nn.Module)
    assert type(session.model).__module__ == "net"
