"""Pictures inside zip archives: the same as the standard library reads, or a sentence."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convviz_gui.engine import archives, files
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image, open_rgb


def png(value: int, side: int = 4) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def archive(path: Path, *names: str, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for number, name in enumerate(names):
            file.writestr(name, png(number))
    return path


def patched(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_picture_in_an_archive_opens_like_a_file(tmp_path: Path, method: int) -> None:
    path = archive(tmp_path / "a.zip", "x.png", "cat/ä b/1.png", method=method)
    image = load_image(f"{path}/cat/ä b/1.png")
    assert (image.pixels == 1).all()
    assert image.name == "1.png"
    assert image.path == f"{path}/cat/ä b/1.png"
    plain = tmp_path / "1.png"
    plain.write_bytes(png(1))
    assert load_image(plain).digest == image.digest
    assert files.read_bytes(f"{path}/cat/ä b/1.png") == png(1)
    assert files.read_bytes(plain) == png(1)


def test_every_byte_as_the_standard_library_reads_it(shared: Path) -> None:
    path = shared / "cifar10-test.zip"
    with zipfile.ZipFile(path) as file:
        names = [info.filename for info in file.infolist() if not info.is_dir()]
        assert set(archives.contents(str(path)).names) == set(names)
        assert len(names) == 10_000
        for name in names[::17]:
            assert files.read_bytes(f"{path}/{name}") == file.read(name)


def test_archives_of_many_makes(tmp_path: Path) -> None:
    """ZIP64, something put in front, a comment behind, sizes after the data, names with backslashes."""
    path = tmp_path / "a.ZIP"
    with zipfile.ZipFile(path, "w") as file:
        file.comment = b"PK\x05 is not the end"
        with file.open(zipfile.ZipInfo("wide/1.png"), "w", force_zip64=True) as member:
            member.write(png(1))
        file.writestr("back\\slash.png", png(2))
    path.write_bytes(b"#!/bin/sh\n" * 100 + path.read_bytes())
    assert open_rgb(f"{path}/wide/1.png")[0].getpixel((0, 0)) == (1, 1, 1)
    assert open_rgb(f"{path}/back/slash.png")[0].getpixel((0, 0)) == (2, 2, 2)


def test_a_table_in_zip64_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = archive(tmp_path / "a.zip", "1.png", "2.png", "3.png")
    assert b"PK\x06\x06" in path.read_bytes()
    assert open_rgb(f"{path}/3.png")[0].getpixel((0, 0)) == (2, 2, 2)


def test_a_folder_called_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "a.zip" / "1.png").write_bytes(png(7))
    path = archive(tmp_path / "a.zip" / "b.zip", "c.zip/2.png")
    assert (load_image(tmp_path / "a.zip" / "1.png").pixels == 7).all()
    assert (load_image(f"{path}/c.zip/2.png").pixels == 0).all()


def test_signatures(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "1.png")
    status = path.stat()
    assert files.signature(path) == (status.st_mtime_ns, status.st_size)
    assert files.signature(f"{path}/1.png") == (status.st_mtime_ns, len(png(0)))
    for missing in (tmp_path / "b.png", f"{path}/2.png", tmp_path / "b.zip" / "1.png"):
        with pytest.raises(OSError, match="No such file"):
            files.signature(missing)
    (tmp_path / "bad.zip").write_bytes(b"nothing")
    with pytest.raises(OSError, match="not a zip archive"):
        files.signature(tmp_path / "bad.zip" / "1.png")


def test_a_change_on_the_disk_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "1.png", "2.png")
    assert open_rgb(f"{path}/2.png")[0].getpixel((0, 0)) == (1, 1, 1)
    archive(tmp_path / "b.zip", "2.png").replace(path)
    os.utime(path, ns=(1, 1))
    assert open_rgb(f"{path}/2.png")[0].getpixel((0, 0)) == (0, 0, 0)
    with pytest.raises(EngineError, match=r"no file '1\.png'"):
        open_rgb(f"{path}/1.png")
    path.unlink()
    with pytest.raises(EngineError, match=r"no file '2\.png'"):
        open_rgb(f"{path}/2.png")


def test_from_several_threads(tmp_path: Path) -> None:
    paths = [archive(tmp_path / f"{a}.zip", *(f"{n}.png" for n in range(30))) for a in range(10)]
    wanted = [(path, n) for n in range(30) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda at: open_rgb(f"{at[0]}/{at[1]}.png")[0].getpixel((0, 0)), wanted))
    assert values == [(n, n, n) for _, n in wanted]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "1.png", "2.png", method=zipfile.ZIP_STORED)
    patched(path, png(1)[-20:], bytes(20))
    with pytest.raises(EngineError, match=r"2\.png in a\.zip is damaged") as caught:
        open_rgb(f"{path}/2.png")
    assert caught.value.hint
    assert open_rgb(f"{path}/1.png")
    whole = path.read_bytes()
    for end, words in ((len(whole) - 30, "cut off"), (0, "not a zip"), (3, "not a zip")):
        path.write_bytes(whole[:end])
        with pytest.raises(EngineError, match=words):
            open_rgb(f"{path}/1.png")


def test_a_file_that_unpacks_to_more_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.png", bytes(50_000_000))
        file.writestr("2.png", bytes(archives.MAX_UNPACKED + 1))
    with pytest.raises(EngineError, match="unpacks to more than 256 MB"):
        open_rgb(f"{path}/2.png")
    patched(path, struct.pack("<L", 50_000_000), struct.pack("<L", 100))
    with pytest.raises(EngineError, match="damaged"):
        open_rgb(f"{path}/1.png")


def test_fuzzed_archives_end_in_sentences(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "1.png", "cat/2.png")
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(400):
        data = np.frombuffer(whole, np.uint8).copy()
        places = random.integers(0, len(data), random.integers(1, 6))
        data[places] = random.integers(0, 256, len(places))
        path.write_bytes(
            data[: random.integers(1, len(data) + 1)].tobytes() if random.random() < 0.3 else data.tobytes()
        )
        with suppress(EngineError):
            assert open_rgb(f"{path}/cat/2.png")[0].getpixel((0, 0)) == (1, 1, 1)
