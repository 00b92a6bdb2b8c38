"""Published weights over the network, into the caches that their libraries keep, with progress, Stop and going on."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import torch

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.opening.refusals import refusal
from convviz_gui.engine.opening.transfer import INTERVAL, MEGABYTE, Meter, Parcel, StoppedError, transfer
from convviz_gui.engine.zoo.architecture import Published


def fetch(published: Published) -> Steps[Path]:
    """The file of published weights: from the library's cache, or downloaded into it, whole or not at all.

    What came before a stop or a fault is kept, and the next download of it goes on from there. What is in the cache
    needs no network.

    Raises:
        EngineError: there is no network, no such file, no room, or what came is not what was published.
    """
    download = _from_repository if published.repository else _from_url
    meter = Meter()
    found: list[Path | Exception] = []
    thread = threading.Thread(target=_run, args=(download, published, meter, found), name="download", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(INTERVAL)
            yield Update(meter.done, meter.total, _note(published.label, meter))
    finally:
        meter.stopped.set()
    [outcome] = found
    if isinstance(outcome, Exception):
        raise refusal(published, outcome, meter) from outcome
    return outcome


def _note(label: str, meter: Meter) -> str:
    match meter.phase:
        case "downloading":
            of = f" of {meter.total / MEGABYTE:.1f}" if meter.total else ""
            return f"downloading {label}: {meter.done / MEGABYTE:.1f}{of} MB"
        case "checking":
            return f"checking {label}"
        case "waiting":
            return f"waiting for another download of {label}"
        case _:
            return f"looking for the weights {label}"


def _run(
    download: Callable[[Published, Meter], Path], published: Published, meter: Meter, found: list[Path | Exception]
) -> None:
    try:
        found.append(download(published, meter))
    except StoppedError:
        pass
    except Exception as error:  # noqa: BLE001 - carried to the generator, which sorts it out
        found.append(error)


def _from_url(published: Published, meter: Meter) -> Path:
    """Into torch.hub's cache, under the name and with the check that torch.hub uses."""
    name = PurePosixPath(urlparse(published.url).path).name
    hub = Path(torch.hub.get_dir())
    file = hub / "checkpoints" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        (hub / ".locks").mkdir(exist_ok=True)
        lock = hub / ".locks" / f"{name}.lock"
        transfer(Parcel(published.url, file, lock, published_digest(published.url)), meter)
    return file


def published_digest(url: str) -> str:
    """How the SHA-256 of published weights begins, as torch.hub has it in their names; "" where it is not there."""
    found = re.search(r"-([a-f0-9]{8,})\.", PurePosixPath(urlparse(url).path).name)
    return found[1] if found else ""


def _from_repository(published: Published, meter: Meter) -> Path:
    """Into the Hugging Face cache, where huggingface_hub finds it."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError

    # What goes wrong is said once, by us, and not before by the library on the terminal.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    repository, _, tag = published.repository.partition("@")
    revision = tag or None
    for name in published.files:
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(cached, str):
            return Path(cached)
    for name in published.files:
        url = hf_hub_url(repository, name, revision=revision)
        try:
            # Without a network this fails at once, where the library's download would try for half a minute.
            metadata = get_hf_file_metadata(url)
        except EntryNotFoundError:
            continue
        blob = _blob(repository, url, metadata.etag or "", metadata.size or 0, meter)
        # The library finds the blob there and adds only what belongs to it.
        pointer = Path(hf_hub_download(repository, name, revision=revision))
        if not pointer.is_symlink():  # where there are no links it makes a copy
            blob.unlink(missing_ok=True)
        return pointer
    raise FileNotFoundError(f"{repository} has none of {', '.join(published.files)}")


def _blob(repository: str, url: str, etag: str, size: int, meter: Meter) -> Path:
    """A file in the cache's own place for contents.

    The library's own download removes what it has when it ends early, and so could not go on another time.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    if not re.fullmatch(r"\w[\w.-]*", etag):
        raise ValueError("the server does not answer as a Hugging Face hub: see HF_ENDPOINT and the proxy's settings")
    cache = Path(constants.HF_HUB_CACHE)
    folder = repo_folder_name(repo_id=repository, repo_type="model")
    blob, lock = cache / folder / "blobs" / etag, cache / ".locks" / folder / f"{etag}.lock"
    blob.parent.mkdir(parents=True, exist_ok=True)
    lock.parent.mkdir(parents=True, exist_ok=True)
    headers = {name: value for name, value in build_hf_headers().items() if name.lower() == "authorization"}
    digest = etag if re.fullmatch(r"[0-9a-f]{64}", etag) else ""
    transfer(Parcel(url, blob, lock, digest, size, version=etag, headers=headers), meter)
    return blob
