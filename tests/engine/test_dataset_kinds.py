"""Archives, tables and several folders as datasets; splits; what is odd about them, in words."""

from __future__ import annotations

import os
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from convviz_gui.engine.datasets import Listing, Search, finding, list_archive, list_dataset, list_folder, list_table
from convviz_gui.engine.datasets.search import Stopped
from convviz_gui.engine.datasets.table_text import TableText
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_pixels
from convviz_gui.engine.types import Run


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def zipped(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return path


def table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def rows(listing: Listing, root: Path) -> list[tuple[str, str, str]]:
    splits = listing.splits or [""] * len(listing.paths)
    return [
        (Path(path).relative_to(root).as_posix(), label, split)
        for path, label, split in zip(listing.paths, listing.labels, splits, strict=True)
    ]


def reasons(listing: Listing) -> dict[str, str]:
    return {Path(left.path).name: left.reason for left in listing.skipped}


# ------------------------------------------------------------------------------------------------------------- splits


def test_folders_called_like_splits_are_splits(tmp_path: Path) -> None:
    touch(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "Val/cat/3.jpg", "test/4.jpg", "banner.png")
    assert rows(list_folder(tmp_path), tmp_path) == [
        ("banner.png", "", ""),
        ("test/4.jpg", "", "test"),
        ("train/cat/1.jpg", "cat", "train"),
        ("train/dog/2.jpg", "dog", "train"),
        ("Val/cat/3.jpg", "cat", "Val"),
    ]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("train/1.jpg", "car/2.jpg"), ["car", "train"]),  # the one on rails
        (("train/1.jpg",), ["train"]),
        (("train/old/1.jpg", "2.jpg"), ["", "train/old"]),
        (("pets/train/1.jpg", "cars/train/2.jpg"), ["cars/train", "pets/train"]),
    ],
)
def test_other_folders_are_labels(tmp_path: Path, names: tuple[str, ...], labels: list[str]) -> None:
    listing = list_folder(touch(tmp_path, *names))
    assert sorted(listing.labels) == labels
    assert listing.splits == ()


def test_a_folder_around_the_splits_is_no_label(tmp_path: Path) -> None:
    listing = list_folder(touch(tmp_path, "pets/train/cat/1.jpg", "pets/val/cat/2.jpg"))
    assert listing.labels == ("cat", "cat")
    assert listing.splits == ("train", "val")
    assert list_folder(touch(tmp_path / "b", "all/cat/1.jpg", "all/dog/2.jpg")).labels == ("all/cat", "all/dog")


def test_several_folders_are_splits(tmp_path: Path) -> None:
    touch(tmp_path, "a/train/cat/1.jpg", "b/test/dog/2.jpg", "b/test/3.jpg")
    listing = list_dataset(str(tmp_path / "a" / "train"), [str(tmp_path / "b" / "test")])
    assert rows(listing, tmp_path) == [
        ("a/train/cat/1.jpg", "cat", "train"),
        ("b/test/3.jpg", "", "test"),
        ("b/test/dog/2.jpg", "dog", "test"),
    ]


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "a/photos/1.jpg", "b/photos/2.jpg")
    zipped(tmp_path / "c.zip", "3.jpg")
    table(tmp_path / "c.csv", "path\na/photos/1.jpg")
    sources = [str(tmp_path / name) for name in ("a/photos", "b/photos")]
    assert list_dataset(sources[0], sources[1:]).splits == ("a/photos", "b/photos")
    twins = [str(tmp_path / name) for name in ("c.zip", "c.csv")]
    assert list_dataset(twins[0], twins[1:]).splits == ("c (1)", "c (2)")
    with pytest.raises(EngineError, match="given twice"):
        list_dataset(sources[0], [f"{sources[0]}/"])


def test_one_dataset_under_two_names_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/1.jpg")
    zipped(tmp_path / "c.zip", "3.jpg")
    table(tmp_path / "c.csv", "path\na/1.jpg")
    for name in ("a", "c.zip", "c.csv"):
        link = tmp_path / f"same{Path(name).suffix}"
        link.symlink_to(tmp_path / name)
        for one, other in ((tmp_path / name, link), (link, tmp_path / name)):
            with pytest.raises(EngineError, match=f"^{one} and {other} are the same. Give"):
                list_dataset(str(tmp_path / "b"), [str(one), str(other)])
    with pytest.raises(EngineError, match="a is given twice"):
        list_dataset(str(tmp_path / "a"), [f"{tmp_path}/a/../a"])


def test_a_table_linked_into_another_folder_is_about_that_folders_pictures(tmp_path: Path) -> None:
    touch(tmp_path, "clean/1.jpg", "noisy/1.jpg")
    table(tmp_path / "clean/list.csv", "path\n1.jpg")
    (tmp_path / "noisy/list.csv").symlink_to("../clean/list.csv")
    listing = list_dataset(*_first_and_others(tmp_path / "clean/list.csv", tmp_path / "noisy/list.csv"))
    assert rows(listing, tmp_path) == [("clean/1.jpg", "", "clean/list"), ("noisy/1.jpg", "", "noisy/list")]


def _first_and_others(first: Path, *others: Path) -> tuple[str, list[str]]:
    return str(first), [str(one) for one in others]


def test_a_folder_in_another_is_counted_once(tmp_path: Path) -> None:
    touch(tmp_path / "all", "1.jpg", "held/cat/2.jpg")
    (tmp_path / "linked").symlink_to(tmp_path / "all" / "held")
    for other in (tmp_path / "all" / "held", tmp_path / "linked"):
        listing = list_dataset(str(tmp_path / "all"), [str(other)])
        assert [(Path(path).name, split) for path, split in zip(listing.paths, listing.splits, strict=True)] == [
            ("1.jpg", "all"),
            ("2.jpg", other.name),
        ]


def test_splits_inside_splits_and_tables_together(tmp_path: Path) -> None:
    touch(tmp_path / "a", "train/cat/1.jpg", "val/cat/2.jpg")
    touch(tmp_path / "p", "3.jpg", "4.jpg")
    table(tmp_path / "p.csv", "path,label,split,score,who\np/3.jpg,dog,x,0.5,me\np/4.jpg,dog,,,\n")
    listing = list_dataset(str(tmp_path / "a"), [str(tmp_path / "p.csv")])
    assert listing.splits == ("a/train", "a/val", "p/x", "p")
    score, who = listing.columns
    np.testing.assert_array_equal(score.values, [np.nan, np.nan, 0.5, np.nan])
    assert list(who.values) == ["", "", "me", ""]


def test_numbers_beside_a_tables_text_become_text(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    one = table(tmp_path / "a.csv", "path,score\n1.jpg,1.5")
    other = table(tmp_path / "b.csv", "path,score\n2.jpg,good")
    (score,) = list_dataset(str(one), [str(other)]).columns
    assert list(score.values) == ["1.5", "good"]


# ----------------------------------------------------------------------------------------------------------- archives


def test_an_archive_and_its_folder_are_the_same(tmp_path: Path) -> None:
    names = ["pets/cat/10.jpg", "pets/cat/9.jpg", "pets/dog/1.png", "pets/notes.txt", "pets/.hidden/x.jpg"]
    archive = zipped(tmp_path / "Pets.ZIP", *names, "__MACOSX/pets/._9.jpg", "pets/cat/.DS_Store")
    listing = list_dataset(str(archive))
    assert rows(listing, archive) == [
        ("pets/cat/9.jpg", "cat", ""),
        ("pets/cat/10.jpg", "cat", ""),
        ("pets/dog/1.png", "dog", ""),
    ]
    assert listing.skipped == ()
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "out")
    folder = list_folder(tmp_path / "out" / "pets")
    assert folder.labels == listing.labels
    assert [Path(path).name for path in folder.paths] == [Path(path).name for path in listing.paths]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("1.jpg", "cat/2.jpg"), ("", "cat")),
        (("top/1.jpg", "top/cat/2.jpg"), ("", "cat")),
        (("cats/1.jpg", "cats/2.jpg"), ("cats", "cats")),  # a single class keeps its name
        (("a/b/cat/1.jpg", "a/b/dog/2.jpg"), ("cat", "dog")),
    ],
)
def test_labels_of_an_archive(tmp_path: Path, names: tuple[str, ...], labels: tuple[str, ...]) -> None:
    assert list_archive(zipped(tmp_path / "a.zip", *names)).labels == labels


def test_cifar(shared: Path) -> None:
    listing = list_dataset(str(shared / "cifar10-test.zip"))
    assert len(listing.paths) == 10_000
    assert {label: listing.labels.count(label) for label in set(listing.labels)} == dict.fromkeys(
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"), 1000
    )
    assert set(listing.splits) == {"test"}
    assert load_pixels(listing.paths[1234]).shape == (32, 32, 3)


def test_what_an_archive_must_not_hold_is_named(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "a.zip", "good.jpg", "../up.jpg", "/root.jpg", "C:\\x\\win.jpg", "in.zip", "raw.cr2", "a//b.jpg"
    )
    with zipfile.ZipFile(archive, "a") as file:
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("good.jpg", b"y")
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr(zipfile.ZipInfo("locked.jpg"), b"z")
        file.writestr("bad\u00e9.jpg", b"z")
        file.writestr("xz.jpg", b"z", zipfile.ZIP_LZMA)
    data = bytearray(archive.read_bytes().replace("bad\u00e9".encode(), b"bad\xff\xfe"))
    at = data.rfind(b"locked.jpg") - 46
    data[at + 8] |= 1
    archive.write_bytes(data)
    listing = list_archive(archive)
    assert [Path(path).name for path in listing.paths] == ["good.jpg"]
    found = reasons(listing)
    assert found.pop("good.jpg") == "the archive holds two files of this name, and the first is taken"
    assert found == {
        "up.jpg": "its name leads out of the archive",
        "root.jpg": "its name leads out of the archive",
        "win.jpg": "its name leads out of the archive",
        "b.jpg": "its name is not one of a file",
        "in.zip": "an archive in an archive is not opened",
        "raw.cr2": ".cr2 files are not read",
        "link.jpg": "it is a link",
        "locked.jpg": "it is encrypted",
        "bad\ufffd\ufffd.jpg": "its name is not valid Unicode",
        "xz.jpg": "it is compressed with LZMA, which is not read",
    }
    assert not (tmp_path.parent / "up.jpg").exists()


def test_names_of_old_programs_are_read_as_the_standard_says(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", "xyz/1.jpg", "abc/2.jpg")
    archive.write_bytes(archive.read_bytes().replace(b"xyz", b"\x84yz").replace(b"abc", "éc".encode()))
    assert set(list_archive(archive).labels) == {"äyz", "éc"}


def test_bad_archives_in_words(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", "1.jpg").read_bytes()
    cases = {
        "none": (None, "There is no archive"),
        "text": (b"hello", "not a zip archive"),
        "cut": (whole[:-25], "cut off"),
        "empty": (b"PK\x05\x06" + bytes(18), "holds no pictures"),
        "part": (b"PK\x05\x06" + struct.pack("<4H2LH", 2, 2, 0, 0, 0, 0, 0), "one part of several"),
        "mad": (b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, 9999, 0, 0), "makes no sense"),
    }
    for name, (data, words) in cases.items():
        path = tmp_path / f"{name}.zip"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(EngineError, match=words) as caught:
            list_dataset(str(path))
        assert caught.value.hint
    for name in ("a.tar.gz", "b.7z", "c.xlsx"):
        (tmp_path / name).touch()
        with pytest.raises(EngineError, match="cannot be opened as a dataset"):
            list_dataset(str(tmp_path / name))


def test_a_folder_of_archives_says_to_open_them(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", "1.jpg")
    with pytest.raises(EngineError, match="holds no pictures") as caught:
        list_dataset(str(tmp_path))
    assert "a.zip" in caught.value.hint


# ------------------------------------------------------------------------------------------------------------- tables


def test_a_table_keeps_its_order_and_columns(tmp_path: Path) -> None:
    touch(tmp_path, "p/1.jpg", "p/2.jpg", "q.jpg")
    absolute = tmp_path / "q.jpg"
    text = (
        "\ufeffFile Name,Class,Subset,age,who,id,blank\n"
        f'../p/2.jpg,"cat, wild",train,3.5,"Ann ""A""",12345678901234567,\n'
        f"{absolute},dog,test,,Bob,12345678901234568,\n"
        "../t/../p/1.jpg,cat,train,-1e3,,7,\n"
    )
    listing = list_dataset(str(table(tmp_path / "t" / "list.csv", text)))
    assert rows(listing, tmp_path) == [
        ("p/2.jpg", "cat, wild", "train"),
        ("q.jpg", "dog", "test"),
        ("p/1.jpg", "cat", "train"),
    ]
    columns = {column.name: column for column in listing.columns}
    assert list(columns) == ["age", "who", "id", "blank"]
    np.testing.assert_array_equal(columns["age"].values, [3.5, np.nan, -1000])
    assert list(columns["who"].values) == ['Ann "A"', "Bob", ""]
    assert list(columns["id"].values) == ["12345678901234567", "12345678901234568", "7"]  # too long for a float
    assert np.isnan(columns["blank"].values).all()
    assert columns["age"].is_number
    assert not columns["who"].is_number
    assert not columns["who"].values.flags.writeable


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ways_of_writing_a_table(tmp_path: Path, encoding: str, mark: str, end: str) -> None:
    touch(tmp_path, "ä,1.jpg", "2.jpg")
    lines = [["image", "target", "n"], ['"ä,1.jpg"', "x y", "1"], [], ["2.jpg", "z", "NA"]]
    listing = list_table(table(tmp_path / "t.csv", end.join(mark.join(line) for line in lines) + end, encoding))
    assert rows(listing, tmp_path) == [("ä,1.jpg", "x y", ""), ("2.jpg", "z", "")]
    np.testing.assert_array_equal(listing.columns[0].values, [1, np.nan])


def test_tables_as_excel_writes_them(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg")
    listing = list_table(table(tmp_path / "t.csv", "sep=;\r\nPath;Score;Score;\r\na\\1.jpg;0,5;2;\r\n"))
    assert rows(listing, tmp_path) == [("a/1.jpg", "", "")]
    assert [(column.name, column.values[0]) for column in listing.columns[:2]] == [("Score", 0.5), ("Score (2)", 2)]


def test_paths_into_an_archive(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", "cat/1.jpg")
    listing = list_table(table(tmp_path / "t.csv", "path\na.zip/cat/1.jpg\na.zip/cat/2.jpg\n"))
    assert rows(listing, tmp_path) == [("a.zip/cat/1.jpg", "", "")]
    assert reasons(listing) == {"2.jpg": "there is no such file"}


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg", "d.jpg/x.txt")
    text = (
        "path,label\n1.jpg,cat\n./1.jpg,dog\n3.jpg,cat\n,cat\n2.jpg,cat,dog\n2.jpg\n2.jpg,\nd.jpg,cat\nx.heic,cat\n"
        "https://a.example/1.jpg,cat\n"
    )
    listing = list_table(table(tmp_path / "t.csv", text))
    assert rows(listing, tmp_path) == [("1.jpg", "cat", ""), ("2.jpg", "", "")]
    assert [(left.path.removeprefix(f"{tmp_path}/"), left.reason) for left in listing.skipped] == [
        ("1.jpg", "line 3 of t.csv names it again with another label (dog)"),
        ("3.jpg", "there is no such file"),
        ("t.csv, line 5", "it names no file"),
        ("t.csv, line 6", "it has 3 cells, the header 2"),
        ("2.jpg", "line 8 of t.csv names it again"),
        ("d.jpg", "it is a folder"),
        ("x.heic", ".heic files are not read"),
        ("https://a.example/1.jpg", "addresses in the web are not read"),
    ]


def test_a_photo_named_twice_by_way_of_a_link_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/2.jpg")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "a" / "3.jpg").symlink_to("2.jpg")
    text = "path,label\na/1.jpg,cat\nb/1.jpg,dog\nb/2.jpg,cat\na/3.jpg,cat\na/2.jpg,cat\n"
    listing = list_table(table(tmp_path / "t.csv", text))
    assert rows(listing, tmp_path) == [("a/1.jpg", "cat", ""), ("b/2.jpg", "cat", ""), ("a/3.jpg", "cat", "")]
    assert [(left.path, left.reason) for left in listing.skipped] == [
        (
            f"{tmp_path}/b/1.jpg",
            f"line 3 of t.csv names {tmp_path}/a/1.jpg, which is the same file, again with another label (dog)",
        ),
        (f"{tmp_path}/a/2.jpg", f"line 6 of t.csv names {tmp_path}/b/2.jpg, which is the same file, again"),
    ]


def test_bad_tables_in_words(tmp_path: Path) -> None:
    cases = {
        "none": (None, "There is no table"),
        "empty": (b"\n \n", "is empty"),
        "binary": (b"\x89PNG\0\0\0", "is not text"),
        "latin": ("path,label\nä.jpg,x\n".encode("latin-1"), "not text in UTF-8"),
        "columns": (b"name,label\na.jpg,x\n", "no column of paths: its first line is 'name,label'"),
        "header": (b"path,label\n", "it has no rows"),
        "missing": (b"path\na.jpg\nb.jpg\n", "None of the 2 rows .* no such file"),
        "huge": (b'path\n"' + b"x" * 200_000 + b'"\n', "a cell of more than 131,072 letters"),
    }
    for name, (data, words) in cases.items():
        path = tmp_path / f"{name}.csv"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(EngineError, match=words) as caught:
            list_dataset(str(path))
        assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are of POSIX")
@pytest.mark.parametrize("name", ["a.csv", "a.zip"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(EngineError, match=f"{name} is not an ordinary file"):
        list_dataset(str(tmp_path / name))


def test_a_hundred_thousand_columns_have_different_names(tmp_path: Path) -> None:
    touch(tmp_path, "1.png")
    names = ["path", *("c",) * 50_000, "c (3)", *("",) * 50_000]
    made = TableText(table(tmp_path / "a.csv", ",".join(names) + "\n1.png\n")).header.names
    assert len(set(made)) == len(names)
    assert made[:4] == ("path", "c", "c (2)", "c (3)")
    assert made[50_001] == "c (3) (2)"


def test_a_quotation_mark_that_is_never_closed_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "1.png")
    with pytest.raises(EngineError, match=r"a cell of more than 131,072 letters.*never closed"):
        list_table(table(tmp_path / "a.csv", 'path,label\n1.png,"a\n' + "2.png,b\n" * 20_000))


def test_utf_32_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is not text"):
        list_table(table(tmp_path / "a.csv", "path,label\n1.png,a\n", "utf-32"))


def test_columns_beyond_reason_are_left_out_in_words(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n}.jpg" for n in range(700)))
    names = ",".join(f"c{n}" for n in range(70))
    lines = [f"{n}.jpg{',' * 70}{'x' * 100_000 if not n else 'y'}" for n in range(700)]
    listing = list_table(table(tmp_path / "t.csv", f"path,{names}\n" + "\n".join(lines)))
    assert len(listing.columns) == 64
    assert [left.reason for left in listing.skipped] == ["6 of its columns: 64 are read"]
    lines = [f"{n}.jpg,{'x' * 100_000 if not n else 'y'}" for n in range(700)]
    listing = list_table(table(tmp_path / "t.csv", "path,text\n" + "\n".join(lines)))
    assert listing.columns == ()
    assert [left.reason for left in listing.skipped] == ["its texts are too long to be kept"]


# ---------------------------------------------------------------------------------------------------------------- odd


def test_ten_thousand_classes(tmp_path: Path) -> None:
    names = [f"{n}/{n}.jpg" for n in range(10_000)]
    listing = list_archive(zipped(tmp_path / "a.zip", *names))
    assert listing.labels == tuple(map(str, range(10_000)))


def test_a_folder_that_vanishes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scan = os.scandir

    def vanishing(path: str) -> object:
        if str(path).endswith("b") and (tmp_path / "b").exists():
            (tmp_path / "b" / "2.jpg").unlink()
            (tmp_path / "b").rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    listing = list_folder(tmp_path)
    assert rows(listing, tmp_path) == [("a/1.jpg", "a", "")]
    assert "cannot be read" in reasons(listing)["b"]


def test_a_link_never_names_a_folder_that_is_there(tmp_path: Path) -> None:
    touch(tmp_path, "z/1.jpg", "z/deep/2.jpg")
    (tmp_path / "a").symlink_to(tmp_path / "z")
    (tmp_path / "z" / "deep" / "up").symlink_to(tmp_path)
    assert list_folder(tmp_path).labels == ("z", "z/deep")


# ------------------------------------------------------------------------------------------------------------ stopping


@pytest.mark.parametrize("kind", ["folder", "a.zip", "t.csv"])
def test_a_search_is_stopped(tmp_path: Path, kind: str) -> None:
    names = [f"{n}.jpg" for n in range(2000)]
    touch(tmp_path / "folder", *names)
    zipped(tmp_path / "a.zip", *names)
    table(tmp_path / "t.csv", "path\n" + "\n".join(f"folder/{name}" for name in names))
    search = Search()
    assert len(list_dataset(str(tmp_path / kind), search=search).paths) == 2000
    assert search.seen >= 2000
    stopping = Search(lambda: stopping.seen >= 1000)
    with pytest.raises(Stopped):
        list_dataset(str(tmp_path / kind), search=stopping)
    assert stopping.seen < 1300


def test_a_run_looks_for_pictures_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "1.jpg", "b/2.jpg")
    scan, waiting, let_go = os.scandir, threading.Event(), threading.Event()

    def slow(path: str) -> object:
        waiting.set()
        let_go.wait(30)
        return scan(path)

    monkeypatch.setattr(os, "scandir", slow)
    steps = finding(Run("latent", folder=str(tmp_path)))
    assert "files looked at" in next(steps).note
    assert waiting.is_set()
    let_go.set()
    with pytest.raises(StopIteration) as done:
        while True:
            next(steps)
    assert len(done.value.value.paths) == 2

    let_go.clear()
    steps = finding(Run("latent", folder=str(tmp_path)))
    next(steps)
    threading.Timer(0.1, let_go.set).start()
    steps.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("find")]


def test_finding_tells_what_is_missing(tmp_path: Path) -> None:
    for folder, words in ((None, "is needed"), (str(tmp_path / "none"), "does not exist")):
        with pytest.raises(EngineError, match=words):
            next(finding(Run("latent", folder=folder)))
