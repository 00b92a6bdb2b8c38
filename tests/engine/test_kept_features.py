"""Features that are kept on the disk: never other numbers than without, only what is new is computed, nothing fails."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convviz_gui.cli.program import main
from convviz_gui.engine import content
from convviz_gui.engine.datasets import Listing, list_folder
from convviz_gui.engine.latent import kept_features
from convviz_gui.engine.latent.embedding import Embedding, embed_layers
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from convviz_gui.engine.latent.growing import Growing
from convviz_gui.engine.opening.trust import own_code_digest
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec, Preprocess, Run, Target
from tests.engine.test_embedding import write_pictures
from tests.engine.test_neighbours import finish
from tests.engine.tiny import PREPROCESS

CODE = """
import torch
from torch import nn
from blocks import scaled

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.conv2(torch.relu(self.conv1(x)))
        return self.head(scaled(x).mean((2, 3)))

def build():
    torch.manual_seed(5)
    return Net()
"""
BLOCKS = "def scaled(x):\n    return x * 1.5\n"
LAYERS = ("conv1", "conv2", "head")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as unchanged from the moment they are written, as they do after some seconds."""
    monkeypatch.setattr(content, "_SETTLED", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures", 19)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return write_code(tmp_path / "code")


def write_code(folder: Path, net: str = CODE, blocks: str = BLOCKS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.py").write_text(net)
    (folder / "blocks.py").write_text(blocks)
    return folder / "net.py"


def opened(code: Path, precision: str = "float32", preprocess: Preprocess = PREPROCESS) -> Session:
    """A network from a file, in a session of its own, as another start of the program has it."""
    session = Session()
    spec = ModelSpec(f"{code}:build", trusted=own_code_digest(code), preprocess=preprocess)
    finish(session.execute(LoadModel(spec, "cpu", precision)))
    return session


class Counting:
    """How many pictures go through a session's network."""

    def __init__(self, session: Session) -> None:
        self.pictures = 0
        session.model.register_forward_pre_hook(self._count)

    def _count(self, _module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self.pictures += len(inputs[0])


def embedded(session: Session, folder: Path, layers: tuple[str, ...] = LAYERS) -> tuple[dict[str, Embedding], int]:
    """The features, and how many pictures were taken through the network for them."""
    from convviz_gui.engine.latent.identity import identity_of

    finish(identity_of(session))
    counting = Counting(session)
    return finish(embed_layers_cached(session, list_folder(folder), layers, 4)), counting.pictures


def bare(code: Path, folder: Path, layers: tuple[str, ...] = LAYERS) -> dict[str, Embedding]:
    return finish(embed_layers(opened(code), list_folder(folder), layers, 4))


def same(found: dict[str, Embedding], wanted: dict[str, Embedding]) -> None:
    assert found.keys() == wanted.keys()
    for layer in wanted:
        for name in ("paths", "labels", "skipped", "digests"):
            assert getattr(found[layer], name) == getattr(wanted[layer], name)
        np.testing.assert_array_equal(found[layer].features, wanted[layer].features)
        np.testing.assert_array_equal(found[layer].logits, wanted[layer].logits)


def stores() -> list[Path]:
    return [kept.path for kept in kept_features.kept_files() if kept.about]


@pytest.mark.usefixtures("settled")
def test_reopening_computes_nothing_and_gives_the_same_bits(code: Path, folder: Path) -> None:
    first, computed = embedded(opened(code), folder)
    assert computed == 19
    again, computed = embedded(opened(code), folder)
    assert computed == 0
    same(again, first)
    same(again, bare(code, folder))
    assert first["conv1"].note == ""


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_read_again(code: Path, folder: Path) -> None:
    first, _ = embedded(opened(code), folder)
    reads: list[str] = []
    original = content.read_content

    def counting(path: str) -> content.Content:
        reads.append(path)
        return original(path)

    from convviz_gui.engine import folder_pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_pass, "read_content", counting)
        again, _ = embedded(opened(code), folder)
        assert reads == []
        shutil.move(folder / "left/3.png", folder / "left/moved.png")
        embedded(opened(code), folder)
        assert [Path(path).name for path in reads] == ["moved.png"]
    same(again, first)


def test_added_changed_and_moved_files_cost_only_themselves(code: Path, folder: Path) -> None:
    embedded(opened(code), folder)
    Image.new("RGB", (40, 50), "red").save(folder / "left" / "10a.png")
    Image.new("RGB", (40, 50), "blue").save(folder / "right" / "4.png")
    found, computed = embedded(opened(code), folder)
    assert computed == 2
    assert len(found["conv1"].paths) == 20
    wanted = bare(code, folder)
    for layer in LAYERS:
        np.testing.assert_allclose(found[layer].features, wanted[layer].features, rtol=1e-4, atol=1e-6)
    shutil.move(folder / "left", folder.parent / "moved")
    shutil.move(folder.parent / "moved", folder / "middle")
    found, computed = embedded(opened(code), folder)
    assert computed == 0
    assert set(found["conv1"].labels) == {"middle", "right"}


def test_another_layer_is_computed_and_the_known_ones_stay(code: Path, folder: Path) -> None:
    embedded(opened(code), folder, ("conv1",))
    _, computed = embedded(opened(code), folder, ("conv1", "head"))
    assert computed == 19
    for layers in (("head",), ("conv1",), ("head", "conv1")):
        found, computed = embedded(opened(code), folder, layers)
        assert computed == 0
        same(found, bare(code, folder, layers))


def test_other_weights_code_preprocessing_and_precision_never_share(code: Path, folder: Path, tmp_path: Path) -> None:
    wanted, _ = embedded(opened(code), folder)
    others = {
        "weights": opened(write_code(tmp_path / "a", CODE.replace("seed(5)", "seed(6)"))),
        "forward": opened(write_code(tmp_path / "b", CODE.replace("torch.relu", "torch.tanh"))),
        "module beside": opened(write_code(tmp_path / "c", blocks=BLOCKS.replace("1.5", "2.5"))),
        "preprocessing": opened(code, preprocess=Preprocess((32, 32), 40, "bilinear", (0.5,) * 3, (0.2,) * 3)),
        "precision": opened(code, "bfloat16"),
    }
    for what, session in others.items():
        found, computed = embedded(session, folder)
        assert computed == 19, what
        assert not np.array_equal(found["head"].features, wanted["head"].features), what
    again, computed = embedded(opened(write_code(tmp_path / "same")), folder)
    assert computed == 0
    same(again, wanted)


def test_a_variant_of_the_open_network_writes_nothing(code: Path, folder: Path) -> None:
    session = opened(code)
    other = opened(code)
    with torch.no_grad():
        other.model.get_parameter("conv1.weight").mul_(2)
    variant = Session.beside(session, other.model)
    changed, computed = embedded(variant, folder)
    assert computed == 19
    assert stores() == []
    found, computed = embedded(session, folder)
    assert computed == 19
    same(found, bare(code, folder))
    assert not np.array_equal(found["head"].features, changed["head"].features)


def test_weights_that_change_in_memory_are_another_network(code: Path, folder: Path) -> None:
    session = opened(code)
    embedded(session, folder)
    with torch.no_grad():
        session.model.get_parameter("conv1.weight").mul_(2)
    found, computed = embedded(session, folder)
    assert computed == 19
    same(embedded(opened(code), folder)[0], bare(code, folder))
    same(found, finish(embed_layers(session, list_folder(folder), LAYERS, 4)))


CHANCE = CODE.replace("scaled(x)", "scaled(x + torch.rand(1))")
COUNTS = CODE.replace(
    "        x = self.conv2", "        self.n = getattr(self, 'n', 0) + 1\n        x = self.n * self.conv2"
)
OWN_DICE = CODE.replace("        self.head =", "        self.dice = torch.Generator()\n        self.head =").replace(
    "scaled(x)", "scaled(x + torch.rand(1, generator=self.dice))"
)
LEARNS = CODE.replace(
    "        self.head =", "        self.register_buffer('seen', torch.zeros(1))\n        self.head ="
)
LEARNS = LEARNS.replace("        x = self.conv2", "        self.seen += x.mean()\n        x = self.seen + self.conv2")


@pytest.mark.parametrize("net", [CHANCE, COUNTS, OWN_DICE, LEARNS], ids=["chance", "counts", "own dice", "learns"])
def test_networks_that_answer_differently_each_time_are_not_kept(net: str, folder: Path, tmp_path: Path) -> None:
    code = write_code(tmp_path / "code", net)
    for _ in range(2):
        found, computed = embedded(opened(code), folder)
        assert computed == 19
        assert "network" in found["head"].note
    assert stores() == []


def test_files_of_the_same_content_have_the_same_rows(code: Path, folder: Path) -> None:
    shutil.copy(folder / "left/1.png", folder / "right/copy.png")
    shutil.copy(folder / "left/1.png", folder / "again.png")
    for found in (bare(code, folder), embedded(opened(code), folder)[0], embedded(opened(code), folder)[0]):
        head = found["head"]
        copies = [row for row, path in enumerate(head.paths) if Path(path).name in ("1.png", "copy.png", "again.png")]
        assert len({head.digests[row] for row in copies}) == 1
        for row in copies[1:]:
            np.testing.assert_array_equal(head.features[row], head.features[copies[0]])


@pytest.mark.usefixtures("settled")
def test_unreadable_files_are_named_every_time(code: Path, folder: Path) -> None:
    (folder / "left/1.png").write_bytes(b"no picture")
    first, _ = embedded(opened(code), folder)
    again, _ = embedded(opened(code), folder)
    assert [Path(left.path).name for left in again["head"].skipped] == ["1.png"]
    same(again, first)


# ------------------------------------------------------------------------------------------------- cut off and resumed

KILLED = """
import sys
import time
from pathlib import Path
from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.latent import disk_shelf
from convviz_gui.engine.latent.embedding_cache import embed_layers_cached
from tests.engine.test_kept_features import opened

disk_shelf.FLUSH_SECONDS = 0.0
session = opened(Path(sys.argv[1]))
for update in embed_layers_cached(session, list_folder(sys.argv[2]), ("conv1", "head"), 4):
    print(update.done, flush=True)
    time.sleep(0.03)
print("end", flush=True)
"""


def killed_after(code: Path, folder: Path, lines: int, pause: float) -> bool:
    """Run in a process of its own, killed a moment after so many steps; whether it was not at its end by then."""
    words = [sys.executable, "-c", KILLED, str(code), str(folder)]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root, env=environment) as process:
        assert process.stdout is not None
        said = list(itertools.islice(process.stdout, lines))
        time.sleep(pause)
        process.kill()
        rest = process.stdout.read()
    assert said
    return "end" not in rest + said[-1]


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(code: Path, folder: Path) -> None:
    (folder / "left/5.png").write_bytes(b"no picture")
    for twin in ("right/2.png", "left/3.png"):
        shutil.copy(folder / twin, folder / "right" / f"z{Path(twin).name}")
    layers = ("conv1", "head")
    wanted = bare(code, folder, layers)
    draw = random.Random(0)
    assert killed_after(code, folder, 4, draw.uniform(0, 0.02))
    # What is there of it.
    with closing(sqlite3.connect(stores()[0])) as database:
        assert 0 < database.execute("SELECT count(*) FROM pictures").fetchone()[0] < 19
    killed_after(code, folder, 4, draw.uniform(0, 0.02))
    found, computed = embedded(opened(code), folder, layers)
    assert computed < 19
    same(found, wanted)


@pytest.mark.parametrize("stop_at", [2, 3, 4, 5])
def test_a_stopped_run_goes_on_with_the_same_batches(
    code: Path, folder: Path, stop_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "left/5.png").write_bytes(b"no picture")
    shutil.copy(folder / "right/2.png", folder / "right/z2.png")
    wanted = bare(code, folder)
    monkeypatch.setattr(content, "_SETTLED", random.Random(stop_at).choice([0, 10**12]))
    session = opened(code)
    steps = embed_layers_cached(session, list_folder(folder), LAYERS, 4)
    for _ in range(stop_at):
        next(steps)
    steps.close()
    found, computed = embedded(opened(code), folder)
    assert computed <= 20 - 4 * max(0, stop_at - 2)
    same(found, wanted)


# ------------------------------------------------------------------------------------------------------- trouble


def trouble(code: Path, folder: Path, words: str) -> None:
    """A run that cannot use what is kept gives the right numbers and says why."""
    found, _ = embedded(opened(code), folder)
    assert words in found["head"].note
    alike(found, bare(code, folder))


def alike(found: dict[str, Embedding], wanted: dict[str, Embedding]) -> None:
    """The same but for rounding, which depends on the batch."""
    for layer in LAYERS:
        assert found[layer].paths == wanted[layer].paths
        np.testing.assert_allclose(found[layer].features, wanted[layer].features, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found[layer].logits, wanted[layer].logits, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("which", ["rows", "index"])
@pytest.mark.parametrize("damage", ["garbage", "truncated", "scribbled", "empty"])
def test_damaged_files_give_no_wrong_numbers(code: Path, folder: Path, damage: str, which: str) -> None:
    first, _ = embedded(opened(code), folder)
    path = stores()[0] if which == "rows" else kept_features.index_file()
    data = bytearray(path.read_bytes())
    draw = random.Random(1)
    if damage == "scribbled":
        for _ in range(400):
            data[draw.randrange(100, len(data))] ^= draw.randrange(1, 256)
    path.write_bytes(
        {"garbage": b"no database" * 999, "truncated": data[: len(data) // 3], "empty": b""}.get(damage, data)
    )
    # What is damaged is found out and made anew; it may take another run until it is come upon.
    for _ in range(5):
        found, computed = embedded(opened(code), folder)
        alike(found, first)
        if not computed:
            break
    assert computed == 0


@pytest.mark.usefixtures("settled")
def test_a_single_wrong_bit_is_noticed(code: Path, folder: Path) -> None:
    first, _ = embedded(opened(code), folder)
    with closing(sqlite3.connect(stores()[0])) as database, database:
        key, vector = database.execute("SELECT key, vector FROM vectors ORDER BY key DESC LIMIT 1").fetchone()
        database.execute("UPDATE vectors SET vector = ? WHERE key = ?", [bytes([vector[0] ^ 1]) + vector[1:], key])
    found, computed = embedded(opened(code), folder)
    assert computed == 1
    for layer in LAYERS:
        np.testing.assert_allclose(found[layer].features, first[layer].features, rtol=1e-4, atol=1e-6)


def test_what_another_version_made_is_left_alone(code: Path, folder: Path) -> None:
    embedded(opened(code), folder)
    path = stores()[0]
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    trouble(code, folder, "another version")
    assert path.exists()


def test_a_folder_that_cannot_be_made_or_written(code: Path, folder: Path, home: Path) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file where the folder should be")
    trouble(code, folder, "not kept on the disk")


def test_a_full_disk(code: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = sqlite3.connect

    def small(*words: object, **more: object) -> sqlite3.Connection:
        made = original(*words, **more)  # type: ignore[call-overload]
        # The database may not grow beyond what its empty tables take: SQLite's own "database or disk is full".
        made.execute("PRAGMA page_size = 16384")
        made.execute("PRAGMA max_page_count = 9")
        return made

    monkeypatch.setattr(sqlite3, "connect", small)
    trouble(code, folder, "the disk is full")


def test_another_program_that_holds_the_file(code: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convviz_gui.engine.latent import feature_store

    monkeypatch.setattr(feature_store, "BUSY_SECONDS", 0.05)
    (folder / "left/1.png").rename(folder.parent / "1.png")
    embedded(opened(code), folder)
    (folder.parent / "1.png").rename(folder / "left/1.png")
    with closing(sqlite3.connect(stores()[0], isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        trouble(code, folder, "another program")


def test_two_programs_at_once(code: Path, folder: Path) -> None:
    wanted = bare(code, folder)
    sessions = [opened(code), opened(code)]
    runs = [embed_layers_cached(session, list_folder(folder), LAYERS, 4) for session in sessions]
    results: list[dict[str, Embedding]] = []
    while len(results) < 2:
        for run in list(runs):
            try:
                next(run)
            except StopIteration as stop:
                results.append(stop.value)
                runs.remove(run)
    for found in results:
        same(found, wanted)
        assert found["head"].note == ""


@pytest.mark.usefixtures("settled")
def test_files_that_change_while_the_folder_is_read(code: Path, folder: Path) -> None:
    listing = list_folder(folder)
    steps = embed_layers_cached(opened(code), listing, LAYERS, 2)
    for _ in range(3):
        next(steps)
    Path(listing.paths[-1]).unlink()
    Path(listing.paths[-2]).write_bytes(Path(listing.paths[-2]).read_bytes()[:40])
    shutil.copy(listing.paths[0], listing.paths[-3])
    found = finish(steps)["head"]
    assert [left.path for left in found.skipped] == [listing.paths[-2], listing.paths[-1]]
    assert all(left.reason for left in found.skipped)
    # Rows are of what was decoded.
    assert found.digests[-1] == found.digests[0]
    np.testing.assert_array_equal(found.features[-1], found.features[0])


# ---------------------------------------------------------------------------------------------------- how large


def test_the_least_used_is_forgotten_where_the_limit_is_reached(
    code: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded(opened(code), folder)
    first = stores()[0]
    os.utime(first, (1, 1))
    other = write_code(tmp_path / "other", CODE.replace("seed(5)", "seed(6)"))
    monkeypatch.setenv("CONVVIZ_CACHE_GB", str(kept_features.total_size() * 1.2 / 2**30))
    embedded(opened(other), folder)
    assert first not in stores()
    assert len(stores()) == 1
    assert embedded(opened(other), folder)[1] == 0


def test_one_network_alone_forgets_pictures_beyond_the_limit(
    code: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVVIZ_CACHE_GB", str(100_000 / 2**30))
    found, _ = embedded(opened(code), folder)
    same(found, bare(code, folder))
    with closing(sqlite3.connect(stores()[0])) as database:
        assert database.execute("SELECT count(*) FROM pictures").fetchone()[0] < 19


def test_a_limit_of_nothing_keeps_nothing(code: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVVIZ_CACHE_GB", "0")
    found, _ = embedded(opened(code), folder)
    assert found["head"].note == ""
    assert kept_features.kept_files() == []


def test_clearing_says_what_it_frees(code: Path, folder: Path) -> None:
    embedded(opened(code), folder)
    size = kept_features.total_size()
    assert size > 0
    assert kept_features.clear() == size
    assert kept_features.kept_files() == []
    assert embedded(opened(code), folder)[1] == 19


def test_clearing_leaves_a_run_what_it_has_open(code: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = bare(code, folder)
    embedded(opened(code, precision="bfloat16"), folder)
    (unused,) = stores()
    steps = embed_layers_cached(opened(code), list_folder(folder), LAYERS, 4)
    for update in steps:
        if update.done and len(stores()) == 2:
            break
    assert main(["cache", "--clear"]) != 0
    assert "try again when it has ended" in capsys.readouterr().err
    (used,) = stores()
    assert used != unused
    found = finish(steps)
    assert found["head"].note == ""
    same(found, wanted)
    assert embedded(opened(code), folder)[1] == 0, "all of it was kept"
    assert main(["cache", "--clear"]) == 0
    assert kept_features.kept_files() == []


# ------------------------------------------------------------------------------------------- while it is being read


def test_the_first_points_are_there_while_the_rest_is_read(code: Path, folder: Path) -> None:
    (folder / "left/5.png").write_bytes(b"no picture")
    steps = opened(code).execute(
        Run("latent", Target("conv2"), folder=str(folder), settings=(("projection", "pca"), ("batch", 2)))
    )
    frames: list[Points] = []
    while True:
        try:
            update = next(steps)
        except StopIteration as stop:
            final = stop.value.payload
            break
        if update.preview is not None and isinstance(frame := update.preview(), Points):
            frames.append(frame)
    reading = [frame for frame in frames if len(frame.paths) < len(final.paths)]
    assert len(reading) > 5
    for before, after in itertools.pairwise(reading):
        assert tuple(after.paths[: len(before.paths)]) == tuple(before.paths)
        np.testing.assert_array_equal(after.features[: len(before.paths)], before.features)
    for frame in reading:
        assert not frame.final
        assert len(frame.xy) == len(frame.labels) == len(frame.logits) == len(frame.digests) == len(frame.paths)
        rows = [final.paths.index(path) for path in frame.paths]
        np.testing.assert_array_equal(frame.features, final.features[rows])
    assert [Path(left.path).name for left in reading[-1].skipped] == ["5.png"]


def test_growing_maps_are_turned_only_when_the_rows_have_doubled() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 6)) * [9, 5, 1, 1, 1, 1]).astype(np.float32)
    growing = Growing(Run("latent"), "pca", Listing((), (), ()))
    places = [growing.place(features[:n]) for n in range(3, 301)]
    sizes = [len(place) for place in places]
    moved = [
        n
        for n, (one, other) in zip(sizes[1:], itertools.pairwise(places), strict=True)
        if not np.array_equal(one, other[: len(one)])
    ]
    assert moved == [6, 12, 24, 48, 96, 192]
    # From some hundred rows on the axes hardly change, and are never mirrored or exchanged.
    for n in (96, 192):
        one, other = places[n - 4], places[n - 3]
        drift = np.linalg.norm(other[: len(one)] - one, axis=1).mean()
        assert drift < 0.25 * np.linalg.norm(one, axis=1).mean()
    # Distances on the map are those of the principal components.
    exact = pca(features[:192])
    last = places[192 - 3]
    np.testing.assert_allclose(np.linalg.norm(last, axis=1), np.linalg.norm(exact, axis=1), rtol=1e-3, atol=1e-3)


# ----------------------------------------------------------------------------------------------- the command line


def test_the_command_line_shows_and_empties_it(code: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    embedded(opened(code), folder)
    assert main(["cache", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == kept_features.total_size() > 0
    assert told["limit"] == kept_features.LIMIT
    assert {one["pictures"] for one in told["files"] if one["about"]} == {19}
    assert main(["cache"]) == 0
    assert "net.build" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "Freed" in capsys.readouterr().out
    assert kept_features.kept_files() == []
