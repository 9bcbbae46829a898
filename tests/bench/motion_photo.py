"""Live Photos made Motion Photos: CPU of whole calls (fit, assemble, check), the child's and the daemon's together.

Usage: python tests/bench/motion_photo.py [FOLDER] [ROUNDS]. FOLDER is $MEDIABOX_SAMPLES or ../shared/samples.
Each round takes every pair once in turn: the child is started before, and its start is in nobody's figure.
exiftool does the same mux for the plain JPEG: tags by a config of its own, then the clip's bytes behind it.
Prints one JSON line; the bar is 25 ms for a Live Photo of 3 MB.
"""

import asyncio
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from PIL import Image

from mediabox.durable.outbox import OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.model.recipe import FitRequest, Part
from mediabox.native.worker import MediaWorkers

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "native" / "fit"))
from fitting import apple_exif, apple_map, with_pictures  # noqa: E402 - the tests' own stills

BAR_MS = 25.0
ROUNDS = 40
STILL_BYTES = 1_500_000  # with a clip of the same size: a Live Photo of 3 MB
_CPUCLOCK_SCHED = 2  # linux/posix-timers.h


class Pair:
    """A still with its clip, open as the archive gives them."""

    def __init__(self, name: str, still: Path, clip: Path, media_type: str) -> None:
        self.name = name
        self.media_type = media_type
        self.paths = {Part.FIRST: still, Part.CLIP: clip}
        self.digests = {part: sha256(path.read_bytes()).hexdigest() for part, path in self.paths.items()}
        self.size_bytes = sum(path.stat().st_size for path in self.paths.values())
        self.spent_ms: list[float] = []


def main() -> int:
    default = os.environ.get("MEDIABOX_SAMPLES", str(ROOT.parent / "shared" / "samples"))
    samples = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    if not (samples / "live-photo-pair").is_dir():
        print(json.dumps({"bench": "motion_photo", "skipped": f"no Live Photos in {samples}"}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        pairs = made_pairs(samples, Path(folder))
        asyncio.run(measured(pairs, Path(folder), rounds))
        theirs = exiftool_ms(pairs[0], Path(folder), rounds=5)
    line = {
        "bench": "motion_photo",
        "bar_ms": BAR_MS,
        "exiftool_ms": theirs,
        "pairs": {
            pair.name: {
                "bytes": pair.size_bytes,
                "ms": round(statistics.median(pair.spent_ms), 2),
                "worst_ms": round(max(pair.spent_ms), 2),
            }
            for pair in pairs
        },
    }
    print(json.dumps(line))
    return 0 if line["pairs"][pairs[0].name]["ms"] <= BAR_MS else 1


# ---------------------------------------------------------------- ours


async def measured(pairs: list[Pair], folder: Path, rounds: int) -> None:
    """Run every pair through the workers and the outbox, in turn."""
    outbox = OutboxFolder(Volume.enroll(folder / "outbox", now_ms=0, name="outbox", reserve_percent=0))
    await outbox.prepare()
    workers = MediaWorkers(1)
    try:
        for pair in pairs:  # starts the children, warms the page cache
            await made(pair, workers, outbox)
        for _ in range(rounds):
            for pair in pairs:
                before = cpu_s(workers)
                await made(pair, workers, outbox)
                pair.spent_ms.append((cpu_s(workers) - before) * 1000)
    finally:
        await workers.close()


async def made(pair: Pair, workers: MediaWorkers, outbox: OutboxFolder) -> None:
    """One Motion Photo, proved."""
    files = {part: os.open(path, os.O_RDONLY) for part, path in pair.paths.items()}
    still_bytes, clip_bytes = (path.stat().st_size for path in pair.paths.values())
    request = FitRequest(name=pair.name, media_type=pair.media_type, size_bytes=still_bytes, clip_bytes=clip_bytes)
    recipe = await workers.fit(files[Part.FIRST], files[Part.CLIP], request)
    await outbox.assemble(pair.name, recipe, files, pair.digests)
    result = await outbox.open_made(pair.name)
    facts = await workers.check(
        result, files[Part.FIRST], media_type=recipe.media_type, name=pair.name, size_bytes=recipe.size_bytes
    )
    if facts.motion is None or facts.motion.offset_bytes != recipe.clip_offset:
        raise SystemExit(f"{pair.name} is no Motion Photo")
    for descriptor in (result, *files.values()):
        os.close(descriptor)


def cpu_s(workers: MediaWorkers) -> float:
    """Processor time so far of this process and of the living children."""
    children = (time.clock_gettime((~one.pid << 3) | _CPUCLOCK_SCHED) for one in workers.processes())
    return time.process_time() + sum(children)


# ---------------------------------------------------------------- what is made


def made_pairs(samples: Path, folder: Path) -> list[Pair]:
    """A plain JPEG of 12 megapixels and a JPEG with an Apple gain map, 3 MB with their clips; a HEIC as it was shot."""
    clip = folder / "clip.mov"
    clip.write_bytes(padded((samples / "live-photo-pair/pairedVideo.mov").read_bytes(), STILL_BYTES))
    photo = Image.open(samples / "jpeg-iphone/test.jpeg")
    plain = folder / "plain.jpg"
    plain.write_bytes(coded(photo, STILL_BYTES, exif=photo.getexif().tobytes()))
    gain = folder / "gain map.jpg"
    gain.write_bytes(with_apple_map(photo))
    pair = samples / "live-photo-pair"
    return [
        Pair("JPEG", plain, clip, "image/jpeg"),
        Pair("JPEG with an Apple gain map", gain, clip, "image/jpeg"),
        Pair("HEIC", pair / "apple.HEIC", pair / "apple.MOV", "image/heic"),
    ]


def with_apple_map(photo: Image.Image) -> bytes:
    """As an iPhone writes it: half the picture's width and height, no colours."""
    bright = photo.convert("L").reduce(2).point([max(0, value - 128) * 2 for value in range(256)])
    gain_map = apple_map(bright, quality=60)
    first = coded(photo, STILL_BYTES - len(gain_map))
    return with_pictures(first[:20] + apple_exif(1.01, 0.0) + first[20:], gain_map)


def coded(photo: Image.Image, size_bytes: int, **options: object) -> bytes:
    """A JPEG of about this size."""
    for quality in range(95, 20, -5):
        held = io.BytesIO()
        photo.convert("RGB").save(held, "JPEG", quality=quality, **options)
        if held.tell() <= size_bytes:
            break
    return held.getvalue()


def padded(movie: bytes, size_bytes: int) -> bytes:
    """The movie with a box of nothing at its end."""
    more = size_bytes - len(movie)
    return movie + more.to_bytes(4, "big") + b"free" + os.urandom(more - 8)


# ---------------------------------------------------------------- theirs

_CONFIG = """
%Image::ExifTool::UserDefined = ('Image::ExifTool::XMP::Main' => {
  GCamera => { SubDirectory => { TagTable => 'Image::ExifTool::UserDefined::GCamera' } } });
%Image::ExifTool::UserDefined::GCamera = (
  GROUPS => { 0 => 'XMP', 1 => 'XMP-GCamera', 2 => 'Camera' },
  NAMESPACE => { 'GCamera' => 'http://ns.google.com/photos/1.0/camera/' },
  WRITABLE => 'string', MotionPhoto => { Writable => 'integer' }, MotionPhotoVersion => { Writable => 'integer' },
  MotionPhotoPresentationTimestampUs => { Writable => 'integer' });
1;
"""


def exiftool_ms(pair: Pair, folder: Path, *, rounds: int) -> float | None:
    """CPU of exiftool writing the same words into a copy, its start included, and of `cat` for the clip."""
    program = shutil.which("exiftool")
    if program is None:
        return None
    config = folder / "config"
    config.write_text(_CONFIG)
    still, clip = pair.paths.values()
    spent = []
    for number in range(rounds):
        out = folder / f"theirs{number}.jpg"
        before_s = children_s()
        words = ("-MotionPhoto=1", "-MotionPhotoVersion=1", "-MotionPhotoPresentationTimestampUs=-1")
        command = [program, "-config", str(config), *words, "-o", str(out), str(still)]
        subprocess.run(command, check=True, capture_output=True)
        subprocess.run(["sh", "-c", 'cat -- "$1" >>"$2"', "sh", str(clip), str(out)], check=True)
        spent.append((children_s() - before_s) * 1000)
    return round(statistics.median(spent), 1)


def children_s() -> float:
    """Processor time of every process that this one started and that has ended."""
    used = os.times()
    return used.children_user + used.children_system


if __name__ == "__main__":
    sys.exit(main())
