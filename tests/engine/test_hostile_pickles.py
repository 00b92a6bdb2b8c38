"""Files that run no code and yet would stop the program: pickles without end, archives of two meanings, strange names.

Written instruction by instruction, as no pickler would.
"""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.recognition import identify
from convviz_gui.engine.opening.survey import survey
from convviz_gui.engine.opening.unpickling import load
from convviz_gui.engine.opening.weights import read_checkpoint

MEMO = b"q\x01h\x01"


def text(word: str) -> bytes:
    raw = word.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def called(name: str) -> bytes:
    module, _, last = name.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def number(value: int) -> bytes:
    raw = pickle.encode_long(value)
    return b"\x8a" + bytes([len(raw)]) + raw


def sequence(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def table(items: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def ordered(items: dict[str, bytes], attributes: bytes = b"") -> bytes:
    made = called("collections.OrderedDict") + b")R(" + b"".join(text(key) + value for key, value in items.items())
    return made + b"u" + (attributes + b"b" if attributes else b"")


def tensor(shape: tuple[int, ...] = (1,), strides: tuple[int, ...] = (1,)) -> bytes:
    """Of the four bytes of `data/0`."""
    storage = sequence(text("storage"), called("torch.FloatStorage"), text("0"), text("cpu"), number(1)) + b"Q"
    sides, steps = (sequence(*map(number, values)) for values in (shape, strides))
    hooks = called("collections.OrderedDict") + b")R"
    return called("torch._utils._rebuild_tensor_v2") + sequence(storage, b"K\0", sides, steps, b"\x89", hooks) + b"R"


def archive(path: Path, content: bytes, name: str = "archive/data.pkl") -> Path:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(name, b"\x80\x02" + content + b".")
        made.writestr("archive/data/0", struct.pack("<f", 1.5))
        made.writestr("archive/version", b"3\n")
    return path


def older(path: Path, content: bytes) -> Path:
    start = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, start, 2)
    path.write_bytes(start.getvalue() + b"\x80\x02" + content + b"." + pickle.dumps([], 2))
    return path


ENDLESS = {
    "deep tuple as a key": b"})" + b"\x85" * 1_000_000 + b"Ns",
    "deep tuple in a set": called("builtins.frozenset") + b"])" + b"\x85" * 1_000_000 + b"a\x85R",
    "doubling tuples as a key": b"})" + (MEMO + b"\x86") * 60 + b"Ns",
    "doubling tuples as keys": b"}()" + (MEMO + b"\x86") * 60 + b"Nu",
    "doubling tuples in a set": called("builtins.set") + b"])" + (MEMO + b"\x86") * 60 + b"a\x85R",
    "a list filled when it is an argument already": b"]q\x02\x85q\x03h\x02)"
    + (MEMO + b"\x86") * 60
    + b"a"
    + called("builtins.set")
    + b"h\x03R",
    "bytes of any number": called("builtins.bytearray") + number(10**15) + b"\x85R",
    "bytes of any number, hidden": called("torch._tensor._rebuild_from_type_v2")
    + sequence(called("builtins.bytearray"), called("builtins.bytearray"), number(10**15) + b"\x85", b"}")
    + b"R",
    "tensors of any size": called("torch.FloatTensor") + number(10**15) + b"\x85R",
    "the same text a million times over": b"]("
    + text("x" * 100_000)
    + b"q\x01"
    + b"".join(called("_codecs.encode") + b"h\x01" + text("latin1") + b"\x86R" for _ in range(3000))
    + b"e",
    "a slow encoding": called("_codecs.encode") + text("é" * 100_000) + text("punycode") + b"\x86R",
}


@pytest.mark.parametrize("form", [archive, older])
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_would_take_for_ever_is_refused(tmp_path: Path, kind: str, form: Callable[[Path, bytes], Path]) -> None:
    path = form(tmp_path / "a.pth", ENDLESS[kind])
    with pytest.raises(EngineError, match=r"endless|deep|encoding") as caught:
        read_checkpoint(path)
    assert caught.value.hint


def test_only_the_content_that_is_read_is_surveyed_whatever_its_name_s_case(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        read_checkpoint(archive(tmp_path / "a.pth", ENDLESS["deep tuple as a key"], "archive/DATA.PKL"))


def test_what_training_programs_write_is_not_taken_for_endless(tmp_path: Path) -> None:
    network = nn.Sequential(*(nn.Conv2d(3, 3, 3) for _ in range(300)))
    optimizer = torch.optim.Adam(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    content = {
        "state_dict": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": (random.getstate(), np.random.get_state(), torch.get_rng_state()),
        "history": {(epoch, "loss"): [0.1] * 10 for epoch in range(1000)},
        "seen": set(range(10_000)),
        "counts": Counter("abc"),
        "raw": [b"", bytes(range(256)) * 40_000, bytearray(b"abc")],
        "name": "x" * 1_000_000,
    }
    for legacy in (False, True):
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
        with (tmp_path / "a.pth").open("rb") as file:
            survey(file)
        loaded, _ = load(tmp_path / "a.pth")
        assert loaded["raw"] == content["raw"]
        assert loaded["seen"] == content["seen"]


def test_refusals_leave_nothing_for_the_next_file(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(EngineError):
            read_checkpoint(archive(tmp_path / "a.pth", b"N" + text("x" * 60_000_000) + b"b"))
    assert list(read_checkpoint(archive(tmp_path / "b.pth", table({"w": tensor()}))).state) == ["w"]


def test_an_archive_with_two_lists_of_its_members(tmp_path: Path) -> None:
    # Python goes to the list before the archive's end, other readers to where the end says that it is.
    one = archive(tmp_path / "a.pth", table({"a": tensor()})).read_bytes()
    other = archive(tmp_path / "b.pth", table({"b": tensor()})).read_bytes()
    (tmp_path / "c.pth").write_bytes(one[:-22] + other)
    with pytest.raises(EngineError, match="contradict"):
        read_checkpoint(tmp_path / "c.pth")


def test_attributes_of_dictionaries_do_not_stand_in_for_their_methods(tmp_path: Path) -> None:
    attributes = table({name: text(name) for name in ("items", "keys", "values", "get", "copy", "pop")})
    nested = table({"state_dict": ordered({"w": tensor()}, attributes), "args": ordered({"x": b"N"}, attributes)})
    for content in (ordered({"w": tensor()}, attributes), nested):
        assert list(read_checkpoint(archive(tmp_path / "a.pth", content)).state) == ["w"]


def test_a_file_gives_torch_no_orders_beside_its_tensors(tmp_path: Path) -> None:
    words = table({"version": text("x"), "assign_to_params_buffers": b"\x88", "a": b"K\1"})
    good = table({"version": b"K\2", "assign_to_params_buffers": b"\x88"})
    content = ordered({"w": tensor()}, table({"_metadata": table({"": words, "bn": good})}))
    state = read_checkpoint(archive(tmp_path / "a.pth", content)).state
    assert state._metadata == {"": {}, "bn": {"version": 2}}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["w\ud800", "w\x1b[2J", "w\n", "w\u202ex"])
def test_names_that_cannot_be_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(EngineError, match="no text that can be shown") as caught:
        read_checkpoint(archive(tmp_path / "a.pth", table({name: tensor()})))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("shape", "strides"), [((10**7, 512), (0, 0)), ((10**9, 0), (0, 0))])
def test_a_tensor_of_nothing_claims_no_memory(tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    path = archive(tmp_path / "a.pth", table({"fc.weight": tensor(shape, strides)}))
    with pytest.raises(EngineError, match="times its size"):
        list(identify(path))


def test_the_same_dictionary_under_a_thousand_names(tmp_path: Path) -> None:
    content = b"}q\0(" + b"".join(text(f"k{i}") + b"N" for i in range(1000)) + b"u"
    for depth in range(1, 4):
        again = b"".join(text(f"k{i}") + b"h" + bytes([depth]) for i in range(1000))
        content = b"}(" + text("k") + content + b"q" + bytes([depth]) + again + b"u"
    with pytest.raises(EngineError, match="holds no state dict"):
        read_checkpoint(archive(tmp_path / "a.pth", content))


def test_tensors_without_values(tmp_path: Path) -> None:
    torch.save(OrderedDict(w=torch.empty(10**6, 10**6, device="meta")), tmp_path / "a.pth")
    with pytest.raises(EngineError, match="without values"):
        read_checkpoint(tmp_path / "a.pth")
