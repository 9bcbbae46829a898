"""Encoding in its own sandboxed child: into the file that is given, into nothing else, and whatever the file is."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from encoding import complaints, converted, facts_of, film, needs_ffmpeg, psnr, scene, upright
from PIL import Image
from pillow_heif import register_heif_opener

from mediabox.contracts import ExamineRequest
from mediabox.errors import Permanent
from mediabox.model.asset import Kind
from mediabox.model.recipe import Conversion
from mediabox.native import syscalls, wire
from mediabox.native.child_process import ChildLimits, ChildProcess
from mediabox.native.encode.limits import limits_of
from mediabox.native.fit.unfit import Unfit
from mediabox.native.profiles import Profile
from mediabox.native.tags.reader import FIRST_BLOCK_BYTES
from mediabox.native.worker import MediaWorkers

LIBRARY = Path(__file__).parents[2] / "media" / "library"
SCRIPTED = Path(__file__).parents[1] / "scripted_child.py"
LIMITS = ChildLimits(wall_s=60, cpu_s=60)
OPENING = """
import json, os, sys
from mediabox.native.preload import preload
from mediabox.native.profiles import Profile
from mediabox.native.tags.reader import FIRST_BLOCK_BYTES
preload(Profile.ENCODE)
from mediabox.native import encode
from mediabox.model.recipe import Conversion

calls = [(os.open(path, os.O_RDONLY), os.memfd_create("into"), to) for path, to in json.loads(sys.argv[1])]
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event in ("open", "import") else None)
for source, into, to in calls:
    encode.convert(source, into, Conversion(name="a", media_type="", size_bytes=0, to=to))
print(json.dumps(opened))
"""


@asynccontextmanager
async def workers() -> AsyncIterator[MediaWorkers]:
    media = MediaWorkers(1)
    try:
        yield media
    finally:
        await media.close()


@contextmanager
def opened(source: Path, into: Path) -> Iterator[tuple[int, int]]:
    pair = os.open(source, os.O_RDONLY), os.open(into, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield pair
    finally:
        for one in pair:
            os.close(one)


def conversion(path: Path, to: str) -> Conversion:
    return Conversion(name=path.name, media_type="", size_bytes=path.stat().st_size, to=to)


@needs_ffmpeg
async def test_a_child_fills_the_file_it_is_given(tmp_path: Path) -> None:
    still, clip = LIBRARY / "Mixed" / "small.jxl", LIBRARY / "Clips" / "screen recording.webm"

    async with workers() as media:
        with opened(still, tmp_path / "a.jpg") as (source, into):
            picture = await media.convert(source, into, conversion(still, "image/jpeg"))
            os.fstat(into)  # still ours
        with opened(clip, tmp_path / "a.mp4") as (source, into):
            clip_said = await media.convert(source, into, conversion(clip, "video/mp4"))

    assert upright(tmp_path / "a.jpg").size == (picture.width, picture.height) == (320, 240)
    assert (tmp_path / "a.mp4").stat().st_size == clip_said.size_bytes
    assert complaints(tmp_path / "a.mp4") == ""


async def test_what_the_file_held_before_is_gone(tmp_path: Path) -> None:
    still, into_path = LIBRARY / "Mixed" / "small.jxl", tmp_path / "a.jpg"
    into_path.write_bytes(b"of a child that was lost" * 10_000)

    async with workers() as media:
        with opened(still, into_path) as (source, into):
            said = await media.convert(source, into, conversion(still, "image/jpeg"))

    assert into_path.stat().st_size == said.size_bytes
    assert facts_of(into_path).damage is None


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("../damaged/IMG_2006.JPG", "image/jpeg"),
        ("../damaged/IMG_2009.PNG", "image/jpeg"),  # claims 3,600 megapixels
        ("../damaged/VID_2003.mp4", "video/mp4"),
        ("../other/song.mp3", "video/mp4"),
        ("Clips/film.mkv", "image/jpeg"),
        ("Mixed/small.jxl", "video/mp4"),
    ],
)
async def test_a_file_that_cannot_be_converted_costs_a_reason_only(name: str, to: str, tmp_path: Path) -> None:
    path = LIBRARY / name

    async with workers() as media:
        with opened(path, tmp_path / "a") as (source, into):
            with pytest.raises(Permanent) as refusal:
                await media.convert(source, into, conversion(path, to))
            again = LIBRARY / "Scans" / "slide.bmp"
            with opened(again, tmp_path / "b") as (other, other_into):
                await media.convert(other, other_into, conversion(again, "image/jpeg"))
        assert media.counts.started == 1  # no child was lost for it

    assert len(str(refusal.value)) > 20


@pytest.mark.skipif(not syscalls.is_available(), reason="libseccomp is not installed")
def test_a_child_that_may_write_still_opens_nothing_by_name(tmp_path: Path) -> None:
    command = (sys.executable, str(SCRIPTED), "seccomp")
    child = ChildProcess(Profile.ENCODE, lanes=1, memory_bytes=1 << 30, command=command)
    try:
        child.greet()
        request = ExamineRequest(name=f"attack {tmp_path / 'nobody'}", kind=Kind.PICTURE, size_bytes=0)
        with opened(Path(__file__), tmp_path / "into") as (source, _):
            answer = child.call(0, wire.ExamineFile(request=request), descriptors=(source,), limits=LIMITS).answer
    finally:
        child.stop()

    assert isinstance(answer, wire.Examined)
    outcomes = json.loads(answer.facts.caption or "")
    assert len(outcomes) > 15
    assert [name for name, outcome in outcomes.items() if outcome == "allowed"] == []
    assert outcomes["write a file"] == "EPERM"


def test_a_preloaded_child_needs_nothing_more_from_the_disk() -> None:
    files = [
        *((name, "image/jpeg") for name in ("Mixed/small.jxl", "Mixed/small.avif", "DCIM/100APPLE/IMG_0001.HEIC",
                                            "Scans/negative.tif", "Scans/print ready.jpg", "Mixed/turning.gif",
                                            "Cameras/Canon/101CANON/IMG_0002.CR3", "Mixed/still.webp")),
        *((f"Clips/{name}", "video/mp4") for name in ("hdr10.mp4", "divx.avi", "screen recording.webm", "nokia.3gp")),
    ]  # fmt: skip
    listed = json.dumps([(str(LIBRARY / name), to) for name, to in files])

    done = subprocess.run([sys.executable, "-c", OPENING, listed], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(("name", "to"), [("Scans/slide.bmp", "image/jpeg"), ("Clips/film.mkv", "video/mp4")])
def test_a_disk_that_is_full_is_the_disks_fault(name: str, to: str, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        with pytest.raises(OSError) as failure:
            converted(LIBRARY / name, tmp_path, to=to)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert failure.value.errno == errno.EFBIG


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.bmp", "a.heic", "a.mkv"])
def test_a_source_whose_disk_fails_is_the_disks_fault(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first 64 KiB are read with the tags; behind them the disk is broken."""
    source = noisy(tmp_path / name)
    real = os.pread

    def failing(descriptor: int, length: int, offset: int) -> bytes:
        if offset >= FIRST_BLOCK_BYTES and Path(f"/proc/self/fd/{descriptor}").readlink() == source:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", failing)

    with pytest.raises(OSError) as failure:
        converted(source, tmp_path, to="video/mp4" if name.endswith("mkv") else "image/jpeg")

    assert failure.value.errno == errno.EIO


def noisy(path: Path) -> Path:
    """A picture or film of some 100 KB at least."""
    if path.suffix == ".mkv":
        return film(path, range(0, 800, 40), size=(640, 480))
    register_heif_opener()
    options = {".webp": {"lossless": True}, ".heic": {"quality": 100}}.get(path.suffix, {})
    Image.effect_noise((512, 512), 80).convert("RGB").save(path, **options)
    assert path.stat().st_size > 2 * FIRST_BLOCK_BYTES
    return path


@pytest.mark.parametrize("name", ["Mixed/small.jxl", "Mixed/still.webp", "DCIM/100APPLE/IMG_0001.HEIC",
                                  "Mixed/small.avif", "Cameras/Canon/101CANON/IMG_0002.CR3", "Scans/negative.tif",
                                  "Scans/slide.bmp", "Mixed/with exif.png"])  # fmt: skip
def test_a_cut_still_is_a_reason_or_a_whole_picture(name: str, tmp_path: Path) -> None:
    content = (LIBRARY / name).read_bytes()
    whole = upright(converted(LIBRARY / name, tmp_path)[0])
    for share in (0.1, 0.4, 0.7, 0.95):
        path = tmp_path / Path(name).name
        path.write_bytes(content[: int(len(content) * share)])
        try:
            made, _ = converted(path, tmp_path)
        except Unfit as refusal:
            assert len(str(refusal)) > 10
        else:
            assert psnr(upright(made), whole) > 40


@pytest.mark.parametrize("name", ["Clips/film.mkv", "Clips/nokia.3gp", "Clips/divx.avi", "Cameras/Sony/00001.MTS"])
def test_a_cut_or_garbled_film_is_a_reason_or_a_whole_film(name: str, tmp_path: Path) -> None:
    content = bytearray((LIBRARY / name).read_bytes())
    for number, share in enumerate((0.2, 0.6, 0.9)):
        path = tmp_path / Path(name).name
        garbled = content[: int(len(content) * share)]
        for at in range(500 + number, len(garbled), 997):
            garbled[at] ^= 0x55
        path.write_bytes(garbled)
        try:
            made, _ = converted(path, tmp_path, to="video/mp4")
        except Unfit as refusal:
            assert len(str(refusal)) > 10
        else:
            assert facts_of(made).damage is None


def test_a_long_film_gets_its_time_and_a_still_does_not_take_for_ever() -> None:
    still = limits_of("image/heic", size_bytes=3_000_000)
    clip = limits_of("video/quicktime", size_bytes=3_000_000, duration_s=3.0)
    hour = limits_of("video/mp4", size_bytes=9_000_000_000, duration_s=3600.0)

    assert still.cpu_s < 400
    assert 300 < clip.cpu_s < 500
    assert limits_of("video/quicktime", size_bytes=3_000_000).cpu_s > clip.cpu_s
    assert hour.cpu_s > 3600 * 20
    assert clip.wall_s > clip.cpu_s


def test_a_picture_with_more_tags_than_a_jpeg_holds_keeps_the_important_ones(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + b"x" * 65_500  # UserComment
    exif.get_ifd(0x8769)[0x927C] = b"Apple iOS\0" + bytes(3_000)
    source = tmp_path / "a.png"
    scene(64, 48).save(source, exif=exif)

    made, _ = converted(source, tmp_path)

    with Image.open(made) as image:
        assert image.getexif()[0x010F] == "Maker"
        assert 0x9286 not in image.getexif().get_ifd(0x8769)


def test_a_makers_note_goes_along_only_where_it_can_be_moved(tmp_path: Path) -> None:
    kept = {}
    for maker, note in (("Apple", b"Apple iOS\0\0\1MM\0\0"), ("Canon", b"\x20\0\1\0\3\0\x31\0")):
        exif = Image.Exif()
        exif[0x010F] = maker
        exif.get_ifd(0x8769)[0x927C] = note
        scene(64, 48).save(tmp_path / "a.png", exif=exif)
        with Image.open(converted(tmp_path / "a.png", tmp_path)[0]) as image:
            kept[maker] = image.getexif().get_ifd(0x8769).get(0x927C)

    assert kept == {"Apple": b"Apple iOS\0\0\1MM\0\0", "Canon": None}
