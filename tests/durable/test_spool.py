"""What is poured is hashed, resumed, made durable, and never reaches into the archive."""

import asyncio
import errno
import gc
import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest
from faults.mounts import Socket, tmpfs
from hypothesis import given, settings
from hypothesis import strategies as st

from durable.filing import DIGEST, PHOTO, held, pour
from mediabox.durable.publish import publish
from mediabox.durable.spool import SPOOL, SpoolFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman, Retryable


def test_what_was_poured_comes_back_with_its_digest(spool: SpoolFolder) -> None:
    sink = spool.sink(7)
    sink.write(PHOTO[:1000])
    sink.write(memoryview(PHOTO)[1000:2000])
    sink.write(bytearray(PHOTO[2000:]))

    staged = asyncio.run(spool.finish(7, sink))

    assert (staged.digest, staged.size_bytes) == (DIGEST, len(PHOTO))
    descriptor = spool.open(7)
    try:
        assert os.pread(descriptor, len(PHOTO) + 1, 0) == PHOTO
    finally:
        os.close(descriptor)


def test_an_empty_file_is_a_file(spool: SpoolFolder) -> None:
    staged = asyncio.run(spool.finish(7, spool.sink(7)))

    assert (staged.digest, staged.size_bytes) == (hashlib.sha256().hexdigest(), 0)
    assert held(spool) == [7]


def test_an_interrupted_fetch_goes_on_where_it_stopped(spool: SpoolFolder) -> None:
    first = spool.sink(7, version="1")
    first.write(PHOTO[:123_457])
    first.close()

    second = spool.sink(7, version="1")
    assert second.offset == 123_457
    second.write(PHOTO[123_457:])

    assert (asyncio.run(spool.finish(7, second))).digest == DIGEST


def test_starting_over_forgets_what_was_held(spool: SpoolFolder) -> None:
    pour(spool, 7, b"an older version, longer than the new one" * 20_000)
    sink = spool.sink(7, version="1")

    sink.restart()
    assert sink.offset == 0
    sink.write(PHOTO)

    assert asyncio.run(spool.finish(7, sink)) == asyncio.run(spool.finish(7, spool.sink(7, version="1")))
    assert (spool._volume.root / spool.path_of(7)).read_bytes() == PHOTO


def test_a_sink_costs_nothing_until_it_is_used(volume: Volume, spool: SpoolFolder) -> None:
    spool.sink(7)

    assert not volume.exists(SPOOL)
    assert held(spool) == []


@pytest.mark.parametrize("use", ["write", "restart", "offset"])
def test_fetching_again_after_publishing_never_reaches_into_the_archive(
    volume: Volume, spool: SpoolFolder, use: str
) -> None:
    pour(spool, 7)
    publish(volume, spool.path_of(7), "a.jpg")

    sink = spool.sink(7)
    match use:
        case "write":
            sink.write(b"other bytes")
        case "restart":
            sink.restart()
            sink.write(b"other bytes")
        case "offset":
            assert sink.offset == 0
    asyncio.run(spool.finish(7, sink))

    assert (volume.root / "a.jpg").read_bytes() == PHOTO


def test_bytes_written_by_someone_else_are_noticed(volume: Volume, spool: SpoolFolder) -> None:
    sink = spool.sink(7)
    sink.write(PHOTO)
    with open(volume.root / spool.path_of(7), "ab") as intruder:
        intruder.write(b"x")

    with pytest.raises(Retryable, match="discarded"):
        asyncio.run(spool.finish(7, sink))

    assert held(spool) == []


def test_a_sink_of_another_spool_is_a_bug(spool: SpoolFolder) -> None:
    class Other:
        offset = 0

        def restart(self) -> None: ...
        def write(self, chunk: bytes | bytearray | memoryview) -> None: ...

    with pytest.raises(TypeError):
        asyncio.run(spool.finish(7, Other()))


def test_a_lost_file_is_to_be_fetched_again(spool: SpoolFolder) -> None:
    with pytest.raises(Retryable) as lost:
        spool.open(7)

    assert not isinstance(lost.value, Away)


def test_sweeping_keeps_what_is_asked_for_and_discarding_may_be_repeated(volume: Volume, spool: SpoolFolder) -> None:
    for resource_id in (1, 2, 30):
        pour(spool, resource_id, b"x")
    (volume.root / SPOOL / "stray").write_bytes(b"x")
    assert held(spool) == [1, 2, 30]

    assert spool.sweep({2}) == 3
    assert os.listdir(volume.root / SPOOL) == ["2.part"]

    asyncio.run(spool.discard(2))
    asyncio.run(spool.discard(2))
    assert held(spool) == []


def test_a_sink_let_go_of_closes_its_file(spool: SpoolFolder) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for resource_id in range(20):
        spool.sink(resource_id).write(b"x")
    gc.collect()

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_cannot_fit_is_refused_before_its_first_byte(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "memory", size_bytes=4 << 20) as root, Volume.enroll(root, now_ms=1) as volume:
        sink = SpoolFolder(volume).sink(7, size_bytes=5 << 20)

        with pytest.raises(NeedsHuman, match=r"5\.2 MB needed") as full:
            sink.write(b"x")

        assert full.value.issue == "volume.full"


def test_a_disk_that_fills_up_on_the_way_says_so_and_the_fetch_goes_on_later(tmp_path: Path) -> None:
    video = random.Random(2).randbytes(3 << 20)
    with tmpfs(tmp_path / "memory", size_bytes=4 << 20) as root, Volume.enroll(root, now_ms=1) as volume:
        spool = SpoolFolder(volume)
        (root / "films").write_bytes(bytes(2 << 20))
        sink = spool.sink(7, version="1")  # a source that does not know the length
        with pytest.raises(NeedsHuman, match="write to") as full:
            for start in range(0, len(video), 1 << 16):
                sink.write(video[start : start + (1 << 16)])
        (root / "films").unlink()

        assert full.value.issue == "volume.full"
        assert spool.sink(7, version="1").offset > 0
        pour(spool, 7, video)


def test_a_disk_pulled_on_the_way_is_away_and_nothing_is_called_staged(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            spool = SpoolFolder(volume)
            sink = spool.sink(7, version="1")
            sink.write(PHOTO)
            socket.pull()

            with pytest.raises(Away):
                asyncio.run(spool.finish(7, sink))
            with pytest.raises(Away):
                spool.sink(8).write(b"x")
            with pytest.raises(Away):
                spool.open(7)
            with pytest.raises(Away):
                spool.sweep(set())
            assert not os.listdir(socket.path)

            socket.plug(tmp_path / "disk")
            assert (asyncio.run(spool.finish(7, spool.sink(7, version="1")))).digest == DIGEST


def test_a_long_pour_notices_on_its_way_that_the_disk_was_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediabox.durable.spool._PROVE_EVERY_BYTES", 100_000)
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            sink = SpoolFolder(volume).sink(7)
            sink.write(bytes(60_000))
            socket.pull()
            sink.write(bytes(60_000))

            with pytest.raises(Away):
                sink.write(bytes(60_000))


def test_what_an_input_output_error_touched_is_not_kept(spool: SpoolFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    sink = spool.sink(7)
    sink.write(PHOTO)
    with monkeypatch.context() as failing:
        failing.setattr("mediabox.durable.spool.write_all", fail)
        with pytest.raises(NeedsHuman) as refusal:
            sink.write(PHOTO)

    assert refusal.value.issue == "volume.failing"
    assert held(spool) == []
    assert sink.offset == 0


def test_bytes_synced_on_a_mount_since_replaced_are_not_called_staged(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            spool = SpoolFolder(volume)
            sink = spool.sink(7)
            shutil.copytree(tmp_path / "disk", tmp_path / "copy")
            sink.write(PHOTO)
            socket.swap(tmp_path / "copy")

            with pytest.raises(Away, match="reconnected"):
                asyncio.run(spool.finish(7, sink))
            assert held(spool) == []
            pour(spool, 7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 5000), st.sampled_from(["new sink", "restart"])), max_size=12))
def test_any_mixture_of_pouring_stopping_and_starting_over_gives_the_right_digest(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    content = bytearray()
    with Volume.enroll(tmp_path_factory.mktemp("volume"), now_ms=1) as volume:
        spool = SpoolFolder(volume)
        sink = spool.sink(1, version="1")
        for number, step in enumerate(steps):
            match step:
                case "new sink":
                    sink = spool.sink(1, version="1")
                    assert sink.offset == len(content)
                case "restart":
                    sink.restart()
                    content.clear()
                case int(size):
                    chunk = bytes([number]) * size
                    sink.write(chunk)
                    content += chunk
        staged = asyncio.run(spool.finish(1, sink))

    assert staged.digest == hashlib.sha256(content).hexdigest()
    assert staged.size_bytes == len(content)


def interrupted(spool: SpoolFolder, *, version: str, held: bytes) -> None:
    sink = spool.sink(7, version=version)
    sink.write(held)
    sink.close()


@pytest.mark.parametrize("next_version", ["2", None])
def test_what_was_of_another_version_is_never_continued(spool: SpoolFolder, next_version: str | None) -> None:
    interrupted(spool, version="1", held=PHOTO[:1000])

    sink = spool.sink(7, version=next_version)

    assert sink.offset == 0
    sink.write(PHOTO)
    assert asyncio.run(spool.finish(7, sink)).digest == DIGEST


def test_after_a_reboot_only_what_was_synced_is_continued(spool: SpoolFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediabox.durable.spool._PROVE_EVERY_BYTES", 1000)
    sink = spool.sink(7, version="1")
    for start in range(0, 5000, 500):
        sink.write(PHOTO[start : start + 500])
    sink.close()
    monkeypatch.setattr("mediabox.durable.mark.boot_id", lambda: "the next boot")

    again = spool.sink(7, version="1")

    assert again.offset == 4000  # synced before the bytes from 4,000 on were written
    again.write(PHOTO[4000:])
    assert asyncio.run(spool.finish(7, again)).digest == DIGEST


@pytest.mark.parametrize("note", [b"", b'{"version":"1","bo', b"null"])
def test_a_torn_note_means_beginning_anew(spool: SpoolFolder, volume: Volume, note: bytes) -> None:
    interrupted(spool, version="1", held=PHOTO[:1000])
    (volume.root / ".mediabox" / "spool" / "7.mark").write_bytes(note)

    assert spool.sink(7, version="1").offset == 0


def test_notes_go_with_their_files(spool: SpoolFolder, volume: Volume) -> None:
    interrupted(spool, version="1", held=b"x")
    spooled = volume.root / ".mediabox" / "spool"

    spool.sweep({7})
    assert sorted(os.listdir(spooled)) == ["7.mark", "7.part"]
    asyncio.run(spool.discard(7))
    assert os.listdir(spooled) == []
