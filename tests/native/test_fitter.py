"""`contracts.Fitter` over children: real ones for real files, scripted ones for what children do to each other."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from mediabox.contracts import Fitter
from mediabox.errors import Permanent, Retryable
from mediabox.model.recipe import Conversion, Converted, FitRequest, Insert, Part, Recipe
from mediabox.native import fit
from mediabox.native.child_process import ChildLimits
from mediabox.native.tags.reader import Reader
from mediabox.native.worker import MediaWorkers

SCRIPTED = str(Path(__file__).with_name("scripted_child.py"))
SHORT = ChildLimits(wall_s=2, cpu_s=30)
STILL, CLIP = "library/Shared/beach day.jpg", "library/Shared/IMG_7731.MOV"


@asynccontextmanager
async def workers(threads: int = 2) -> AsyncIterator[MediaWorkers]:
    """Workers whose children follow scripts."""
    media = MediaWorkers(threads, command=(sys.executable, SCRIPTED, "seccomp,landlock"))
    try:
        yield media
    finally:
        await media.close()
        assert psutil.Process().children() == []


@pytest.fixture
async def real() -> AsyncIterator[MediaWorkers]:
    """Workers as the daemon has them."""
    media = MediaWorkers(1)
    yield media
    await media.close()


class Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[int] = []

    def open(self, path: Path) -> int:
        self._open.append(os.open(path, os.O_RDONLY))
        return self._open[-1]

    def made(self, content: bytes, *, name: str = "made") -> int:
        """A file with this content, open for reading and writing."""
        path = self._folder / name
        path.write_bytes(content)
        self._open.append(os.open(path, os.O_RDWR))
        return self._open[-1]

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    held = Files(tmp_path)
    yield held
    held.close()


def wanted(name: str = "photo.jpg", *, clip_bytes: int | None = None) -> FitRequest:
    return FitRequest(name=name, media_type="image/jpeg", size_bytes=1000, clip_bytes=clip_bytes)


def conversion(name: str, *, size_bytes: int = 10) -> Conversion:
    return Conversion(name=name, media_type="image/jpeg", size_bytes=size_bytes, to="image/jpeg")


def put_together(recipe: Recipe, first: int, clip: int) -> bytes:
    parts = {Part.FIRST: first, Part.CLIP: clip}
    return b"".join(
        piece.content if isinstance(piece, Insert) else os.pread(parts[piece.part], piece.length, piece.offset)
        for piece in recipe.pieces
    )


def test_the_workers_are_a_fitter() -> None:
    fitter: type[Fitter] = MediaWorkers

    assert fitter is MediaWorkers


async def test_a_live_photo_is_fitted_and_checked_in_the_child(real: MediaWorkers, files: Files, media: Path) -> None:
    still, clip = files.open(media / STILL), files.open(media / CLIP)
    request = wanted(clip_bytes=os.fstat(clip).st_size)

    recipe = await real.fit(still, clip, request)
    made = put_together(recipe, still, clip)
    assert recipe.edits_clip
    assert recipe.clip_offset is not None
    facts = await real.check(
        files.made(made),
        still,
        media_type="image/jpeg",
        name="photo.jpg",
        size_bytes=recipe.size_bytes,
        clip=(clip, recipe.clip_offset),
    )

    assert recipe == fit.fit(Reader(still), Reader(clip), request)
    assert facts.motion is not None
    assert facts.motion.offset_bytes == recipe.clip_offset


async def test_a_clip_with_another_sample_does_not_pass_in_the_child(
    real: MediaWorkers, files: Files, media: Path
) -> None:
    still, clip = files.open(media / STILL), files.open(media / CLIP)
    recipe = await real.fit(still, clip, wanted(clip_bytes=os.fstat(clip).st_size))
    assert recipe.clip_offset is not None
    made = bytearray(put_together(recipe, still, clip))
    made[made.index(b"mdat", recipe.clip_offset) + 100] ^= 1

    with pytest.raises(Permanent, match="the clip's data are not what they were"):
        await real.check(
            files.made(bytes(made)),
            still,
            media_type="image/jpeg",
            name="photo.jpg",
            size_bytes=recipe.size_bytes,
            clip=(clip, recipe.clip_offset),
        )


async def test_what_cannot_be_fitted_is_permanent_with_the_reason_alone(
    real: MediaWorkers, files: Files, media: Path
) -> None:
    still, no_clip = files.open(media / STILL), files.open(media / "other/notes.txt")

    with pytest.raises(Permanent) as refusal:
        await real.fit(still, no_clip, wanted())

    assert str(refusal.value) == "the clip is neither an MP4 nor a QuickTime movie of today"


async def test_another_picture_does_not_pass_for_the_still(real: MediaWorkers, files: Files, media: Path) -> None:
    still = files.open(media / STILL)
    other = files.open(media / "library/Android/Camera/PXL_20240211_113045123.jpg")

    with pytest.raises(Permanent, match="the made JPEG"):
        await real.check(other, still, media_type="image/jpeg", name="photo.jpg", size_bytes=1000)


async def test_the_child_decodes_an_apple_gain_map_behind_closed_doors(
    real: MediaWorkers, files: Files, samples: Path
) -> None:
    still = files.open(samples / "apple-gainmap-jpeg/apple_gainmap_new.jpg")
    clip = files.open(samples / "live-photo-pair/IMG_1635.MOV")

    recipe = await real.fit(still, clip, wanted())

    assert recipe.note == "gain map rewritten as Ultra HDR"


async def test_a_disk_that_fails_is_not_the_files_fault(real: MediaWorkers, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)  # reading it fails, as on a disk that went away
    try:
        with pytest.raises(Retryable, match="cannot be read"):
            await real.fit(folder, None, wanted())
    finally:
        os.close(folder)


async def test_both_descriptors_arrive_in_order(files: Files) -> None:
    async with workers() as media:
        recipe = await media.fit(files.made(b"still", name="a"), files.made(b"clip", name="b"), wanted("read"))

    assert recipe.pieces == (Insert(content=b"still"), Insert(content=b"clip"))


async def test_a_still_that_crashes_its_child_twice_is_refused(files: Files) -> None:
    async with workers() as media:
        with pytest.raises(Permanent, match="the decoder crashed"):
            await media.fit(files.made(b"x"), None, wanted("crash"))

        assert media.counts.tried_alone == 1


async def test_a_crash_that_does_not_repeat_costs_nothing(files: Files) -> None:
    async with workers() as media:
        recipe = await media.fit(files.made(b"x"), None, wanted("crash-once"))

    assert recipe.pieces == (Insert(content=b"x"),)


async def test_an_encoding_over_its_own_limit_is_stopped(files: Files) -> None:
    async with workers(threads=1) as media:
        with pytest.raises(Permanent, match="took longer than 2 s"):
            await media.convert(files.made(b"x", name="a"), files.made(b"", name="b"), conversion("hang"), limits=SHORT)


async def test_what_a_lost_encoding_had_written_is_cut_off(files: Files, tmp_path: Path) -> None:
    into = files.made(b"y" * 100, name="b")  # as a child left it that was lost
    async with workers() as media:
        converted = await media.convert(files.made(b"x", name="a"), into, conversion("plain", size_bytes=40))

    assert converted == Converted(size_bytes=40, width=1, height=1)
    assert (tmp_path / "b").stat().st_size == 40


async def test_an_encoding_that_is_not_all_there_is_tried_again(files: Files) -> None:
    async with workers() as media:
        with pytest.raises(Retryable, match="0 of 40 bytes"):
            await media.convert(
                files.made(b"x", name="a"), files.made(b"", name="b"), conversion("plain", size_bytes=40)
            )


async def test_a_cancelled_caller_may_close_both_files_at_once(tmp_path: Path, files: Files) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x")
    async with workers(threads=1) as media:
        pair = [os.open(tmp_path / name, os.O_RDONLY) for name in ("a", "b")]
        working = asyncio.ensure_future(media.fit(*pair, wanted("read")))
        await asyncio.sleep(0)
        working.cancel()
        for descriptor in pair:
            os.close(descriptor)
        with pytest.raises(asyncio.CancelledError):
            await working

        other = await media.fit(files.made(b"z"), None, wanted("read"))

    assert other.pieces == (Insert(content=b"z"),)


async def test_fifty_pairs_leave_no_descriptor_behind_on_either_side(files: Files) -> None:
    still, clip = files.made(b"x", name="a"), files.made(b"y", name="b")
    async with workers() as media:
        first = await media.fit(still, clip, wanted("descriptors"))
        ours = len(os.listdir("/proc/self/fd"))
        await asyncio.gather(*(media.fit(still, clip, wanted("read")) for _ in range(50)))
        last = await media.fit(still, clip, wanted("descriptors"))

        assert last == first
        assert len(os.listdir("/proc/self/fd")) == ours
