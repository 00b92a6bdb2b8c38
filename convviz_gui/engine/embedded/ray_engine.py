"""`convviz embed` on a Ray cluster: actors that hold the network take parts, read the pictures and write them.

Every part is written by one actor with the code that `local_engine` uses, so that ids, rows and what an interruption
leaves are the same. The machines must see the pictures and the directory under the same paths.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray.data
import ray.exceptions

from convviz_gui.engine.datasets import Listing
from convviz_gui.engine.embedded.gathering import Written, embed_slices
from convviz_gui.engine.embedded.manifest import Part
from convviz_gui.engine.embedded.plan import Plan, Slice
from convviz_gui.engine.errors import EngineError, Problem, ProblemKind, problem_from
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.opening.trust import is_own_code, split_own_code
from convviz_gui.engine.payloads import Skipped
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Embed, LoadModel, ModelSpec

_LEAST_STORE = 100 * 2**20
"""Bytes of the object store where Ray is started here: only paths and counts go through it."""
_PER_WORKER = 4
"""Cores for each network, where there are no graphics cards."""


@dataclass(frozen=True)
class Task:
    """What a worker needs once. `plan` is without its listing; `threads` 0 leaves torch's own number."""

    load: LoadModel
    digest: str
    plan: Plan
    batch: int
    threads: int


class Embedder:
    """A network in a process of the cluster. Each call is one part or more: it reads, computes and writes them."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._session = Session()
        self._problem: Problem | None = None
        try:
            if task.threads:
                import torch

                torch.set_num_threads(task.threads)
            _drive(self._session.execute(task.load))
            if self._session.info.digest != task.digest:
                raise EngineError(
                    "The weights on a worker are not those that were opened here",
                    "Copy the same file to every machine; random weights cannot be shared",
                )
        except Exception as error:  # noqa: BLE001 - the boundary to another process: text goes over it, no exception
            self._problem = problem_from(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """From slices as JSON to what came of each as JSON; never raises."""
        return {"told": [json.dumps(self._tell(text)) for text in batch["slice"]]}

    def _tell(self, text: str) -> dict[str, Any]:
        part = Slice(**{name: _hashable(value) for name, value in json.loads(text).items()})
        told: list[tuple[Part, tuple[Skipped, ...]]] = []
        problem = self._problem
        if problem is None:
            try:
                task = self._task
                _drive(
                    embed_slices(
                        self._session, task.plan, [part], task.batch, lambda _, facts, left: told.append((facts, left))
                    )
                )
            except Exception as error:  # noqa: BLE001 - as above
                problem = problem_from(error)
        if problem is not None:
            return {"number": part.number, "problem": [str(problem.kind), problem.title, problem.hint, problem.detail]}
        [(facts, left)] = told
        return {
            "number": part.number,
            "part": dataclasses.asdict(facts),
            "skipped": [[item.path, item.reason] for item in left],
        }


def write_on_cluster(session: Session, plan: Plan, missing: list[int], command: Embed, written: Written) -> Steps[None]:
    """Write the parts of these numbers, as many at once as there are graphics cards or `workers`.

    Joins the cluster at `address` or RAY_ADDRESS, or starts Ray on this machine alone and ends it afterwards.

    Raises:
        EngineError: no cluster there, a worker's own reason, or a worker that died again and again.
    """
    slices = [dataclasses.asdict(plan.slice(number)) for number in missing]
    rows = [{"slice": json.dumps(part)} for part in slices]
    yield Update(0, len(rows), "starting Ray")
    with _connected(command, sum(len(row["slice"]) for row in rows)):
        pool = _pool(command)
        yield Update(0, len(rows), f"{pool['concurrency']} workers open the network")
        task = _task(session, plan, command, pool["threads"])
        found = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Embedder,
            fn_constructor_args=(task,),
            batch_size=1,
            num_cpus=1,
            num_gpus=pool["gpus"] or None,
            concurrency=min(pool["concurrency"], len(rows)),
        )
        try:
            for done, row in enumerate(found.iter_rows(), 1):
                _take(json.loads(row["told"]), written)
                yield Update(done, len(rows), f"part {done} of {len(rows)}")
        except ray.exceptions.RayError as error:
            raise EngineError(
                f"Ray could not go on ({_first_line(error)})",
                "What is written stays: start the same command again to go on from there",
                ProblemKind.RESOURCE,
            ) from None


def _take(told: dict[str, Any], written: Written) -> None:
    if "problem" in told:
        kind, title, hint, detail = told["problem"]
        error = EngineError(title, hint, ProblemKind(kind))
        error.detail = detail
        raise error
    written(told["number"], Part(**told["part"]), tuple(Skipped(*item) for item in told["skipped"]))


def _task(session: Session, plan: Plan, command: Embed, threads: int) -> Task:
    info = session.info
    # Workers have other working folders; what a class is called, they need not know.
    spec = dataclasses.replace(
        info.spec,
        source=_absolute_source(info.spec),
        weights=str(Path(info.spec.weights).absolute()) if info.spec.weights else None,
        class_names=None,
        preprocess=info.preprocess,
    )
    bare = dataclasses.replace(plan, listing=Listing((), (), ()))
    return Task(LoadModel(spec, command.device, command.precision), info.digest, bare, command.batch, threads)


def _absolute_source(spec: ModelSpec) -> str:
    if not is_own_code(spec.source):
        return spec.source
    path, factory = split_own_code(spec.source)
    return f"{path.absolute()}:{factory}"


def _pool(command: Embed) -> dict[str, int]:
    """How many networks, and what each has: a graphics card, or some of the processors' cores."""
    there = ray.cluster_resources()
    cpus = max(1, int(there.get("CPU", 1)))
    gpus = 0 if command.device == "cpu" else int(there.get("GPU", 0))
    if gpus:
        return {"concurrency": command.workers or gpus, "gpus": 1, "threads": 0}
    workers = min(command.workers or max(1, cpus // _PER_WORKER), cpus)
    return {"concurrency": workers, "gpus": 0, "threads": max(1, cpus // workers)}


@contextmanager
def _connected(command: Embed, size: int) -> Iterator[None]:
    """While inside, Ray is there; one that was started here is gone afterwards."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What its own processes write to the terminal is of no use to anybody here.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    address = command.address or os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": max(_LEAST_STORE, 4 * size)}
    _check_answers(address)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with _hushed():
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **({} if address else own))
    except (ConnectionError, ValueError, RuntimeError, OSError, SystemExit) as error:
        where = f"at {address}" if address else "on this machine"
        raise EngineError(
            f"There is no Ray {where} ({_first_line(error)})", "Check --address, or leave it out"
        ) from None
    try:
        # Ray takes the signal that asks to end for itself.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        for name in ("ray.data", "ray"):
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str | None) -> None:
    """Raise `EngineError` where nobody listens: Ray itself would try for minutes, and then end the program."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise EngineError(f"There is no Ray at {address} ({_first_line(error)})", "Check --address") from None


@contextmanager
def _hushed() -> Iterator[None]:
    """Ray's native part says on the terminal that it was told to be quiet."""
    if sys.stderr is not None:
        sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _drive(steps: Steps[Any]) -> None:
    for _ in steps:
        pass


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
