"""Names of classes from every form that people keep them in, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torchvision.datasets.folder import find_classes

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.opening.class_names import LARGEST_FILE, read_class_names

NAMES = ("tench", "goldfish", "great white shark")


def written(folder: Path, content: str | bytes, name: str = "names.txt") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    "content",
    [
        "tench\ngoldfish\ngreat white shark",
        "tench\ngoldfish\ngreat white shark\n\n  \n\n",
        "tench\r\ngoldfish\r\ngreat white shark\r\n",
        "\ufefftench\ngoldfish\ngreat white shark\n",
        "\ufefftench\ngoldfish\ngreat white shark\n".encode("utf-16-le"),
        "  tench \n\tgoldfish\ngreat  white shark",
        "0,tench\n1,goldfish\n2,great white shark\n",
        "index,name\n0,tench\n1,goldfish\n2,great white shark\n",
        "2;great white shark\n0;tench\n1;goldfish\n",
        "0\ttench\n1\tgoldfish\n2\tgreat white shark\n",
        '"0","tench"\n"1","goldfish"\n"2","great white shark"\n',
        json.dumps(NAMES),
        json.dumps(dict(enumerate(NAMES))),
        json.dumps({name: index for index, name in enumerate(NAMES)}),
        json.dumps({index: [f"n{index:08}", name] for index, name in enumerate(NAMES)}),
        json.dumps({"architectures": ["X"], "id2label": dict(enumerate(NAMES)), "num_labels": 3}),
        json.dumps({"label2id": {name: index for index, name in enumerate(NAMES)}}),
        json.dumps({"config": 1, "classes": NAMES}),
        json.dumps({"model": {}, "class_to_idx": {name: index for index, name in enumerate(NAMES)}}, indent=2),
        "{0: 'tench',\n 1: 'goldfish',\n 2: \"great white shark\"}",
    ],
)
def test_every_form(tmp_path: Path, content: str | bytes) -> None:
    found = read_class_names(written(tmp_path, content))
    assert found.names == NAMES
    assert found.notes == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("n01440764 tench\nn01443537 goldfish\n", ("n01440764 tench", "n01443537 goldfish")),
        ("tench, Tinca tinca\ngoldfish, Carassius auratus\n", ("tench, Tinca tinca", "goldfish, Carassius auratus")),
        ("0,tench, Tinca tinca\n1,goldfish\n", ("tench, Tinca tinca", "goldfish")),
        ('0,"tench, Tinca tinca"\n1,goldfish\n', ("tench, Tinca tinca", "goldfish")),
        ("Stier\nKühe\n猫\n", ("Stier", "Kühe", "猫")),
        ("0\n1\n2\n", ("0", "1", "2")),
        ("7,8\n", ("class 0", "class 1", "class 2", "class 3", "class 4", "class 5", "class 6", "8")),
    ],
)
def test_names_stay_as_they_are(tmp_path: Path, content: str, expected: tuple[str, ...]) -> None:
    assert read_class_names(written(tmp_path, content)).names == expected


def test_gaps_and_repetitions_are_said(tmp_path: Path) -> None:
    found = read_class_names(written(tmp_path, json.dumps({"1": "crane", "3": "crane", "4": "maillot"})))
    assert found.names == ("class 0", "crane", "class 2", "crane", "maillot")
    assert found.notes == (
        "2 classes are without a name in names.txt, such as number 0",
        "A name in names.txt stands for more than one class: crane",
    )
    blank = read_class_names(written(tmp_path, "a\n\nb\n"))
    assert blank.names == ("a", "class 1", "b")
    assert "1 class is without a name" in blank.notes[0]


def test_folders_in_the_order_of_torchvision(tmp_path: Path) -> None:
    for name in ("zebra", "10", "9", "Ant", "ant", "_x", "a b"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.txt").touch()
    found = read_class_names(str(tmp_path))
    assert list(found.names) == find_classes(str(tmp_path))[0]
    assert found.notes == ()
    (tmp_path / ".thumbnails").mkdir()
    with_hidden = read_class_names(str(tmp_path))
    assert with_hidden.names == found.names
    assert ".thumbnails" in with_hidden.notes[0]


def test_a_dataset_in_parts_has_its_classes_in_the_training_part(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
    (tmp_path / "train" / "only here").mkdir()
    found = read_class_names(str(tmp_path))
    assert found.names == ("cat", "dog", "only here")
    assert "train" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no class names"),
        ("\n \n", "no class names"),
        ("[]", "no class names"),
        ("{}", "no class names in a form"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"cat\x00dog\n", "not a text file"),
        ("Kühe\n".encode("latin-1"), "UTF-8"),
        ("\x1b[2Jcat\n", "not a text file"),
        ("x" * 1001, "1001 characters"),
        ("a\n" * (LARGEST_FILE // 2 + 1), "too large"),
        ('["cat", ', "not valid JSON in line 1"),
        ('["cat", 3]', "no class names in a form"),
        ('{"0": {"a": 1}}', "no class names in a form"),
        ('{"cat": true}', "no class names in a form"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": ' * 100_000, "not valid JSON"),
        ('{"cat": 1' + "0" * 5000 + "}", "not valid JSON"),
        ('{"0": "cat", "999999999": "dog"}', "class number 999999999"),
        ('{"-1": "cat", "0": "dog"}', "class number -1"),
        ('{"cat": -2}', "class number -2"),
        ('{"cat": 0, "dog": 0}', "two names for class 0"),
        ("0,cat\n0,dog\n", "two names for class 0"),
    ],
)
def test_what_is_no_list_of_names_is_refused_in_a_sentence(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        read_class_names(written(tmp_path, content))
    assert caught.value.hint
    assert len(caught.value.title) < 200


def test_places_that_hold_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, words in ((tmp_path / "none.txt", "There is no"), (tmp_path / "empty", "no sub-folders")):
        with pytest.raises(EngineError, match=words):
            read_class_names(str(path))
    device = Path("/dev/zero")
    if device.exists():
        with pytest.raises(EngineError, match="not an ordinary file"):
            read_class_names(str(device))


def test_a_name_that_cannot_be_shown_is_made_so(tmp_path: Path) -> None:
    assert read_class_names(written(tmp_path, json.dumps(["cat\u0007\nx", "\ud800"]))).names == ("cat x", "?")
