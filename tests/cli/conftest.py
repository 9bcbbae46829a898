"""A real home, made once by the real box from `tests/media/library`; each test that changes anything has a copy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from patience import PATIENCE_S

from mediabox.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[..., "Said"]


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return msgspec.json.decode(self.out)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    done = program("run", "--once", "--pictures", str(media / "library"), "--home", str(home))
    assert done.code == 0, done.out + done.err
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """`say("status", home=made)`: the command in this process, without the start of another."""

    def _say(*words: str, home: Path | None = None) -> Said:
        at = ["--home", str(home)] if home is not None else []
        try:
            code = main([words[0], *at, *words[1:]])
        except SystemExit as exit_:  # argparse's own
            code = int(exit_.code or 0)
        captured = capfd.readouterr()
        return Said(code, captured.out, captured.err)

    return _say


def program(*words: str, **environment: str) -> Said:
    """The command as a program of its own."""
    path = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    argv = [sys.executable, "-m", "mediabox", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=path)
    return Said(done.returncode, done.stdout, done.stderr)
