"""The shim counts what changes files below the prefix, whoever does it and however the path is given."""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from faults.shim import Fault, run_under_shim

EVERYTHING = """
import os, sys
root = sys.argv[1]
os.chdir(root)
folder = os.open(".", os.O_RDONLY)
file = os.open("a", os.O_CREAT | os.O_WRONLY, dir_fd=folder)
os.write(file, b"1234"); os.pwrite(file, b"5", 4); os.writev(file, [b"6", b"7"]); os.ftruncate(file, 2)
os.fdatasync(file); os.fsync(folder)
os.link("a", "b", src_dir_fd=folder, dst_dir_fd=folder); os.rename("b", root + "/c"); os.mkdir("d"); os.unlink("c")
open("/dev/null", "w").write("not counted")
print("end")
"""
FAMILIES = ["create", "write", "write", "write", "truncate", "fsync", "fsync", "link", "rename", "mkdir", "unlink"]


def run(root: Path, at: int = 0, fault: Fault = Fault.NONE, *, script: str = EVERYTHING, only: Sequence[str] = ()):
    return run_under_shim([sys.executable, "-c", script, str(root)], root, at, fault, only=only)


def test_every_kind_of_change_is_counted_and_named(tmp_path: Path) -> None:
    counted = run(tmp_path)

    assert counted.stdout == "end\n"
    assert counted.points == len(FAMILIES)
    assert [line.split()[1] for line in counted.trace] == FAMILIES
    assert {line.split()[2] for line in counted.trace} == {str(tmp_path), *(f"{tmp_path}/{name}" for name in "abcd")}


def test_nothing_outside_the_prefix_is_counted(tmp_path: Path) -> None:
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix and more").mkdir()
    argv = [sys.executable, "-c", EVERYTHING, str(tmp_path / "prefix and more")]

    assert run_under_shim(argv, tmp_path / "prefix").points == 0


@pytest.mark.parametrize("at", range(1, len(FAMILIES) + 1))
def test_the_process_dies_before_the_chosen_call(tmp_path: Path, at: int) -> None:
    killed = run(tmp_path, at, Fault.KILL)

    assert killed.was_killed
    assert killed.points == at
    assert (tmp_path / "a").exists() == (at > 1)
    assert (tmp_path / "d").exists() == (at > 10)


def test_a_torn_write_leaves_half(tmp_path: Path) -> None:
    torn = run(tmp_path, 2, Fault.TORN)

    assert torn.was_killed
    assert (tmp_path / "a").read_bytes() == b"12"


@pytest.mark.parametrize(("fault", "words"), [(Fault.ENOSPC, "No space left"), (Fault.EIO, "Input/output error")])
def test_an_errno_is_answered_once(tmp_path: Path, fault: Fault, words: str) -> None:
    failed = run(tmp_path, 6, fault)

    assert words in failed.stderr
    assert failed.returncode == 1
    assert failed.points == 6


def test_a_disk_may_stay_full(tmp_path: Path) -> None:
    script = """
import os, sys
for name in "abcd":
    try:
        os.mkdir(sys.argv[1] + "/" + name)
    except OSError as err:
        print(name, err.errno)
"""
    argv = [sys.executable, "-c", script, str(tmp_path)]

    assert run_under_shim(argv, tmp_path, 2, Fault.ENOSPC).stdout == "b 28\n"
    (tmp_path / "a").rmdir()
    assert run_under_shim(argv, tmp_path, 2, Fault.ENOSPC, is_sticky=True).stdout.splitlines()[0] == "b 28"


def test_only_the_chosen_families_are_counted(tmp_path: Path) -> None:
    assert run(tmp_path, only=("fsync", "link")).points == 3
    assert "Input/output error" in run(tmp_path, 1, Fault.EIO, only=("mkdir",)).stderr


def test_children_count_together(tmp_path: Path) -> None:
    script = """
import subprocess, sys
for name in ("x", "y"):
    subprocess.run([sys.executable, "-c", "import os, sys; os.mkdir(sys.argv[1])", sys.argv[1] + "/" + name])
"""
    assert run(tmp_path, script=script).points == 2


def test_a_database_keeps_what_it_committed_at_every_point(tmp_path: Path) -> None:
    script = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1] + "/test.db", isolation_level=None)
database.execute("PRAGMA journal_mode=WAL"); database.execute("PRAGMA synchronous=FULL")
database.execute("CREATE TABLE IF NOT EXISTS t (a)")
for number in range(2):
    database.execute("INSERT INTO t VALUES (?)", (number,))
    print(number, flush=True)
database.close()
"""
    (tmp_path / "count").mkdir()
    points = run(tmp_path / "count", script=script).points
    assert points > 15

    for at in range(points // 2, points + 1, 3):
        root = tmp_path / str(at)
        root.mkdir()
        killed = run(root, at, Fault.TORN, script=script)
        said = len(killed.stdout.split())
        with sqlite3.connect(root / "test.db") as database:
            kept = database.execute("SELECT count(*) FROM t").fetchone()[0] if said else 0
        database.close()
        assert said <= kept <= 2


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_under_shim([sys.executable, "-c", "import time; time.sleep(100)"], tmp_path, timeout_s=0.2)
