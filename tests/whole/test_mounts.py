"""Disks that go while the daemon works, come back, are swapped, fill up, and turn read-only; cards likewise."""

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from faults.mounts import Socket, remount_read_only, tmpfs
from patience import PATIENCE_S

from mediabox.cli import exits
from mediabox.durable.volume import Volume
from whole.box import Household, is_stopped, kill, wait_until
from whole.family import pictures
from whole.soundness import originals_below

FILES = 120
UNDER_WAY = 12  # works of all lanes at once, at most: none but later tries can have missed the disk more often


def ask(box: Household, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(box.home / "mediabox.db", timeout=PATIENCE_S)) as connection:
        return connection.execute(question).fetchall()


def states(box: Household) -> list[tuple[object, ...]]:
    return ask(box, "SELECT id, state, path, digest FROM resource ORDER BY id")


def ends(box: Household) -> list[tuple[object, ...]]:
    """What has come to its end. A picture whose file was open already may still be looked at, and get its place."""
    return ask(
        box, "SELECT id, state, path, digest FROM resource WHERE state NOT IN ('seen','staged','filing') ORDER BY id"
    )


def issues(box: Household) -> set[object]:
    return {row[0] for row in ask(box, "SELECT key FROM issue")}


def times_missed(box: Household) -> int:
    """How many works have found the archive's disk away."""
    return next((row[0] for row in ask(box, "SELECT count FROM issue WHERE key = 'volume.missing'")), 0)  # type: ignore[return-value]


def archived(box: Household) -> int:
    return len(list(box.archive.rglob("*.jpg")))


@contextmanager
def at_work(box: Household, *, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """The daemon as it always runs; told to stop in the end, and it must."""
    running = box.start(once=False, env=env)
    try:
        yield running
        running.send_signal(signal.SIGTERM)
        _, stderr = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == 0, stderr
        assert "Traceback" not in stderr
    finally:
        kill(running)


def test_an_archive_that_vanishes_at_work_is_waited_for(box: Household, tmp_path: Path) -> None:
    box.found(pictures(FILES, size_bytes=20_000))
    disk = tmp_path / "disk"
    with Socket(box.archive) as socket:
        socket.plug(disk)
        with at_work(box, env={"MEDIABOX_FAILPOINT": "file.committed:6:stop"}) as running:
            wait_until(lambda: is_stopped(running))  # amid its work, however slow we look
            assert 5 < archived(box) < FILES
            socket.pull()
            running.send_signal(signal.SIGCONT)
            # What was begun before the pull has had its end:
            wait_until(lambda: times_missed(box) > UNDER_WAY)
            before, missed = ends(box), times_missed(box)
            wait_until(lambda: times_missed(box) > missed)

            assert ends(box) == before, "something came to its end without the disk"
            assert not list(box.archive.iterdir()), "something was written where the disk should be"
            assert len(states(box)) == FILES
            assert not ask(box, "SELECT 1 FROM resource WHERE state = 'quarantined'")

            socket.plug(disk)
            unfinished = "SELECT 1 FROM resource WHERE state IN ('seen', 'staged', 'filing')"
            wait_until(lambda: not ask(box, unfinished))
            wait_until(lambda: not issues(box))  # closed by the first success, a moment later
        box.finish(real=True)
        box.assert_sound()


def test_another_disk_in_its_place_is_refused(box: Household, tmp_path: Path) -> None:
    box.found(pictures(3))
    other = tmp_path / "other"
    other.mkdir()
    Volume.enroll(other, now_ms=1).close()
    with Socket(box.archive) as socket:
        socket.plug(tmp_path / "disk")
        box.finish()
        box.found({"new.jpg": b"\xff\xd8\xff\xe0 new"})
        socket.swap(other)
        before = states(box)

        refused = box.run()

        assert refused.returncode == exits.NEEDS_PERSON
        assert "not" in refused.stderr
        assert str(box.archive) in refused.stderr
        assert issues(box) == {"volume.foreign"}
        assert states(box) == before
        assert {path.name for path in other.rglob("*")} == {".mediabox", "volume.json"}

        socket.swap(tmp_path / "disk")
        box.finish()
        box.assert_sound()


def test_a_disk_swapped_at_work_gets_nothing(box: Household, tmp_path: Path) -> None:
    box.found(pictures(FILES, size_bytes=20_000))
    other = tmp_path / "other"
    other.mkdir()
    Volume.enroll(other, now_ms=1).close()
    with Socket(box.archive) as socket:
        socket.plug(tmp_path / "disk")
        with at_work(box, env={"MEDIABOX_FAILPOINT": "file.committed:6:stop"}) as running:
            wait_until(lambda: is_stopped(running))
            assert 5 < archived(box) < FILES
            socket.swap(other)
            running.send_signal(signal.SIGCONT)
            wait_until(lambda: "volume.foreign" in issues(box))
        assert {path.name for path in other.rglob("*")} == {".mediabox", "volume.json"}

        socket.swap(tmp_path / "disk")
        box.finish()
        box.assert_sound()


def test_a_full_disk_is_named_with_the_bytes_and_goes_on_once_there_is_room(box: Household) -> None:
    box.found(pictures(20, size_bytes=400_000))
    with tmpfs(box.archive, size_bytes=4 << 20):
        full = box.run()

        assert full.returncode == exits.NEEDS_PERSON
        assert f"the disk of the archive ({box.archive}) is full" in full.stdout
        assert "needed, " in full.stdout
        assert 0 < archived(box) < 18

        subprocess.run(["mount", "-o", "remount,size=32m", str(box.archive)], check=True)
        box.finish()
        box.assert_sound()


def test_a_disk_without_room_for_a_film_is_full_until_the_film_fits(box: Household) -> None:
    """Small pictures go on being archived meanwhile, and do not make the disk less full."""
    box.found({**pictures(FILES, size_bytes=3_000), "film.mp4": b"\0\0\0\x18ftypmp42" + bytes(6 << 20)})
    with tmpfs(box.archive, size_bytes=4 << 20):
        running = box.start(once=False)
        try:
            wait_until(lambda: archived(box))
            others = "SELECT step, count(*) FROM job WHERE step NOT IN ('describe', 'manifest') GROUP BY step"
            wait_until(lambda: ask(box, others) == [("fetch", 1)])  # those are written together, later
            assert issues(box) == {"volume.full"}

            subprocess.run(["mount", "-o", "remount,size=32m", str(box.archive)], check=True)
            wait_until(lambda: not issues(box))
            wait_until(lambda: not ask(box, others))
            running.send_signal(signal.SIGTERM)
            _, stderr = running.communicate(timeout=PATIENCE_S)
        finally:
            kill(running)
        assert [stderr.count(event) for event in ("issue_opened", "issue_closed")] == [1, 1], stderr
        box.finish()
        box.assert_sound()


def test_a_disk_turned_read_only_is_said_and_waited_for(box: Household) -> None:
    box.found(pictures(5))
    with tmpfs(box.archive, size_bytes=16 << 20):
        box.finish()
        box.found({"new.jpg": b"\xff\xd8\xff\xe0 new"})
        remount_read_only(box.archive)

        refused = box.run()

        assert refused.returncode == exits.NEEDS_PERSON, refused.stdout + refused.stderr
        assert "The disk is read-only" in refused.stdout
        assert "Traceback" not in refused.stderr

        subprocess.run(["mount", "-o", "remount,rw", str(box.archive)], check=True)
        box.finish()
        box.assert_sound()


def test_a_home_without_room_is_said_in_a_sentence(box: Household, tmp_path: Path) -> None:
    box.found(pictures(40))
    with tmpfs(tmp_path / "small", size_bytes=300 << 10):
        shutil.copy(box.home / "mediabox.toml", tmp_path / "small")
        home, box.home = box.home, tmp_path / "small"

        full = box.run(real=False)

        box.home = home
        assert full.returncode == 3
        assert "free on the disk of the home folder" in full.stderr
        assert "Traceback" not in full.stderr


@pytest.mark.parametrize("moves", [False, True], ids=["keep", "move"])
def test_a_card_that_vanishes_at_work_has_lost_nothing(moves: bool, box: Household, tmp_path: Path) -> None:
    """P3: away is not deleted. Nothing is quarantined, and what was removed is in the archive."""
    box.moves = moves
    card = tmp_path / "card"
    with tmpfs(card, size_bytes=32 << 20), Socket(box.pictures) as socket:
        socket.plug(card)
        box.found(pictures(5 * FILES, size_bytes=20_000))  # many more than fit between a fetch and its filing
        point = "remove.removed:5:stop" if moves else "file.proved:5:stop"
        with at_work(box, env={"MEDIABOX_FAILPOINT": point}) as running:
            wait_until(lambda: is_stopped(running))
            assert ask(box, "SELECT 1 FROM resource WHERE state = 'seen'"), "nothing is left to be fetched"
            socket.pull()
            running.send_signal(signal.SIGCONT)
            wait_until(lambda: "source.missing" in issues(box))

            assert not ask(box, "SELECT name, reason FROM resource WHERE state = 'quarantined'")
            kept = {digest for (digest,) in ask(box, "SELECT digest FROM resource WHERE state = 'archived'")}
            there = {original.digest for original in originals_below(card).values()}
            assert {original.digest for original in box.sources.values()} <= kept | there

            socket.plug(card)
            wait_until(lambda: not ask(box, "SELECT 1 FROM resource WHERE state IN ('seen', 'staged', 'filing')"))
        box.finish(real=True)
        box.assert_sound()


def test_a_card_that_vanishes_with_nothing_left_to_fetch_is_missed_all_the_same(box: Household, tmp_path: Path) -> None:
    """Nobody reads from it any more: the source itself looks, every `poll_s` (a minute unless set)."""
    box.poll_s = 1.0
    card = tmp_path / "card"
    with tmpfs(card, size_bytes=1 << 20), Socket(box.pictures) as socket:
        socket.plug(card)
        box.found(pictures(5))
        with at_work(box):
            wait_until(lambda: archived(box) > 3)
            wait_until(lambda: not ask(box, "SELECT 1 FROM resource WHERE state IN ('seen', 'staged', 'filing')"))
            before = states(box)

            socket.pull()
            wait_until(lambda: "source.missing" in issues(box))
            assert states(box) == before

            socket.plug(card)
            wait_until(lambda: not issues(box))
        box.finish()
        box.assert_sound()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("when", ["1970-01-02 00:00:00", "-30 days"])
def test_the_real_daemon_with_a_wrong_clock_archives_and_removes_nothing(when: str, box: Household) -> None:
    box.moves = True
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})
    box.finish(real=True)
    box.found({"b.jpg": b"\xff\xd8\xff\xe0 b"})
    faked = subprocess.run(["faketime", when, "env"], capture_output=True, text=True, check=True).stdout
    wrong = dict(line.split("=", 1) for line in faked.splitlines() if line.startswith(("LD_PRELOAD=", "FAKETIME")))

    box.run(env=wrong)

    assert archived(box) == 2
    assert (box.pictures / "b.jpg").exists()
    assert "clock.not_set" in issues(box)
    box.finish(real=True)
    assert not (box.pictures / "b.jpg").exists()
    box.assert_sound()
