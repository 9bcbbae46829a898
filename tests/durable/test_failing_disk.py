"""A disk that refuses: the right error, nothing believed, and all goes on when it is well again."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from faults.forgetful import Forgetful
from faults.mounts import Socket
from patience import PATIENCE_S

from durable.filing import FINAL, PHOTO, SIDECAR, file, held, pour
from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.publish import replace
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman


@pytest.mark.parametrize(
    ("mode", "issue"), [("enospc", "volume.full"), ("fsync-eio", "volume.failing"), ("eio", None), ("gone", None)]
)
def test_every_step_tells_what_is_wrong_and_works_again_afterwards(mode: str, issue: str | None) -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        spool, syncs = SpoolFolder(volume), DirectorySync()
        pour(spool, 1)
        volume.makedirs("2024/05")
        disk.fail(mode)
        steps = {
            "pour": lambda: pour(spool, 2),
            "file": lambda: file(volume, syncs, spool.path_of(1)),
            "describe": lambda: replace(volume, SIDECAR, b"<x/>"),
        }

        for step in steps.values():
            with pytest.raises((NeedsHuman, Away)) as refusal:
                step()
            found = getattr(refusal.value, "issue", None)
            assert found in {issue, "volume.failing" if issue is None else issue}

        disk.fail("ok")
        for step in steps.values():
            step()
        assert (disk.path / FINAL).read_bytes() == PHOTO


def test_after_a_failed_sync_the_file_is_thrown_away_never_synced_again() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        spool = SpoolFolder(volume)
        sink = spool.sink(1)
        sink.write(PHOTO)
        disk.fail("fsync-eio")

        with pytest.raises(NeedsHuman) as failing:
            asyncio.run(spool.finish(1, sink))

        assert failing.value.issue == "volume.failing"
        disk.fail("ok")
        assert held(spool) == []
        assert spool.sink(1).offset == 0


def test_a_failed_sidecar_leaves_the_old_version_and_no_temp() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        replace(volume, "a.xmp", b"old")
        for mode in ("enospc", "fsync-eio"):
            disk.fail(mode)
            with pytest.raises(NeedsHuman):
                replace(volume, "a.xmp", b"new")
            disk.fail("ok")

        assert (disk.path / "a.xmp").read_bytes() == b"old"
        assert sorted(os.listdir(disk.path)) == [".mediabox", "a.xmp"]


def test_a_disk_that_hangs_holds_its_own_thread_and_lets_go_when_it_wakes() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        disk.fail("hang")
        done = threading.Event()
        thread = threading.Thread(target=lambda: (volume.prove(), done.set()), daemon=True)
        thread.start()
        assert not done.is_set()

        disk.fail("ok")

        assert done.wait(PATIENCE_S)
        thread.join(PATIENCE_S)


def test_a_sidecar_written_while_the_mount_is_detached_is_not_called_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            monkeypatch.setattr("mediabox.durable.publish.fp", lambda name: name == "sidecar.written" and socket.pull())

            with pytest.raises(Away):
                replace(volume, "a.xmp", b"new")

            assert not os.listdir(socket.path)


def test_an_unplugged_disk_leaves_the_bare_mount_point_untouched() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        spool = SpoolFolder(volume)
        pour(spool, 1)
        disk.pull()

        for step in (lambda: pour(spool, 2), lambda: file(volume, DirectorySync(), spool.path_of(1))):
            with pytest.raises(Away):
                step()
        assert not os.listdir(disk.path)
