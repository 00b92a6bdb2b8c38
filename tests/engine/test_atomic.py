"""All or nothing, also on a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from convviz_gui.engine.atomic import staged, write_bytes
from convviz_gui.engine.errors import EngineError


def test_files_move_in_together_and_strangers_stay(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with staged(out, "seal") as staging:
        (staging / "sub").mkdir()
        (staging / "sub" / "a").write_text("1")
        (staging / "seal").write_text("s")
        assert sorted(path.name for path in out.iterdir()) == [staging.name]
    (out / "stranger").write_text("mine")
    with staged(out, "seal") as staging:
        (staging / "seal").write_text("t")
    assert sorted(path.name for path in out.iterdir()) == ["seal", "stranger", "sub"]
    assert (out / "seal").read_text() == "t"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), staged(out, "seal") as staging:
        (staging / "seal").write_text("s")
        _ = 1 / 0
    assert not out.exists()
    out.mkdir()
    (out / "seal").write_text("old")
    with pytest.raises(ZeroDivisionError), staged(out, "seal") as staging:
        (staging / "seal").write_text("new")
        _ = 1 / 0
    assert [path.name for path in out.iterdir()] == ["seal"]
    assert (out / "seal").read_text() == "old"


def test_a_failure_leaves_no_new_folders(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "a" / "b", "seal"):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", ["z", "seal", "sub"])
def test_what_is_in_the_way_of_one_file_keeps_all_others_back(tmp_path: Path, obstacle: str) -> None:
    if obstacle == "sub":
        (tmp_path / "sub").write_text("a file")
    else:
        (tmp_path / obstacle).mkdir()
    (tmp_path / "a").write_text("old")
    with pytest.raises(EngineError, match=obstacle), staged(tmp_path, "seal") as staging:
        (staging / "sub").mkdir()
        for name in ("a", "sub/b", "z", "seal"):
            (staging / name).write_text("new")
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", obstacle])


def test_results_that_end_together_do_not_mix(tmp_path: Path) -> None:
    names = [f"{i:03}" for i in range(300)]

    def write(text: str) -> None:
        with staged(tmp_path, "seal") as staging:
            for name in (*names, "seal"):
                (staging / name).write_text(text)
            together.wait()

    together = threading.Barrier(4)
    threads = [threading.Thread(target=write, args=(text,)) for text in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / name).read_text() for name in (*names, "seal")}) == 1


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(EngineError, match="Cannot write to"), staged(tmp_path / "out", "seal"):
        pass


def test_write_bytes_replaces_and_leaves_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in (b"one", b"two"):
        write_bytes(path, text)
        assert path.read_bytes() == text
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are of POSIX")
def test_no_folder_or_device_is_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(OSError, match="not a file to write to"):
            write_bytes(tmp_path / name, b"x")
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(FileNotFoundError, match="/nowhere/file'"):
        write_bytes(tmp_path / "nowhere" / "file", b"x")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["folder", "pipe"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from convviz_gui.engine.atomic import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), b"x" * 5000)
except OSError:
    sys.exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits a process's file size with setrlimit")
def test_a_file_that_cannot_be_written_whole_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], check=False).returncode == 7
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


KILLED = """
import sys, time
from pathlib import Path
from convviz_gui.engine.atomic import staged
with staged(Path(sys.argv[1]), "seal") as staging:
    (staging / "sub").mkdir()
    (staging / "sub" / "half").write_text("half a result")
    print(staging.name, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked")
def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    others = [
        subprocess.Popen([sys.executable, "-c", KILLED, str(out)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        dead, alive = (other.stdout.readline().strip() for other in others if other.stdout is not None)
        others[0].kill()
        others[0].wait()
        assert sorted(path.name for path in out.iterdir()) == sorted([dead, alive])
        mine = [".convviz-mine", ".convviz-0123456789abcdef", f"{dead}x", f".convviz-00000000-{dead[-16:]}"]
        for name in mine:
            (out / name).mkdir()
            (out / name / "file").write_text("mine")
        link, file = f"{dead[:-1]}{'0' if dead[-1] != '0' else '1'}", f"{dead[:-2]}{'00' if dead[-2] != '0' else '11'}"
        (out / link).symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "file").write_text("mine")
        (out / file).write_text("mine")
        with staged(out, "seal") as staging:
            (staging / "seal").write_text("s")
            assert not (out / dead).exists()
            with staged(out, "seal"):  # a third, in the same process, leaves the first one's alone
                assert (staging / "seal").read_text() == "s"
        assert sorted(path.name for path in out.iterdir()) == sorted([alive, *mine, link, file, "seal"])
        assert (out / alive / "sub" / "half").read_text() == "half a result"
        assert all((out / name / "file").read_text() == "mine" for name in (*mine, link))
    finally:
        for other in others:
            other.kill()
            other.communicate()
