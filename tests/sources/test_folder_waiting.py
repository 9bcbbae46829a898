"""When a folder source asks to be listed again."""

import asyncio
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.errors import Away, NeedsHuman, Permanent
from mediabox.model.layouts import Layouts
from mediabox.sources.folder import mounts
from mediabox.sources.folder import watch as watching
from mediabox.sources.folder.schedule import RescanSchedule
from mediabox.sources.folder.settings import Settings
from sources.conformance import MemorySink, listed, taken_in
from sources.folders import FakeClock, folder, touch

MOST_EVENTS = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
LONG_S = 30.0  # a test that waits this long has failed
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "Pictures"
    path.mkdir()
    return path


@pytest.fixture
def mounted(tree: Path) -> Iterator[Path]:
    """The tree as a disk of its own."""
    mount(tree)
    yield tree
    while os.path.ismount(tree):
        unmount(tree)


def mount(tree: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "mediabox-test", tree], check=True)


def bind(folder: Path, at: Path) -> None:
    subprocess.run(["mount", "--bind", folder, at], check=True)


def make_read_only(tree: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", tree], check=True)


def unmount(tree: Path) -> None:
    subprocess.run(["umount", "-l", tree], check=True)


async def test_a_written_file_ends_the_wait(tree: Path) -> None:
    source = folder(tree, watch="inotify")
    await listed(source)

    touch(tree / "a.jpg")

    assert await source.wait(LONG_S)
    assert len(await listed(source)) == 1
    await source.close()


@pytest.mark.parametrize("how", ["moved in", "linked", "linked deeper", "below a new folder", "in a known folder"])
async def test_whatever_way_a_file_comes_it_is_noticed(tree: Path, tmp_path: Path, how: str) -> None:
    ready = touch(tmp_path / "ready.jpg")
    (tree / "known" / "deep").mkdir(parents=True)
    source = folder(tree, watch="inotify")
    await listed(source)
    assert not await source.wait(0)

    match how:
        case "moved in":
            shutil.move(ready, tree / "a.jpg")
        case "linked":
            os.link(ready, tree / "a.jpg")
        case "linked deeper":
            os.link(ready, tree / "known" / "deep" / "a.jpg")
        case "below a new folder":
            touch(tree / "known" / "new" / "newer" / "a.jpg")
        case _:
            touch(tree / "known" / "deep" / "a.jpg")

    assert await source.wait(LONG_S)
    assert len(await listed(source)) == 1
    await source.close()


async def test_a_folder_made_after_the_listing_is_watched_by_the_next(tree: Path) -> None:
    source = folder(tree, watch="inotify")
    await listed(source)
    (tree / "new").mkdir()
    assert await source.wait(LONG_S)
    await listed(source)

    touch(tree / "new" / "a.jpg")

    assert await source.wait(LONG_S)
    await source.close()


async def test_files_that_are_left_out_do_not_end_the_wait(tree: Path) -> None:
    source = folder(tree, watch="inotify")
    await listed(source)

    touch(tree / ".syncthing.a.jpg.tmp")
    touch(tree / "a.jpg.part")

    assert not await source.wait(0.05)
    await source.close()


async def test_removing_and_reading_do_not_end_the_wait(tree: Path) -> None:
    touch(tree / "a.jpg", b"content")
    source = folder(tree, watch="inotify")
    (remote,) = await listed(source)

    await source.fetch(taken_in(remote), MemorySink())
    await source.remove(taken_in(remote, b"content"))

    assert not await source.wait(0.05)
    await source.close()


async def test_a_burst_is_one_change(tree: Path) -> None:
    source = folder(tree, watch="inotify", settle_s=0.05)
    await listed(source)
    for number in range(200):
        touch(tree / f"{number}.jpg")

    assert await source.wait(LONG_S)
    assert not source._watcher._drain(source._watcher._inotify)
    await source.close()


async def test_a_change_is_told_once_all_has_been_quiet_for_a_while_or_has_gone_on_for_long() -> None:
    class Scripted(watching.Watcher):
        def __init__(self, *arrivals: bool) -> None:
            super().__init__(mode="inotify", quiet_s=5.0, layouts=Layouts())
            self.arrivals = list(arrivals)
            self.waits: list[float] = []

        async def _arrival(self, timeout_s: float) -> bool:
            self.waits.append(timeout_s)
            return self.arrivals.pop(0)

    nothing, burst, endless = Scripted(False), Scripted(True, True, True, False), Scripted(*[True] * 100)

    assert [await watcher.changed(60) for watcher in (nothing, burst, endless)] == [False, True, True]
    assert nothing.waits == [60]
    assert burst.waits == [60, 5, 5, 5]
    assert len(endless.waits) == 1 + watching.LONGEST_BURST


async def test_more_events_than_the_kernel_keeps_end_the_wait(tree: Path) -> None:
    source = folder(tree, watch="inotify", exclude=("*",))  # nothing but the overflow can tell
    await listed(source)
    path = tree / "a"
    for number in range(MOST_EVENTS + 10):  # two names in turn: equal events in a row would be merged
        os.close(os.open(f"{path}{number % 2}", os.O_CREAT | os.O_WRONLY))

    assert await source.wait(LONG_S)
    await source.close()


async def test_a_tree_that_is_moved_away_ends_the_wait(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a.jpg")
    source = folder(tree, watch="inotify")
    await listed(source)

    shutil.move(tree, tmp_path / "elsewhere")

    assert await source.wait(LONG_S)
    with pytest.raises(Away):
        await listed(source)
    await source.close()


async def test_a_cancelled_wait_loses_no_event(tree: Path) -> None:
    source = folder(tree, watch="inotify")
    await listed(source)
    waiting = asyncio.ensure_future(source.wait(LONG_S))
    await asyncio.sleep(0)
    touch(tree / "a.jpg")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await source.wait(LONG_S)
    await source.close()


async def test_polling_says_so_at_each_interval_and_not_before(tree: Path) -> None:
    clock = FakeClock()
    source = folder(tree, clock=clock, poll_s=60.0)
    await listed(source)

    assert not await source.wait(0)
    clock.advance(59)
    assert not await source.wait(0)
    clock.advance(1)
    assert await source.wait(0)


async def test_watching_lists_anew_only_after_the_longer_interval(tree: Path) -> None:
    clock = FakeClock()
    source = folder(tree, clock=clock, watch="inotify", poll_s=60.0, rescan_s=3600.0)
    await listed(source)

    clock.advance(3599)
    assert not await source.wait(0)
    clock.advance(1)
    assert await source.wait(0)
    await source.close()


def test_a_folder_that_takes_long_to_list_is_listed_less_often() -> None:
    clock = FakeClock()
    schedule = RescanSchedule(Settings(trees=("/nas",), poll_s=60.0), clock=clock)

    schedule.begin()
    clock.advance(30)
    schedule.end(is_watched=False, unsettled=0)

    assert schedule.due_in_s() == 600


async def test_a_poll_really_takes_its_time(tree: Path) -> None:
    source = folder(tree, poll_s=0.02)
    await listed(source)

    assert await source.wait(LONG_S)


async def test_when_the_kernel_refuses_more_watches_it_polls_and_says_what_to_do(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused:
        def __init__(self, **_: object) -> None: ...
        def add_watch(self, path: str, mask: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None: ...

    monkeypatch.setattr(watching, "Inotify", Refused)
    touch(tree / "a.jpg")
    source = folder(tree, watch="inotify", poll_s=0.02)

    assert len(await listed(source)) == 1
    (complaint,) = source.complaints()
    assert complaint.key == "source.watch_limit"
    assert "fs.inotify.max_user_watches=524288" in str(complaint.remedy)
    assert await source.wait(LONG_S)

    monkeypatch.undo()
    monkeypatch.setattr(watching, "_limit", lambda: "524288")  # as a person would
    await listed(source)
    assert not source.complaints()
    await source.close()


async def test_network_folders_are_polled_and_local_ones_watched(tree: Path) -> None:
    def on(filesystem: str) -> bool:
        source = folder(tree, watch="auto")
        source._watcher._filesystem_of = lambda _: filesystem
        source._watcher.begin(tuple(source._trees.values()))
        return source._watcher.is_complete

    assert [on(name) for name in ("ext4", "btrfs", "exfat", "fuseblk", "fuse.mergerfs", "tmpfs")] == [True] * 6
    assert [on(name) for name in ("nfs4", "cifs", "fuse.sshfs", "fuse.rclone", "fuse", "9p")] == [False] * 6


def test_the_mount_table_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "21 1 8:1 / / rw,noatime shared:1 - ext4 /dev/root rw\n"
        "22 21 0:40 / /mnt/my\\040nas rw - nfs4 nas:/photos rw\n"
        "23 21 0:41 / /mnt/my rw master:2 propagate_from:1 - btrfs /dev/sdb rw\n"
        "24 23 0:42 / /mnt/my rw - fuse.sshfs host: rw\n"
    )

    found = [mounts.filesystem_of(path, mountinfo=table) for path in ("/mnt/my nas/2024", "/mnt/my/x", "/mnt/myself")]

    assert found == ["nfs4", "fuse.sshfs", "ext4"]
    assert mounts.filesystem_of("/", mountinfo=tmp_path / "none") == ""


@needs_root
async def test_a_disk_that_vanishes_is_away_though_its_mount_point_is_an_empty_folder(mounted: Path) -> None:
    touch(mounted / "a.jpg")
    source = folder(mounted, watch="inotify")
    (remote,) = await listed(source)

    unmount(mounted)

    assert os.listdir(mounted) == []
    assert await source.wait(LONG_S)
    with pytest.raises(Away):
        await listed(source)
    for attempt in (source.fetch(taken_in(remote), MemorySink()), source.peek(remote), source.remove(taken_in(remote))):
        with pytest.raises(Away):
            await attempt
    assert [complaint.key for complaint in source.complaints()] == ["source.missing"]
    await source.close()


@needs_root
async def test_a_restarted_box_does_not_take_an_absent_disk_for_an_emptied_one(mounted: Path) -> None:
    touch(mounted / "a.jpg")
    (remote,) = await listed(folder(mounted))
    unmount(mounted)
    restarted = folder(mounted)

    assert await listed(restarted) == []
    with pytest.raises(Away):
        await restarted.fetch(taken_in(remote), MemorySink())


@needs_root
async def test_something_written_to_the_bare_mount_point_does_not_make_the_disks_files_gone(mounted: Path) -> None:
    touch(mounted / "a.jpg")
    source = folder(mounted)
    (remote,) = await listed(source)
    unmount(mounted)
    touch(mounted / "stray.jpg")

    with pytest.raises(Away, match="another disk"):
        await source.fetch(taken_in(remote), MemorySink())


@needs_root
async def test_a_disk_mounted_inside_the_tree_is_away_when_it_is_not_there(tree: Path) -> None:
    touch(tree / "own.jpg")
    card = tree / "media" / "card"
    card.mkdir(parents=True)
    mount(card)
    touch(card / "DCIM" / "a.jpg")
    source = folder(tree)
    found = {resource.name: taken_in(resource) for resource in await listed(source)}
    unmount(card)

    with pytest.raises(Away):
        await source.fetch(found["a.jpg"], MemorySink())
    (tree / "own.jpg").unlink()
    with pytest.raises(Permanent):
        await source.fetch(found["own.jpg"], MemorySink())


@needs_root
async def test_a_disk_that_is_mounted_ends_the_wait_though_no_event_tells(tree: Path) -> None:
    source = folder(tree, watch="inotify", poll_s=0.02)
    await listed(source)
    assert not await source.wait(0.01)
    mount(tree)
    try:
        assert await source.wait(LONG_S)
    finally:
        unmount(tree)
    await source.close()


@needs_root
async def test_an_archive_that_is_mounted_into_the_tree_is_never_entered(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a.jpg")
    touch(tmp_path / "archive" / "b.jpg")
    (tree / "alias").mkdir()
    bind(tmp_path / "archive", tree / "alias")
    try:
        found = await listed(folder(tree, excluded=(tmp_path / "archive",)))
    finally:
        unmount(tree / "alias")

    assert [resource.name for resource in found] == ["a.jpg"]


@needs_root
async def test_a_read_only_disk_asks_a_person_instead_of_failing_each_file(mounted: Path) -> None:
    touch(mounted / "a.jpg")
    source = folder(mounted)
    (remote,) = await listed(source)
    make_read_only(mounted)

    with pytest.raises(NeedsHuman) as asked:
        await source.remove(taken_in(remote, b"x"))

    assert asked.value.issue == "source.not_writable"
    assert asked.value.subject == "pictures"
