"""One fsync for many, and never one that began too early."""

import errno
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from patience import PATIENCE_S

from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.volume import Volume
from mediabox.errors import NeedsHuman


class Gate:
    """Stands in for the disk: each fsync begins, says so, and ends when told."""

    def __init__(self, volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.count = 0
        self.error: OSError | None = None
        monkeypatch.setattr(volume, "sync_directory", self.sync)

    def sync(self, folder: str) -> None:
        self.count += 1
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE_S)
        if self.error is not None:
            raise self.error


def test_those_who_ask_while_one_is_running_share_the_next(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, syncs = Gate(volume, monkeypatch), DirectorySync()
    asked = threading.Semaphore(0)
    real_get = dict.get

    class Watched(dict):
        def get(self, *key):
            asked.release()
            return real_get(self, *key)

    syncs._gathering = Watched()
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(syncs.sync, volume, "")
        assert gate.begun.acquire(timeout=PATIENCE_S)
        others = [pool.submit(syncs.sync, volume, "") for _ in range(8)]
        for _ in range(9):
            assert asked.acquire(timeout=PATIENCE_S)

        gate.may_end.release()
        first.result(PATIENCE_S)
        assert gate.begun.acquire(timeout=PATIENCE_S)
        assert not any(other.done() for other in others)  # the one that ran when they asked was not theirs
        gate.may_end.release()
        for other in others:
            other.result(PATIENCE_S)

    assert gate.count == 2


def test_a_failed_fsync_is_raised_to_all_who_shared_it(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, syncs = Gate(volume, monkeypatch), DirectorySync()
    gate.error = OSError(errno.EIO, "Input/output error")
    with ThreadPoolExecutor(4) as pool:
        all_of_them = [pool.submit(syncs.sync, volume, "") for _ in range(4)]
        for _ in all_of_them:
            gate.may_end.release()
        errors = [future.exception(PATIENCE_S) for future in all_of_them]

    assert {getattr(error, "issue", None) for error in errors} == {"volume.failing"}
    assert len({id(error) for error in errors}) == 4


def test_after_a_failure_the_next_round_is_a_new_one(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, syncs = Gate(volume, monkeypatch), DirectorySync()
    gate.may_end.release()
    gate.may_end.release()
    gate.error = OSError(errno.EIO, "Input/output error")
    with pytest.raises(NeedsHuman):
        syncs.sync(volume, "")

    gate.error = None
    syncs.sync(volume, "")

    assert gate.count == 2
    assert not syncs._gathering
    assert not syncs._running


def test_two_folders_do_not_wait_for_each_other(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, syncs = Gate(volume, monkeypatch), DirectorySync()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(syncs.sync, volume, folder) for folder in ("2023", "2024")]
        assert gate.begun.acquire(timeout=PATIENCE_S)
        assert gate.begun.acquire(timeout=PATIENCE_S)
        gate.may_end.release(2)
        for one in both:
            one.result(PATIENCE_S)


def test_a_real_folder_is_synced_by_many_threads(volume: Volume) -> None:
    syncs = DirectorySync()
    volume.makedirs("2024")

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(syncs.sync, volume, "2024") for _ in range(200)]:
            done.result(PATIENCE_S)
