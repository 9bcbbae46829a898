"""`mediabox run --simulated-pixel`: the whole way to Google Photos and back on one machine."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mediabox.__main__ import main
from mediabox.simulate.pixel.syncthing_process import is_installed

needs_syncthing = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")
PICTURES = ("IMG_0101.JPG", "IMG_0110.PNG", "IMG_0003.HEIC")


@pytest.fixture
def pictures(media: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in PICTURES:
        shutil.copy(next((media / "library").rglob(name)), folder)
    return folder


@needs_syncthing
def test_one_run_ends_when_everything_archived_is_freed(pictures: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # The phone holds nothing else: all of it at once is no large deletion to wait for.
    (home / "mediabox.toml").write_text('[destinations.phone]\ntype = "pixel"\nmost_freed_percent = 100\n')
    command = [sys.executable, "-m", "mediabox", "run", "--once", "--simulated-pixel"]

    done = subprocess.run(
        [*command, "--pictures", str(pictures), "--home", str(home)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "3 archived" in done.stdout
    assert "3 left the phone" in done.stdout
    sent = [json.loads(line) for line in (home / "simulated-pixel/cloud.jsonl").read_text().splitlines()]
    assert len({each["digest"] for each in sent}) == len(sent) == len(PICTURES)
    assert (home / "mediabox.toml").read_text().count("\n") == 3  # told on the command line alone
    assert not (home / "overrides.json").exists()


def test_names_the_package_when_there_is_no_syncthing(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    code = main(["run", "--once", "--simulated-pixel", "--pictures", str(pictures), "--home", str(tmp_path / "home")])

    assert code != 0
    assert "sudo apt install syncthing" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@needs_syncthing
def test_phone_and_syncthings_die_with_the_run(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from mediabox.simulate.command.trial import simulated_phone

        with simulated_phone(Path(sys.argv[1])) as trial:
            print(trial.facts.device_id, flush=True)
            os.kill(os.getpid(), 9)
    """
    environment = {**os.environ, "TRACE": str(tmp_path)}  # inherited by all of them: how they are known below

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "home")],
        stdout=subprocess.PIPE, check=False, env=environment,
    )  # fmt: skip

    assert done.returncode == -9
    assert done.stdout  # it was up
    for pid in _with_environment(f"TRACE={tmp_path}"):
        _wait_for_end(pid)


def _with_environment(entry: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if entry.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


def _wait_for_end(pid: int) -> None:
    """Returns when the process is gone; the test's own time limit ends a wait for one that stays."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [])
    finally:
        os.close(descriptor)
