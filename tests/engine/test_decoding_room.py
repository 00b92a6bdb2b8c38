"""How much is decoded at once: large pictures wait for each other, usual ones do not; stopping waits for neither."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from convviz_gui.engine import folder_pass
from convviz_gui.engine.decoding_room import MOST, DecodingRoom
from convviz_gui.engine.folder_pass import Decoded, decoding
from convviz_gui.engine.images import MAX_PIXELS
from convviz_gui.engine.units import gathering
from convviz_gui.gui.latent import thumbnails
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS

ROOM = 2_500_000
LARGE = (1000, 1000)
HUGE = (2000, 1500)  # alone, it is more than there is room for


class Watch:
    """Wraps Pillow's decoder and what makes photos small: how many pixels are in memory between the two."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.peak = self.now = self.loads = 0
        self.meanwhile: Callable[[], object] = partial(threading.Event().wait, 0.02)
        self._lock = threading.Lock()
        load = ImageFile.ImageFile.load

        def watched(image: ImageFile.ImageFile) -> object:
            if not image.tile:  # decoded already
                return load(image)
            pixels = image.width * image.height
            with self._lock:
                self.loads += 1
                self.now += pixels
                self.peak = max(self.peak, self.now)
            self.meanwhile()
            try:
                return load(image)
            except OSError:
                with self._lock:
                    self.now -= pixels
                raise

        monkeypatch.setattr(ImageFile.ImageFile, "load", watched)
        monkeypatch.setattr(folder_pass, "prepare_picture", self.over(folder_pass.prepare_picture))
        monkeypatch.setattr(gathering, "cut", self.over(gathering.cut))
        monkeypatch.setattr(Image.Image, "thumbnail", self.over(Image.Image.thumbnail))
        monkeypatch.setattr("os.cpu_count", lambda: 4)

    def over(self, small: Callable[..., Any]) -> Callable[..., Any]:
        def watched(photo: Image.Image, *args: object, **named: object) -> Any:
            pixels = photo.width * photo.height
            made = small(photo, *args, **named)
            with self._lock:
                self.now -= pixels
            return made

        return watched


@pytest.fixture
def photos(tmp_path: Path) -> tuple[str, ...]:
    sizes = [LARGE, (60, 40), LARGE, LARGE, HUGE, LARGE, (50, 70), LARGE, HUGE, LARGE]
    paths = []
    for index, (width, height) in enumerate(sizes):
        ramp = np.linspace(index, 255, width * height * 3).astype(np.uint8).reshape(height, width, 3)
        path = tmp_path / f"{index}.png"
        Image.fromarray(ramp).save(path, compress_level=1)
        paths.append(str(path))
    (tmp_path / "4b.png").write_bytes((tmp_path / "4.png").read_bytes()[:5000])
    return (*paths[:5], str(tmp_path / "4b.png"), *paths[5:])


def small_room(monkeypatch: pytest.MonkeyPatch, most: int = ROOM) -> None:
    for module in (folder_pass, thumbnails):
        monkeypatch.setattr(module, "DecodingRoom", partial(DecodingRoom, most))


def everything(paths: tuple[str, ...]) -> list[object]:
    with decoding(paths, PREPROCESS, 8) as pictures:
        return [
            (index, picture.size, picture.crop.tobytes()) if isinstance(picture, Decoded) else (index, picture)
            for index, picture in pictures
        ]


def test_no_more_is_decoded_at_once_than_there_is_room_for_and_nothing_else_changes(
    photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = everything(photos)
    watch = Watch(monkeypatch)
    small_room(monkeypatch)
    assert everything(photos) == without
    assert watch.loads == len(photos)
    # Never two large ones beside a third, and the huge ones alone; the damaged file's room is given back.
    assert watch.peak == HUGE[0] * HUGE[1]


def test_large_pictures_share_the_room(photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    small_room(monkeypatch)
    two = threading.Barrier(2)
    watch.meanwhile = partial(two.wait, 20)
    assert len(everything((photos[0], photos[2], photos[3], photos[6]))) == 4
    assert watch.peak == 2 * LARGE[0] * LARGE[1]


def test_usual_photos_never_wait(photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    all_threads = threading.Barrier(4)
    watch.meanwhile = partial(all_threads.wait, 20)
    assert len(everything((photos[0], photos[2], photos[3], photos[6]))) == 4
    assert MOST == MAX_PIXELS
    assert MOST >= 4 * 48_000_000


def test_patches_are_cut_within_the_room(photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    small_room(monkeypatch)
    whole = tuple(path for path in photos if "4b" not in path)
    pictures = np.arange(len(whole))[None]
    boxes = np.tile(np.array([0, 0, 40, 40], np.float32), (1, len(whole), 1))
    images, skipped = finish(gathering.gather(whole, pictures, boxes, 16))
    assert images.shape == (1, len(whole), 16, 16, 3)
    assert not skipped
    assert watch.peak == HUGE[0] * HUGE[1]


def test_stopping_waits_for_what_is_decoded_and_not_for_what_waits(
    photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch)
    small_room(monkeypatch, LARGE[0] * LARGE[1])
    gate, begun, closing = threading.Event(), threading.Event(), DecodingRoom.close

    def meanwhile() -> None:
        if watch.loads > 1:
            begun.set()
            gate.wait(20)

    def close(room: DecodingRoom) -> None:
        closing(room)
        gate.set()

    watch.meanwhile = meanwhile
    monkeypatch.setattr(DecodingRoom, "close", close)
    with decoding((photos[1], photos[4], photos[0], photos[2], photos[3]), PREPROCESS, 8) as pictures:
        next(pictures)
        assert begun.wait(20)
    assert watch.loads == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_thumbnails_keep_to_the_room(photos: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    small_room(monkeypatch)
    made = threading.Semaphore(0)
    decoder = thumbnails._Decoder(made.release, 64)
    wanted = [photos[4], photos[0], photos[8], photos[2], photos[9]]
    for path in wanted:
        decoder.want(path)
    for _ in wanted:
        assert made.acquire(timeout=20)
    decoder.close()
    assert watch.loads == len(wanted)
    assert watch.peak == HUGE[0] * HUGE[1]
