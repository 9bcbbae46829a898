"""The folder a peer fetches from: whole copies under final names, and never a link to an original."""

import errno
import fcntl
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.every_point import ROOT
from faults.forgetful import Forgetful
from faults.mounts import Socket, tmpfs, unmount
from patience import PATIENCE_S

from durable.delivering import (
    CLIP,
    DIGESTS,
    EXPECTED,
    MAKING,
    MOTION,
    MOTION_BYTES,
    NAME,
    PLAIN,
    STILL,
    TAKEN_MS,
    WHOLE,
    Files,
    deliver,
    deliver_all,
    digest_of,
    halves,
    lacks,
    lay_out,
    opened,
)
from mediabox.contracts import Made
from mediabox.durable.outbox import OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.model.recipe import Insert, Part, Recipe, Span

MOTION_MADE = Made(size_bytes=len(MOTION_BYTES), digest=digest_of(MOTION_BYTES))
PYTHONPATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    lay_out(tmp_path)
    return tmp_path / "archive"


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with opened(tmp_path / "outbox") as volume:
        yield volume


@pytest.fixture
async def outbox(volume: Volume) -> OutboxFolder:
    outbox = OutboxFolder(volume)
    await outbox.prepare()
    return outbox


async def assembled(outbox: OutboxFolder, archive: Path, name: str = NAME, recipe: Recipe = MOTION) -> Made:
    with Files(archive) as files:
        return await outbox.assemble(name, recipe, files, DIGESTS)


def making(outbox: OutboxFolder) -> list[str]:
    return sorted(os.listdir(outbox.folder.parent / MAKING))


# ---------------------------------------------------------------- one file's way


async def test_a_file_is_made_unseen_and_seen_whole(outbox, archive) -> None:
    made = await assembled(outbox, archive)
    assert made == MOTION_MADE
    assert frozenset(await outbox.files()) == frozenset()

    await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)

    path = outbox.folder / NAME
    assert path.read_bytes() == MOTION_BYTES
    assert path.stat().st_mode & 0o777 == 0o444
    assert path.stat().st_mtime_ns == TAKEN_MS * 1_000_000
    assert frozenset(await outbox.files()) == {NAME}
    assert await outbox.is_whole(NAME, made)
    assert making(outbox) == []


async def test_the_peers_program_may_write_in_the_folder_as_another_of_the_group(outbox) -> None:
    assert outbox.folder.stat().st_mode & 0o7777 == 0o2775


async def test_a_photo_of_before_1970_keeps_its_time(outbox, archive) -> None:
    made = await assembled(outbox, archive)

    await outbox.publish(NAME, made, modified_at_ms=-1_000)

    assert (outbox.folder / NAME).stat().st_mtime_ns == -1_000_000_000


async def test_the_clip_can_be_hashed_where_it_lies(outbox, archive) -> None:
    await assembled(outbox, archive)

    assert await outbox.digest_of(NAME, MOTION.clip_offset, len(CLIP)) == digest_of(CLIP)
    with pytest.raises(Retryable, match="ends after"):
        await outbox.digest_of(NAME, MOTION.clip_offset, len(CLIP) + 1)


async def test_what_somebody_else_filled_is_sealed_opened_and_thrown_away(outbox) -> None:
    descriptor = await outbox.scratch("a.clip")
    os.write(descriptor, b"encoded anew")
    os.close(descriptor)

    made = await outbox.seal("a.clip")

    assert made == Made(size_bytes=12, digest=digest_of(b"encoded anew"))
    reading = await outbox.open_made("a.clip")
    assert os.read(reading, 100) == b"encoded anew"
    with pytest.raises(OSError, match="Bad file"):
        os.write(reading, b"x")
    os.close(reading)
    await outbox.discard("a.clip")
    await outbox.discard("a.clip")
    assert making(outbox) == []


async def test_a_second_attempt_begins_with_an_empty_file(outbox, archive) -> None:
    descriptor = await outbox.scratch(NAME)
    os.write(descriptor, b"x" * 1_000_000)
    os.close(descriptor)

    assert await assembled(outbox, archive) == MOTION_MADE


async def test_an_empty_recipe_is_an_empty_file(outbox) -> None:
    made = await outbox.assemble("a", Recipe(pieces=(), media_type="x/y"), {}, {})

    assert made == Made(size_bytes=0, digest=digest_of(b""))


# ---------------------------------------------------------------- what must not be


@pytest.mark.parametrize("recipe", [MOTION, WHOLE])
async def test_nothing_of_an_original_is_shared_by_name(outbox, archive, recipe) -> None:
    made = await assembled(outbox, archive, recipe=recipe)
    await outbox.publish(NAME, made, modified_at_ms=None)

    copy, original = (outbox.folder / NAME).stat(), (archive / "still").stat()
    assert (copy.st_nlink, original.st_nlink) == (1, 1)
    assert copy.st_ino != original.st_ino


@pytest.mark.parametrize("part", ["still", "clip"])
async def test_an_original_with_other_bytes_than_archived_goes_nowhere(outbox, archive, part) -> None:
    (archive / part).chmod(0o644)
    content = bytearray((archive / part).read_bytes())
    content[1234] ^= 1
    (archive / part).write_bytes(content)

    with pytest.raises(Retryable, match="differs from what was archived"):
        await assembled(outbox, archive)
    if part == "still":
        with pytest.raises(Retryable, match="differs from what was archived"):
            await assembled(outbox, archive, recipe=WHOLE)


async def test_bytes_that_were_read_wrong_once_are_not_sent(outbox, archive, monkeypatch) -> None:
    """The disk answers another bit while it is copied, and the right one when it is asked again."""
    real, asked = os.pread, []

    def faulty(descriptor: int, length: int, offset: int) -> bytes:
        content = real(descriptor, length, offset)
        asked.append(offset)
        return bytes([content[0] ^ 1]) + content[1:] if len(asked) == 1 else content

    monkeypatch.setattr("mediabox.durable.assembling._FICLONE", 0)  # so that it is read at all
    monkeypatch.setattr("mediabox.durable.assembling.os.pread", faulty)

    with pytest.raises(Retryable, match="differs from what was archived"):
        await assembled(outbox, archive, recipe=WHOLE)


@pytest.mark.parametrize("recipe", [MOTION, WHOLE])
async def test_an_original_that_ends_too_early_is_told(outbox, archive, recipe) -> None:
    (archive / "still").chmod(0o644)
    os.truncate(archive / "still", 1000)

    with pytest.raises(Retryable, match=r"ends after 1,000 bytes; 300,000 were expected"):
        await assembled(outbox, archive, recipe=recipe)


async def test_an_archive_that_cannot_be_read_is_not_called_a_broken_outbox(outbox, archive, monkeypatch) -> None:
    def failing(descriptor: int, length: int, offset: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("mediabox.durable.assembling.os.pread", failing)

    with pytest.raises(Retryable, match="archived file is not readable"):
        await assembled(outbox, archive)


@pytest.mark.parametrize("stranger", [b"", b"somebody's", MOTION_BYTES[:-1], MOTION_BYTES + b"x"])
async def test_a_strangers_file_is_never_replaced(outbox, archive, stranger) -> None:
    (outbox.folder / NAME).write_bytes(stranger)
    made = await assembled(outbox, archive)

    with pytest.raises(FileExistsError):
        await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)

    assert (outbox.folder / NAME).read_bytes() == stranger


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
async def test_neither_is_anything_else_of_that_name(outbox, archive, tmp_path, kind) -> None:
    path = outbox.folder / NAME
    (tmp_path / "elsewhere").write_bytes(MOTION_BYTES)
    {"folder": path.mkdir, "link": lambda: path.symlink_to(tmp_path / "elsewhere"), "fifo": lambda: os.mkfifo(path)}[
        kind
    ]()
    made = await assembled(outbox, archive)

    with pytest.raises(FileExistsError):
        await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)

    assert frozenset(await outbox.files()) == frozenset()


async def test_what_was_published_before_a_crash_is_taken_for_done(outbox, archive) -> None:
    made = await assembled(outbox, archive)
    await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)
    os.utime(outbox.folder / NAME, (0, 0))
    (outbox.folder / NAME).chmod(0o644)
    inode = (outbox.folder / NAME).stat().st_ino

    await assembled(outbox, archive)
    await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)

    status = (outbox.folder / NAME).stat()
    assert (status.st_ino, status.st_mode & 0o777, status.st_mtime_ns) == (inode, 0o444, TAKEN_MS * 1_000_000)
    assert making(outbox) == []


async def test_a_file_that_reads_back_otherwise_is_taken_away_before_the_peer_believes_it(
    outbox, archive, monkeypatch
) -> None:
    made = await assembled(outbox, archive)
    monkeypatch.setattr("mediabox.durable.outbox.fp", lambda point: point == "deliver.published" and rot(outbox))

    with pytest.raises(NeedsHuman) as refusal:
        await outbox.publish(NAME, made, modified_at_ms=TAKEN_MS)

    assert refusal.value.issue == "volume.failing"
    assert frozenset(await outbox.files()) == frozenset()


def rot(outbox: OutboxFolder) -> None:
    (outbox.folder / NAME).chmod(0o644)
    with open(outbox.folder / NAME, "r+b") as file:
        file.seek(5000)
        file.write(b"rot")
        os.fsync(file.fileno())


async def test_whole_is_only_the_very_file(outbox, archive) -> None:
    made = await assembled(outbox, archive)
    assert not await outbox.is_whole(NAME, made)
    await outbox.publish(NAME, made, modified_at_ms=None)
    rot(outbox)

    assert not await outbox.is_whole(NAME, made)


async def test_taking_back_is_safe_to_repeat(outbox, archive) -> None:
    await outbox.publish(NAME, await assembled(outbox, archive), modified_at_ms=None)

    await outbox.remove(NAME)
    await outbox.remove(NAME)

    assert frozenset(await outbox.files()) == frozenset()


async def test_what_was_begun_and_never_published_is_cleared_and_nothing_else(outbox, archive) -> None:
    await outbox.publish(NAME, await assembled(outbox, archive), modified_at_ms=None)
    await assembled(outbox, archive, PLAIN, WHOLE)

    await outbox.clear()

    assert making(outbox) == []
    assert frozenset(await outbox.files()) == {NAME}


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", ".."])
async def test_no_name_leads_out_of_the_folder(outbox, archive, name) -> None:
    with pytest.raises((ValueError, OSError, NeedsHuman, Retryable)):
        await outbox.publish(name, MOTION_MADE, modified_at_ms=None)

    assert frozenset(await outbox.files()) == frozenset()
    assert not (outbox.folder.parent.parent / "x").exists()


async def test_no_descriptor_is_left_open(outbox, archive) -> None:
    before = os.listdir("/proc/self/fd")

    await deliver(outbox, archive)
    frozenset(await outbox.files())
    with pytest.raises(Retryable):
        await outbox.digest_of(NAME, 0, 1)  # it is published, and no longer there
    (archive / "still").chmod(0o644)
    os.truncate(archive / "still", 10)
    with pytest.raises(Retryable):
        await assembled(outbox, archive)

    assert len(os.listdir("/proc/self/fd")) == len(before)


# ---------------------------------------------------------------- disks


async def test_a_full_disk_is_said_before_a_byte_is_written(tmp_path, archive) -> None:
    with tmpfs(tmp_path / "small", size_bytes=400_000) as root, opened(root) as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()

        with pytest.raises(NeedsHuman) as full:
            await assembled(outbox, archive)

        assert full.value.issue == "volume.full"
        assert making(outbox) == []


async def test_the_reserve_stays_free_of_what_is_encoded(tmp_path) -> None:
    with tmpfs(tmp_path / "small", size_bytes=400_000) as root:
        with Volume.enroll(root, now_ms=1, name="outbox:anna", reserve_percent=100) as volume:
            outbox = OutboxFolder(volume)
            await outbox.prepare()

            with pytest.raises(NeedsHuman) as full:
                await outbox.scratch("a.clip")

        assert full.value.issue == "volume.full"


@pytest.mark.parametrize("mode", ["enospc", "eio", "fsync-eio", "gone"])
async def test_a_disk_that_refuses_is_told_and_all_goes_on_when_it_is_well_again(archive, mode) -> None:
    with Forgetful() as disk, opened(disk.path) as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()
        disk.fail(mode)

        with pytest.raises((NeedsHuman, Away)):
            await deliver(outbox, archive)

        disk.fail("ok")
        assert halves(disk.path) == []
        await deliver(outbox, archive)
        assert lacks(disk.path) == []


async def test_a_disk_without_links_gets_its_files_all_the_same(archive) -> None:
    with Forgetful() as disk, opened(disk.path) as volume:
        disk.fail("no-links")
        outbox = OutboxFolder(volume)
        await outbox.prepare()

        await deliver(outbox, archive)
        await deliver(outbox, archive)

        assert lacks(disk.path) == []


STEPS: dict[str, Callable] = {
    "assemble": assembled,
    "scratch": lambda outbox, archive: outbox.scratch("x"),
    "publish": lambda outbox, archive: outbox.publish(NAME, MOTION_MADE, modified_at_ms=None),
    "files": lambda outbox, archive: outbox.files(),
    "is_whole": lambda outbox, archive: outbox.is_whole(NAME, MOTION_MADE),
    "remove": lambda outbox, archive: outbox.remove(NAME),
    "prepare": lambda outbox, archive: OutboxFolder(outbox._volume).prepare(),
    "clear": lambda outbox, archive: outbox.clear(),
}


@pytest.mark.parametrize("step", sorted(STEPS))
async def test_an_absent_disk_is_away_and_its_bare_mount_point_stays_empty(tmp_path, archive, step) -> None:
    """An empty folder is no proof that the peer deleted everything."""
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with opened(socket.path) as volume:
            outbox = OutboxFolder(volume)
            await outbox.prepare()
            await assembled(outbox, archive)
            socket.pull()

            with pytest.raises(Away):
                await STEPS[step](outbox, archive)

            assert os.listdir(socket.path) == []
            socket.plug(tmp_path / "disk")
            await deliver(outbox, archive)
            assert halves(socket.path) == []


async def test_a_disk_that_goes_while_a_file_is_made_is_away(tmp_path, archive, monkeypatch) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with opened(socket.path) as volume:
            outbox = OutboxFolder(volume)
            await outbox.prepare()
            monkeypatch.setattr("mediabox.durable.outbox.fp", lambda point: point == "deliver.made" and socket.pull())

            with pytest.raises(Away):
                await assembled(outbox, archive)

            assert os.listdir(socket.path) == []


@pytest.mark.parametrize("luck", [0.0, 0.5])
@pytest.mark.parametrize("point", ["deliver.made:1", "deliver.made:2", "deliver.published:1", "deliver.published:2"])
def test_what_was_published_survives_a_power_cut(archive, point: str, luck: float) -> None:
    with Forgetful() as disk:
        environment = os.environ | {"PYTHONPATH": PYTHONPATH, "MEDIABOX_FAILPOINT": point}
        argv = [sys.executable, "-m", "durable.delivering", str(disk.path), str(archive)]
        cut = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert cut.returncode == -9, cut.stderr
        disk.cut_power(luck=luck, seed=7)

        assert halves(disk.path) == []
        for line in cut.stdout.splitlines():
            assert (disk.path / "photos" / line.partition(" ")[2]).exists()
        again = subprocess.run(
            argv,
            env=os.environ | {"PYTHONPATH": PYTHONPATH},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert again.returncode == 0, again.stderr
        disk.cut_power()
        # A discarded temp may come back, to be cleared at the next start.
        assert {path.name: path.read_bytes() for path in (disk.path / "photos").iterdir()} == EXPECTED


# ---------------------------------------------------------------- shared blocks


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Path]:
    """A small Btrfs, which can share blocks between files."""
    image, path = tmp_path / "image", tmp_path / "btrfs"
    path.mkdir()
    with open(image, "wb") as file:
        file.truncate(128 << 20)
    for argv in (["mkfs.btrfs", "-q", str(image)], ["mount", "-o", "loop", str(image), str(path)]):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except FileNotFoundError:
            pytest.skip(f"{argv[0]} is not installed")
        if done.returncode:
            pytest.skip(f"{argv[0]}: {done.stderr.strip()}")
    try:
        yield path
    finally:
        unmount(path)


async def test_a_copy_shares_its_blocks_where_the_file_system_can_and_is_a_file_of_its_own(sharing: Path) -> None:
    lay_out(sharing)
    with opened(sharing / "outbox") as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()
        await deliver(outbox, sharing / "archive")

        assert lacks(sharing / "outbox") == []
        copy = outbox.folder / PLAIN
        original = sharing / "archive" / "still"
        assert first_block(copy) == first_block(original)
        assert copy.stat().st_ino != original.stat().st_ino
        copy.chmod(0o644)
        copy.write_bytes(b"written over by the peer")
        assert original.read_bytes() == STILL


def first_block(path: Path) -> int:
    """Where on the disk a file begins (FS_IOC_FIEMAP, linux/fiemap.h)."""
    request = bytearray(32 + 56)
    request[8:16] = (1 << 40).to_bytes(8, "little")  # fm_length
    request[16:20] = (1).to_bytes(4, "little")  # FIEMAP_FLAG_SYNC
    request[24:28] = (1).to_bytes(4, "little")  # fm_extent_count
    with open(path, "rb") as file:
        fcntl.ioctl(file, 0xC020660B, request)
    return int.from_bytes(request[40:48], "little")


# ---------------------------------------------------------------- any recipe


async def test_any_recipe_is_followed_to_the_byte(outbox, archive) -> None:
    dice = random.Random(7)
    content = {Part.FIRST: STILL, Part.CLIP: CLIP}
    for _ in range(30):
        pieces: list[Span | Insert] = []
        for _ in range(dice.randrange(8)):
            part = dice.choice(list(Part))
            offset = dice.randrange(len(content[part]))
            length = dice.randrange(len(content[part]) - offset + 1)
            insert = Insert(content=dice.randbytes(dice.randrange(2000)))
            pieces.append(dice.choice([Span(part=part, offset=offset, length=length), insert]))
        recipe = Recipe(pieces=tuple(pieces), media_type="image/jpeg")
        expected = b"".join(
            piece.content if isinstance(piece, Insert) else content[piece.part][piece.offset :][: piece.length]
            for piece in pieces
        )

        made = await assembled(outbox, archive, recipe=recipe)

        assert made == Made(size_bytes=len(expected), digest=digest_of(expected))
        assert (outbox.folder.parent / MAKING / NAME).read_bytes() == expected


async def test_a_later_start_finds_everything_as_it_was(tmp_path, archive) -> None:
    for _ in range(2):
        await deliver_all(tmp_path / "outbox", archive)

    assert lacks(tmp_path / "outbox") == []
