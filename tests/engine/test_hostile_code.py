"""Networks whose code means no good, or no longer knows what it means: one sentence, and the program goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from convviz_gui.cli import main
from convviz_gui.engine.errors import EngineError, ProblemKind, one_line
from convviz_gui.engine.jobs import Failed, Job, Message, run_job
from convviz_gui.engine.opening.trust import own_code_digest
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LoadModel, ModelSpec

CODE = """
import sys
import torch
from torch import nn

class Odd(BaseException):
    pass

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x):
        scores = self.fc(self.conv(x).relu().mean((2, 3)))
        {forward}
        return scores

class Secret(Net):
    def state_dict(self, *args, **words):
        raise RuntimeError("nobody may know")

def looping():
    net = Net()
    net._modules["me"] = net
    return net

def build():
    {build}
    return Net()
"""

FORWARDS = {
    "sys.exit(3)": "ends the program",
    "raise Odd('odd')": "odd",
    "raise GeneratorExit": "GeneratorExit",
    "return None": "no tensor",
    "return 'scores'": "no tensor",
    "return scores.long()": "no tensor",
    "return scores[:0]": "cannot take an input",
    "return scores[:, :, None, None, None]": "not class scores",
    "raise ValueError('one\\x1b[2Jtwo')": "cannot take an input",
}
BUILDS = {
    "sys.exit(3)": "ends the program",
    "raise Odd('odd')": "odd",
    "raise GeneratorExit": "GeneratorExit",
    "return Secret()": "nobody may know",
    "return looping()": "RecursionError",
}


class End:
    """Keeps how a job ended."""

    def __init__(self) -> None:
        self.last: Message | None = None

    def send(self, message: Message) -> None:
        self.last = message

    def wants_preview(self) -> bool:
        return False


def write(folder: Path, forward: str = "pass", build: str = "pass") -> str:
    path = folder / "net.py"
    path.write_text(CODE.replace("{forward}", forward).replace("{build}", build))
    return str(path)


@pytest.mark.parametrize(
    ("forward", "build", "says"),
    [
        *((code, "pass", says) for code, says in FORWARDS.items()),
        *(("pass", code, says) for code, says in BUILDS.items()),
    ],
)
def test_whatever_the_users_code_does_the_open_network_stays(
    tmp_path: Path, forward: str, build: str, says: str
) -> None:
    path = write(tmp_path, forward, build)
    session = Session()
    run_job(session, Job(0, "session", LoadModel(ModelSpec("demo"), "cpu")), End())
    before = session.info
    end = End()
    spec = ModelSpec(f"{path}:build", trusted=own_code_digest(path))
    run_job(session, Job(1, "session", LoadModel(spec, "cpu")), end)
    assert isinstance(end.last, Failed)
    assert says in str(end.last.problem)
    assert "\x1b" not in str(end.last.problem)
    if "Odd" not in forward and "GeneratorExit" not in forward:
        assert end.last.problem.kind is ProblemKind.USER
    assert session.info == before


def test_names_that_steer_a_terminal_are_written_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path,
        build="net = Net(); net.add_module('a\\x1b[31mred\\u202e', nn.ReLU()); net.add_module("
        "'b\\nc', nn.ReLU()); net.forward = lambda x: Net.forward(net, list(net.children())[2](x)); return net",
    )
    assert main(["layers", "--model", f"{path}:build", "--trust"]) == 0
    said = "".join(capsys.readouterr())
    assert "red" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    missing = tmp_path / "a\x1b[2Jb\nc.pth"
    assert main(["layers", "--weights", str(missing)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line


def test_one_line() -> None:
    assert one_line("plain – 3×4 …") == "plain – 3×4 …"
    assert one_line("a\x1b[2J\u202eb\nc\ud800") == "a\\x1b[2J\\u202eb c\\ud800"
    assert str(EngineError("a\nb", "c")) == "a b. c"
