"""PCA against the SVD; t-SNE and UMAP in their child process, and that nothing of it is ever left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.projections import process
from convviz_gui.engine.projections.messages import read_message, write_message
from convviz_gui.engine.projections.pca import pca
from convviz_gui.engine.projections.plan import Plan, project
from convviz_gui.engine.projections.process import Frame, project_in_child
from tests.engine.test_distortion import measured
from tests.engine.test_neighbours import brute_force, finish

CHILD = [sys.executable, "-m", "convviz_gui.engine.projections.child"]


def clusters(n: int = 120, width: int = 32, groups: int = 6) -> np.ndarray:
    rng = np.random.default_rng(5)
    centres = 4 * rng.normal(size=(groups, width))
    return (centres[np.arange(n) % groups] + rng.normal(size=(n, width))).astype(np.float32)


class TestPca:
    """Exact, centred, not scaled."""

    @pytest.mark.parametrize(("n", "width"), [(200, 30), (30, 200), (40, 40), (1500, 6)])
    def test_equals_the_svd(self, n: int, width: int) -> None:
        features = (np.random.default_rng(n).normal(size=(n, width)) * np.linspace(1, 3, width) + 7).astype(np.float32)
        centred = features.astype(np.float64) - features.astype(np.float64).mean(0)
        left, values, loadings = np.linalg.svd(centred, full_matrices=False)
        scores = left[:, :2] * values[:2]
        # Signs: the loading of largest magnitude is positive.
        largest = loadings[np.arange(2), np.abs(loadings[:2]).argmax(1)]
        np.testing.assert_allclose(pca(features), scores * np.sign(largest), rtol=1e-5, atol=1e-5 * values[0])

    def test_one_picture_is_at_the_origin(self) -> None:
        assert pca(np.array([[3.0, 4.0, 5.0]], np.float32)).tolist() == [[0.0, 0.0]]

    @pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
    def test_equal_pictures_are_all_at_the_origin(self, shape: tuple[int, int]) -> None:
        np.testing.assert_array_equal(pca(np.full(shape, 0.1, np.float32)), np.zeros((shape[0], 2)))

    @pytest.mark.parametrize("width", [2, 9])
    def test_points_on_a_line_have_no_second_component(self, width: int) -> None:
        features = np.outer([0, 1, 2, 5], np.ones(width)).astype(np.float32)
        xy = pca(features)
        np.testing.assert_allclose(xy[:, 0], (np.array([0, 1, 2, 5]) - 2) * np.sqrt(width), rtol=1e-6)
        np.testing.assert_array_equal(xy[:, 1], 0)

    def test_one_feature_gives_one_component(self) -> None:
        assert pca(np.array([[1.0], [3.0]], np.float32)).tolist() == [[-1.0, 0.0], [1.0, 0.0]]


class TestMessages:
    """What goes through the pipe comes out the same; a cut message is no message."""

    def test_round_trip(self) -> None:
        arrays = {
            "a": np.arange(6, dtype=np.float32).reshape(2, 3),
            "b": np.zeros((0, 2)),
            "c": np.array([[2**40], [-1]]),
            "d": np.arange(10)[::2],
        }
        stream = io.BytesIO()
        write_message(stream, {"note": "é\n", "done": 3}, arrays)
        write_message(stream, {"second": True}, {})
        stream.seek(0)
        first, second = read_message(stream), read_message(stream)
        assert first is not None
        assert second is not None
        assert first.facts == {"note": "é\n", "done": 3}
        assert second.facts == {"second": True}
        for name, array in arrays.items():
            assert first.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(first.arrays[name], array)
        assert read_message(stream) is None

    def test_a_cut_message_is_none(self) -> None:
        stream = io.BytesIO()
        write_message(stream, {"x": 1}, {"a": np.ones(5)})
        whole = stream.getvalue()
        for length in range(len(whole)):
            assert read_message(io.BytesIO(whole[:length])) is None

    def test_objects_never_go_through(self) -> None:
        with pytest.raises((TypeError, ValueError)):
            read = io.BytesIO()
            write_message(read, {}, {"a": np.array([{}, None])})
            read.seek(0)
            read_message(read)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every process that is started; at the end none of them runs, and no thread that talked with it."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # The libraries ask the system about its processors.
            if self.args[:2] == CHILD[:2]:
                started.append(self)

    monkeypatch.setattr(process.subprocess, "Popen", Recorded)
    yield started
    assert started
    for child in started:
        assert child.returncode is not None
        for pipe in (child.stdin, child.stdout, child.stderr):
            assert pipe is not None
            assert pipe.closed
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("projection")] == []


def projected(features: np.ndarray, plan: Plan) -> tuple[np.ndarray, list[Frame]]:
    frames: list[Frame] = []
    steps = project(features, pca(features), plan)
    while True:
        try:
            frames.append(next(steps))
        except StopIteration as stop:
            return stop.value, frames


@pytest.mark.usefixtures("children")
def by_umap_learn(expression: str, given: np.ndarray) -> np.ndarray:
    """What umap-learn says, in a process of its own: what it and numba bring is not to live beside Qt."""
    code = (
        "import io, sys, numpy as np\n"
        "from umap import UMAP\n"
        "from umap.umap_ import compute_membership_strengths, find_ab_params, smooth_knn_dist\n"
        "given = np.load(io.BytesIO(sys.stdin.buffer.read()))\n"
        f"np.save(sys.stdout.buffer, np.asarray({expression}))"
    )
    sent = io.BytesIO()
    np.save(sent, given)
    done = subprocess.run([sys.executable, "-c", code], input=sent.getvalue(), capture_output=True, check=True)
    found: np.ndarray = np.load(io.BytesIO(done.stdout))
    return found


class TestLayouts:
    """The plain libraries' pictures, with frames on the way."""

    @pytest.mark.parametrize("projection", ["tsne", "umap"])
    def test_frames_then_points_and_the_same_seed_the_same_points(self, projection: str) -> None:
        features = clusters()
        first, frames = projected(features, Plan(projection, seed=3))
        again, _ = projected(features, Plan(projection, seed=3))
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32
        assert first.shape == (120, 2)
        assert np.isfinite(first).all()
        assert not first.flags.writeable
        nearest_on_plot = brute_force(first, 1, "euclidean")[0][:, 0]
        assert (nearest_on_plot % 6 == np.arange(120) % 6).all(), "groups that are far apart come out apart"
        moving = [frame for frame in frames if frame.xy is not None]
        assert moving
        assert all(
            frame.xy.shape == (120, 2) and 0 < frame.done <= frame.total for frame in moving if frame.xy is not None
        )
        assert [frame.done for frame in frames] == sorted(frame.done for frame in frames)

    def test_tsne_is_the_plain_librarys_from_the_same_start(self) -> None:
        from openTSNE import TSNE
        from openTSNE.initialization import jitter, rescale

        features = clusters(200, 40, 8)
        start = jitter(rescale(pca(features).astype(np.float64)), scale=0.01, random_state=3)
        library = TSNE(perplexity=30, neighbors="exact", random_state=3, initialization=start)
        plain = np.asarray(library.fit(features.astype(np.float64)), np.float32)
        ours, _ = projected(features, Plan("tsne", seed=3))
        trust, reference = (measured(features, xy, 12).trustworthiness for xy in (ours, plain))
        assert trust == pytest.approx(reference, abs=2e-3)

    def test_umap_is_the_plain_librarys(self) -> None:
        features = clusters(150, 20, 5)
        plain = by_umap_learn(
            "UMAP(n_neighbors=12, metric='cosine', random_state=3, n_jobs=1).fit_transform(given)", features
        )
        ours, _ = projected(features, Plan("umap", seed=3, n_neighbors=12))
        np.testing.assert_allclose(ours, plain, atol=1e-4)

    def test_umap_with_our_neighbours_is_as_trustworthy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        features = clusters(300, 20, 5)
        left_to_it, _ = projected(features, Plan("umap", n_neighbors=12))
        monkeypatch.setattr("convviz_gui.engine.projections.plan._DENSE", 0)
        ours, _ = projected(features, Plan("umap", n_neighbors=12))
        trust, reference = (measured(features, xy, 12).trustworthiness for xy in (ours, left_to_it))
        assert trust > reference - 0.01

    @pytest.mark.parametrize("projection", ["tsne", "umap"])
    def test_five_pictures_and_copies(self, projection: str) -> None:
        few, _ = projected(clusters(5), Plan(projection))
        assert np.isfinite(few).all()
        copies = clusters(60)
        copies[:40] = copies[0]
        many, _ = projected(copies, Plan(projection))
        assert np.isfinite(many).all()

    def test_fewer_pictures_than_neighbours_is_said(self) -> None:
        _, frames = projected(clusters(9), Plan("umap", n_neighbors=15))
        assert "UMAP (9 neighbours: there are only 9 pictures)" in {frame.note for frame in frames}


class TestChild:
    """It ends when it should, whoever ends first."""

    @pytest.mark.parametrize("wanted", ["at once", "first word", "first frame"])
    def test_closing_the_generator_ends_it(self, children: list[subprocess.Popen[bytes]], wanted: str) -> None:
        features = clusters()
        steps = project(features, pca(features), Plan("tsne"))
        frame = next(frame for frame in steps if frame.note != "finding neighbours")
        while (wanted == "first word" and frame.note == "starting") or (wanted == "first frame" and frame.xy is None):
            frame = next(steps)
        assert children[0].poll() is None
        steps.close()

    def test_its_failure_is_told_in_its_own_words(self, children: list[subprocess.Popen[bytes]]) -> None:
        with pytest.raises(RuntimeError, match="KeyError: 'astrology'") as caught:
            finish(project_in_child({"projection": "astrology"}, {}))
        assert "Traceback" in str(caught.value)
        assert children[0].returncode == 1

    def test_a_request_larger_than_the_pipe_to_a_child_that_fails(
        self, children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process, "_MODULE", "convviz_gui.no_such_module")
        with pytest.raises(RuntimeError, match="no_such_module"):
            finish(project_in_child({"projection": "tsne"}, {"features": np.zeros((2000, 500), np.float32)}))
        assert len(children) == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
    def test_killed_from_outside_it_speaks_of_memory(self, children: list[subprocess.Popen[bytes]]) -> None:
        features = clusters()
        steps = project(features, pca(features), Plan("tsne"))
        next(frame for frame in steps if frame.note == "starting")
        os.kill(children[0].pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="memory") as caught:
            finish(steps)
        assert caught.value.kind is ProblemKind.RESOURCE

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
    def test_another_signal_is_named(self, children: list[subprocess.Popen[bytes]]) -> None:
        features = clusters()
        steps = project(features, pca(features), Plan("tsne"))
        next(frame for frame in steps if frame.note == "starting")
        os.kill(children[0].pid, signal.SIGSEGV)
        with pytest.raises(EngineError, match=r"ended by SIGSEGV\. .* choose PCA"):
            finish(steps)

    def test_without_a_cache_that_can_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "home").write_text("a file")
        monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        features = clusters()
        assert finish(project(features, pca(features), Plan("tsne"))).shape == (len(features), 2)

    def test_a_damaged_cache_is_made_anew(
        self, children: list[subprocess.Popen[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As numba fails, without compiling for half a minute first.
        (tmp_path / "with_numba.py").write_text(
            "import os, pathlib\n"
            "from convviz_gui.engine.projections import child\n"
            "if pathlib.Path(os.environ['NUMBA_CACHE_DIR'], 'damaged').exists():\n"
            "    exec(compile('raise EOFError', str(pathlib.Path('numba', 'core', 'caching.py')), 'exec'))\n"
            "child.main()\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("CONVVIZ_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        monkeypatch.setattr(process, "_MODULE", "with_numba")
        kept = tmp_path / "home" / "cache" / "numba"
        kept.mkdir(parents=True)
        (kept / "damaged").touch()
        features = clusters()
        assert finish(project(features, pca(features), Plan("tsne"))).shape == (len(features), 2)
        assert len(children) == 2
        assert not (kept / "damaged").exists()

    def test_it_dies_with_its_parent(self) -> None:
        """When a process is gone its end of the pipe is closed, which is what the child watches."""
        features = clusters(600)
        indices, distances = np.tile(np.arange(1, 11), (600, 1)), np.ones((600, 10))
        with subprocess.Popen(CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            arrays = {"indices": indices, "distances": distances, "start": features[:, :2]}
            write_message(child.stdin, {"projection": "tsne", "perplexity": 3.0, "seed": 0}, arrays)
            assert read_message(child.stdout) is not None
            child.stdin.close()
            assert child.wait(timeout=120) == 1

    def test_without_a_request_it_ends_quietly(self) -> None:
        done = subprocess.run(CHILD, input=b"", capture_output=True, timeout=120, check=True)
        assert (done.stdout, done.stderr) == (b"", b"")

    def test_what_libraries_print_does_not_reach_the_parent_as_an_answer(self) -> None:
        program = (
            "from convviz_gui.engine.projections.child import _private_stdout; import os;"
            "answer = _private_stdout(); print('chatter', flush=True); os.write(1, b'more'); answer.write(b'answer');"
            "answer.flush()"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=True)
        assert done.stdout == b"answer"
        assert b"chatter" in done.stderr
        assert b"more" in done.stderr

    def test_it_never_imports_torch_or_qt(self) -> None:
        program = (
            "import sys, convviz_gui.engine.projections.child, convviz_gui.engine.projections.layouts, openTSNE;"
            "print({name.split('.')[0] for name in sys.modules} & {'torch', 'PySide6', 'timm'})"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=True)
        assert done.stdout.strip() == b"set()"


class TestPlan:
    """What cannot work is refused before anything starts."""

    @pytest.mark.parametrize("projection", ["tsne", "umap"])
    def test_too_few_pictures(self, projection: str) -> None:
        with pytest.raises(EngineError, match="needs at least 5 pictures, and there are 4"):
            Plan(projection).check(4)

    @pytest.mark.parametrize("perplexity", [0.5, 7.0])
    def test_perplexity_must_suit_the_number_of_pictures(self, perplexity: float) -> None:
        with pytest.raises(EngineError, match="does not suit 20 pictures"):
            Plan("tsne", perplexity=perplexity).check(20)

    def test_pca_takes_any_number(self) -> None:
        Plan("pca", perplexity=99).check(1)

    @pytest.mark.parametrize("projection", ["pca", "tsne", "umap"])
    def test_equal_pictures_are_one_point(self, projection: str) -> None:
        features = np.full((12, 5), 0.3, np.float32)
        xy, _ = projected(features, Plan(projection))
        np.testing.assert_array_equal(xy, np.zeros((12, 2)))
