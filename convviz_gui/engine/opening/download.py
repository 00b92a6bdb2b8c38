"""Published weights over the network, by the libraries' own hub code, with progress and Stop."""

from __future__ import annotations

import errno
import http.client
import logging
import re
import threading
import types
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Self
from urllib.parse import urlparse

import torch

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.zoo.architecture import Published

INTERVAL = 0.1
"""Seconds between updates, and so between Stop and its effect."""

_MEGABYTE = 1_000_000


class _StoppedError(Exception):
    """Raised inside the download when nobody waits for it any more; both libraries then remove what they have."""


class _Meter:
    """How far a download is, and whether it should go on. Written by its thread, read by the generator."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.stopped = threading.Event()
        self.file: Path | None = None
        self.error: Exception | None = None

    def bar(self) -> type:
        """A class to stand in for `tqdm`, whose bars tell this meter."""
        meter = self

        class Bar:
            def __init__(self, *_args: Any, total: int | None = None, initial: int = 0, **_options: Any) -> None:
                meter.total, meter.done = int(total or 0), int(initial)

            def update(self, n: float = 1) -> None:
                meter.done += int(n)
                if meter.stopped.is_set():
                    raise _StoppedError

            def close(self) -> None:
                pass

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_details: object) -> None:
                self.close()

        return Bar


def fetch(published: Published) -> Steps[Path]:
    """The file of published weights: from the library's cache, or downloaded into it, whole or not at all.

    Raises:
        EngineError: there is no network, no such file, or what came is not what was published.
    """
    download = _from_repository if published.repository else _from_url
    meter = _Meter()
    thread = threading.Thread(target=_run, args=(download, published, meter), name="download", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(INTERVAL)
            yield Update(meter.done, meter.total, _note(published.label, meter))
    finally:
        meter.stopped.set()
    if meter.error is not None:
        raise _failure(published, meter.error)
    assert meter.file is not None
    return meter.file


def _note(label: str, meter: _Meter) -> str:
    if not meter.done:
        return f"looking for the weights {label}"
    of = f" of {meter.total / _MEGABYTE:.1f}" if meter.total else ""
    return f"downloading {label}: {meter.done / _MEGABYTE:.1f}{of} MB"


def _run(download: Callable[[Published, _Meter], Path], published: Published, meter: _Meter) -> None:
    try:
        meter.file = download(published, meter)
    except _StoppedError:
        pass
    except Exception as error:  # noqa: BLE001 - carried to the generator, which sorts it out
        meter.error = error


def _from_url(published: Published, meter: _Meter) -> Path:
    """Into torch.hub's cache, under the name and with the check that torch.hub uses."""
    name = PurePosixPath(urlparse(published.url).path).name
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / name
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        expected = re.search(r"-([a-f0-9]{8,})\.", name)
        # The hub's own function with our bar for its tqdm, which it takes from its module: to change that for a while
        # would change it for every other thread.
        names = vars(torch.hub) | {"tqdm": meter.bar()}
        download = types.FunctionType(torch.hub.download_url_to_file.__code__, names)
        download(published.url, str(file), expected[1] if expected else None, True)
    return file


def _from_repository(published: Published, meter: _Meter) -> Path:
    """Into the Hugging Face cache."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError

    # What goes wrong is said once, by us, and not before by the library on the terminal.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    # Its other way of transfer reports from a foreign thread, where an exception does not stop it.
    constants.HF_HUB_DISABLE_XET = True
    repository, _, tag = published.repository.partition("@")
    revision = tag or None
    for name in published.files:
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(cached, str):
            return Path(cached)
    for name in published.files:
        try:
            # Without a network this fails at once, where the download would try again for half a minute.
            get_hf_file_metadata(hf_hub_url(repository, name, revision=revision))
            return Path(hf_hub_download(repository, name, revision=revision, tqdm_class=meter.bar()))
        except EntryNotFoundError:
            continue
    raise FileNotFoundError(f"{repository} has none of {', '.join(published.files)}")


def _failure(published: Published, error: Exception) -> Exception:
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return error
    # The bases of the hub's own error are OSError and the error of whichever HTTP client it is built on.
    known = (OSError, RuntimeError, ValueError, http.client.HTTPException, *HfHubHTTPError.__bases__)
    if not isinstance(error, known):
        return error
    why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
    hint = "Check the network connection, or download the file elsewhere and give it as the weights file"
    return EngineError(f"The weights {published.label} could not be downloaded ({why})", hint, ProblemKind.RESOURCE)
