"""The daemon's end: whatever a child does, each file gets its result and nothing is left behind."""

import asyncio
import errno
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from native.test_sidecar_calls import RECORD
from patience import PATIENCE_S

from mediabox.contracts import Examination, ExamineRequest
from mediabox.errors import NeedsHuman, Permanent, Retryable
from mediabox.model.asset import Kind
from mediabox.model.recipe import Conversion
from mediabox.native.child_process import Cause, ChildLimits, Lost
from mediabox.native.profiles import Profile
from mediabox.native.sidecar_text import compose
from mediabox.native.worker import MediaWorkers

SCRIPTED = str(Path(__file__).with_name("scripted_child.py"))
LONG = ChildLimits(wall_s=30, cpu_s=30)
SHORT = ChildLimits(wall_s=2, cpu_s=30)


@asynccontextmanager
async def workers(threads: int = 2, **settings: object) -> AsyncIterator[MediaWorkers]:
    """Workers whose children follow scripts; afterwards none of them may be left, not even as a zombie."""
    command = (sys.executable, SCRIPTED, "seccomp,landlock")
    media = MediaWorkers(threads, command=command, **{"still_limits": LONG, **settings})  # type: ignore[arg-type]
    try:
        yield media
    finally:
        await media.close()
        assert psutil.Process().children() == []


@pytest.fixture
def photo(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "photo"
    path.write_bytes(b"the bytes of the photo")
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


async def look(media: MediaWorkers, photo: int, name: str, *, blob_bytes: int = 0) -> Examination:
    return await media.examine(photo, ExamineRequest(name=name, kind=Kind.PICTURE, size_bytes=blob_bytes))


def ends(pid: int) -> bool:
    """Wait until a process that is not our child, or is, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(10_000))
    finally:
        os.close(descriptor)


async def test_the_child_reads_the_open_descriptor_and_its_blobs_come_back_whole(photo: int) -> None:
    async with workers() as media:
        seen = await look(media, photo, "read", blob_bytes=3_000_001)

    assert seen.facts.caption == "the bytes of the photo"
    assert seen.thumbnail == seen.preview == b"t" * 3_000_001


async def test_an_empty_blob_is_not_an_absent_one(photo: int) -> None:
    async with workers() as media:
        empty = await look(media, photo, "plain", blob_bytes=0)
        request = ExamineRequest(name="plain", kind=Kind.PICTURE, size_bytes=9, renditions=False)
        absent = await media.examine(photo, request)

    assert empty.thumbnail == b""
    assert absent.thumbnail is None


async def test_the_culprit_gets_its_verdict_and_the_innocent_its_facts_when_both_were_in_flight(photo: int) -> None:
    async with workers() as media:
        culprit, innocent = await asyncio.gather(
            look(media, photo, "crash-in-company"), look(media, photo, "suffer-in-company")
        )

    assert culprit.facts.damage == "the decoder crashed (signal 11) on this file"
    assert culprit.facts.caption == "tags only"
    assert innocent.facts.damage is None


async def test_a_crash_that_does_not_repeat_is_no_verdict(photo: int) -> None:
    async with workers() as media:
        seen = await look(media, photo, "crash-once")

    assert seen.facts.damage is None
    assert media.counts.tried_alone == 1


async def test_a_file_whose_tags_crash_too_keeps_its_kind_and_type(photo: int) -> None:
    async with workers() as media:
        seen = await media.examine(
            photo, ExamineRequest(name="crash unreadable", kind=Kind.VIDEO, size_bytes=0), media_type="video/mp4"
        )

    assert seen.facts.kind is Kind.VIDEO
    assert seen.facts.media_type == "video/mp4"
    assert seen.facts.damage == "the decoder crashed (signal 11) on this file"


async def test_a_file_that_hangs_is_stopped_and_the_one_beside_it_is_examined(photo: int) -> None:
    hanging = ExamineRequest(name="hang-in-company", kind=Kind.PICTURE, size_bytes=0)
    beside = ExamineRequest(name="suffer-in-company", kind=Kind.VIDEO, size_bytes=0)
    async with workers(still_limits=SHORT, video_limits=LONG) as media:
        hung, innocent = await asyncio.gather(
            media.examine(photo, hanging, media_type="image/heic"),  # the same child decodes both
            media.examine(photo, beside, media_type="video/mp4"),
        )

    assert hung.facts.damage == "took longer than 2 s"
    assert hung.facts.caption == "tags only"
    assert innocent.facts.damage is None


async def test_processor_time_is_limited_apart_from_waiting_time(photo: int) -> None:
    async with workers(threads=1, still_limits=ChildLimits(wall_s=60, cpu_s=0.05)) as media:
        seen = await look(media, photo, "spin")

    assert seen.facts.damage == "took more than 0.05 s of processor time"


async def test_a_file_that_needs_more_memory_gets_it_alone(photo: int) -> None:
    async with workers(memory_bytes=256 << 20) as media:
        seen = await look(media, photo, "take 300")

    assert seen.facts.damage is None
    assert media.counts.tried_alone == 1


async def test_a_file_that_needs_too_much_memory_is_told_so(photo: int) -> None:
    async with workers(memory_bytes=256 << 20) as media:
        seen = await look(media, photo, "take 3000")
        pids = [child.pid for child in media.processes()]

    assert seen.facts.damage == "needs more memory than 512 MiB"
    assert len(pids) == 1  # running out of memory is no reason to end the child


async def test_a_child_that_talks_nonsense_is_replaced(photo: int) -> None:
    async with workers(threads=1) as media:
        seen = await look(media, photo, "babble")
        after = await look(media, photo, "read")

    assert seen.facts.damage is not None
    assert "gave no answer that can be read" in seen.facts.damage
    assert after.facts.caption == "the bytes of the photo"


async def test_a_child_killed_from_outside_costs_the_file_nothing(photo: int) -> None:
    async with workers(threads=1) as media:
        await media.greet()
        working = asyncio.ensure_future(look(media, photo, "suffer-in-company"))
        os.kill(media.processes()[0].pid, signal.SIGKILL)

        assert (await working).facts.damage is None


async def test_a_child_that_is_always_killed_blames_the_box(photo: int) -> None:
    async with workers(threads=1) as media:
        hanging = asyncio.ensure_future(look(media, photo, "hang"))
        killed: set[int] = set()
        while not hanging.done():
            for child in media.processes():
                if child.pid not in killed:
                    killed.add(child.pid)
                    os.kill(child.pid, signal.SIGKILL)
            await asyncio.sleep(0.01)

        with pytest.raises(Retryable, match="killed"):
            await hanging


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ((sys.executable, "-c", "raise SystemExit('no libraries here')"), "no libraries here"),
        (("/nowhere/python",), "No such file or directory"),
        ((__file__,), "Permission denied"),
    ],
    ids=["library", "interpreter", "not executable"],
)
async def test_a_child_that_can_never_start_needs_a_person_and_says_why(
    command: tuple[str, ...], reason: str, photo: int
) -> None:
    media = MediaWorkers(1, command=command)

    with pytest.raises(NeedsHuman, match=reason) as refusal:
        await look(media, photo, "read")
    await media.close()

    assert (refusal.value.issue, refusal.value.subject) == ("sandbox.unavailable", "picture")
    assert "mediabox doctor" in refusal.value.remedy
    assert media.processes() == []


async def test_a_box_without_room_for_another_process_tries_again(photo: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    media = MediaWorkers(1)
    monkeypatch.setattr(subprocess, "Popen", refuse)

    with pytest.raises(Retryable, match="cannot be started"):
        await look(media, photo, "read")
    await media.close()


async def test_last_words_never_block_the_child(photo: int) -> None:
    async with workers(threads=1) as media:
        seen = await look(media, photo, "say")  # more than a pipe holds, then it crashes

    assert seen.facts.damage == "the decoder crashed (signal 11) on this file"


@pytest.mark.parametrize("name", ["nowhere-on-earth", "negative-hash"])
async def test_facts_that_cannot_be_cost_the_file_its_facts_and_no_more(photo: int, name: str) -> None:
    async with workers() as media:
        before = (await look(media, photo, "pid")).facts.caption
        seen = await look(media, photo, name)
        after = (await look(media, photo, "pid")).facts.caption

    assert seen.facts.place is None
    assert seen.facts.perceptual_hashes == ()
    assert seen.facts.caption == "tags only"
    assert "gave no answer that can be read (the child's answer cannot be right: " in (seen.facts.damage or "")
    assert before != after  # who says such things is not asked again


async def test_an_answer_nested_without_end_is_one_that_cannot_be_read(photo: int) -> None:
    async with workers(threads=1) as media:
        seen = await look(media, photo, "nest")

    assert "gave no answer that can be read" in (seen.facts.damage or "")


@pytest.mark.parametrize("answer", [None, b"", b"<x:xmpmeta/>", compose(RECORD).replace(b"0" * 64, b"1" * 64)])
async def test_a_merged_sidecar_that_is_not_of_its_files_replaces_nothing(answer: bytes | None) -> None:
    async with workers(threads=1) as media:
        with pytest.raises(Permanent, match="stays as it is"):
            await media.merge_sidecar(b"what a person wrote", answer, RECORD)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x91" * 100_000, b"\xa3\xed\xa0\x80"])
async def test_a_parsed_sidecar_that_is_none_costs_the_sidecar_only(content: bytes) -> None:
    async with workers(threads=1) as media:
        with pytest.raises(Permanent, match="cannot be read"):
            await media.parse_sidecar(content)


async def test_a_converted_file_of_less_than_nothing_is_made_again(photo: int, tmp_path: Path) -> None:
    conversion = Conversion(name="less than nothing", media_type="image/heic", size_bytes=3, to="image/jpeg")
    with open(tmp_path / "into", "wb") as into:  # noqa: ASYNC230 - nobody waits for this loop
        async with workers(threads=1) as media:
            with pytest.raises(Retryable, match="bytes of less than nothing"):
                await media.convert(photo, into.fileno(), conversion, limits=LONG)


async def test_no_file_gets_the_answer_to_another(photo: int) -> None:
    async with workers(threads=1) as media:
        first = await look(media, photo, "say-again", blob_bytes=1)
        second = await look(media, photo, "read", blob_bytes=2)

    assert first.thumbnail == b"t"
    assert second.facts.caption == "the bytes of the photo"
    assert second.thumbnail == b"tt"


async def test_an_idle_child_is_let_go_and_comes_back_when_wanted(photo: int) -> None:
    async with workers(idle_exit_s=0.05) as media:
        first = await look(media, photo, "pid")
        assert first.facts.caption is not None

        assert await asyncio.to_thread(ends, int(first.facts.caption))
        second = await look(media, photo, "pid")

    assert second.facts.caption != first.facts.caption


async def test_a_child_is_replaced_after_its_share_of_files(photo: int) -> None:
    async with workers(threads=2, recycle_after=3) as media:
        pids = [(await look(media, photo, "pid")).facts.caption for _ in range(7)]

    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


async def test_a_child_that_calls_itself_spent_is_not_used_again(photo: int) -> None:
    async with workers() as media:
        before = (await look(media, photo, "pid")).facts.caption
        await look(media, photo, "spent")
        after = (await look(media, photo, "pid")).facts.caption

    assert before != after


async def test_a_hundred_files_leave_no_descriptor_behind_on_either_side(photo: int) -> None:
    async with workers() as media:
        first = await look(media, photo, "descriptors")
        ours = len(os.listdir("/proc/self/fd"))
        await asyncio.gather(*(look(media, photo, "plain", blob_bytes=1000) for _ in range(100)))
        last = await look(media, photo, "descriptors")

        assert last.facts.caption == first.facts.caption
        assert len(os.listdir("/proc/self/fd")) == ours


async def test_ten_lost_children_leave_no_descriptor_behind(photo: int) -> None:
    async with workers() as media:
        await look(media, photo, "crash")
        await look(media, photo, "plain")
        ours = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await look(media, photo, "crash")
        await look(media, photo, "plain")

        assert len(os.listdir("/proc/self/fd")) == ours


async def test_a_cancelled_caller_may_close_its_descriptor_at_once(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"x")
    async with workers(threads=1) as media:
        descriptor = os.open(path, os.O_RDONLY)
        working = asyncio.ensure_future(look(media, descriptor, "read"))
        await asyncio.sleep(0)
        working.cancel()
        os.close(descriptor)
        with pytest.raises(asyncio.CancelledError):
            await working

        other = os.open(path, os.O_RDONLY)
        assert (await look(media, other, "read")).facts.caption == "x"
        os.close(other)


async def test_closing_ends_what_is_under_way(photo: int) -> None:
    async with workers() as media:
        await media.greet()
        hanging = [asyncio.ensure_future(look(media, photo, "hang")) for _ in range(5)]  # three wait in line
        await asyncio.sleep(0)
        await media.close()

        ends = await asyncio.gather(*hanging, return_exceptions=True)
        assert [type(end) for end in ends] == [Retryable] * 5


async def test_a_file_another_child_can_decode_is_handed_on(photo: int) -> None:
    async with workers() as media:
        seen = await look(media, photo, "large", blob_bytes=5)
        profiles = {child.profile for child in media.processes()}

    assert seen.preview == b"ttttt"
    assert profiles == {Profile.PICTURE, Profile.LARGE}


async def test_a_file_handed_round_in_circles_has_no_decoder(photo: int) -> None:
    async with workers() as media:
        seen = await look(media, photo, "nowhere")

    assert seen.facts.damage == "no decoder takes it"


async def test_a_disk_that_fails_is_not_the_files_fault(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)  # reading it fails, as on a disk that went away
    request = ExamineRequest(name="photo.jpg", kind=Kind.PICTURE, size_bytes=0)
    media = MediaWorkers(1)
    try:
        with pytest.raises(Retryable, match=r"photo\.jpg cannot be read"):
            await media.examine(folder, request)
        with pytest.raises(Retryable, match=r"photo\.jpg cannot be read"):  # now it is the child that meets it
            await media.examine(folder, request, media_type="image/jpeg")
    finally:
        os.close(folder)
        await media.close()


async def test_a_child_the_kernel_killed_for_half_the_boxs_memory_is_a_verdict_on_the_file() -> None:
    async with workers(threads=1) as media:
        large = Lost(Cause.KILLED, "was killed", peak_bytes=psutil.virtual_memory().total * 3 // 4)
        small = Lost(Cause.KILLED, "was killed", peak_bytes=100 << 20)

        assert "needs more memory than this box has" in media._verdict(large)
        with pytest.raises(Retryable):
            media._verdict(small)


async def test_closing_does_not_wait_for_a_child_that_never_gets_ready(photo: int) -> None:
    media = MediaWorkers(1, command=(sys.executable, "-c", "import signal; signal.pause()"))
    starting = asyncio.ensure_future(look(media, photo, "read"))
    while not media.processes():  # noqa: ASYNC110 - it is another thread that starts it
        await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_S):
        await media.close()

    with pytest.raises(Retryable):
        await starting


def test_children_die_with_the_daemon() -> None:
    daemon = textwrap.dedent(
        f"""
        import asyncio, os, sys
        from mediabox.native.worker import MediaWorkers

        async def main():
            media = MediaWorkers(1, command=(sys.executable, {SCRIPTED!r}, "seccomp,landlock"))
            await media.greet()
            print(media.processes()[0].pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", daemon], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert ends(child)
