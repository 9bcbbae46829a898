"""What tests of encoding share: one file converted, other programs as referees, small films made on the spot."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from PIL import Image, ImageOps

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.place import Place
from mediabox.model.recipe import Conversion, Converted
from mediabox.native import encode
from mediabox.native.tags import Reader, read_tags

TAKEN = CaptureTime(local="2021-03-04T05:06:07", offset_min=120, source=TimeSource.SOURCE)
PLACE = Place(latitude=48.85771, longitude=-2.29512, altitude_m=35.0)

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffmpeg is not installed")


def converted(path: Path, folder: Path, *, to: str = "image/jpeg", **wanted: object) -> tuple[Path, Converted]:
    """The converted file and what was said of it."""
    made = folder / ("made.jpg" if to == "image/jpeg" else "made.mp4")
    conversion = Conversion(name=path.name, media_type="", size_bytes=path.stat().st_size, to=to, **wanted)
    source, into = os.open(path, os.O_RDONLY), os.open(made, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        said = encode.convert(source, into, conversion)
    finally:
        os.close(source)
        os.close(into)
    assert made.stat().st_size == said.size_bytes
    return made, said


def facts_of(path: Path) -> Facts:
    kind = Kind.VIDEO if path.suffix.lower() in (".mp4", ".mov") else Kind.PICTURE
    with path.open("rb") as file:
        request = ExamineRequest(name="a", kind=kind, size_bytes=path.stat().st_size)
        return read_tags(Reader(file.fileno()), request)


def exiftool(path: Path) -> dict[str, Any]:
    """Tags by group and name, as numbers where they are some."""
    command = ["exiftool", "-json", "-G1", "-n", "-a", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


def ffprobe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def stream(probed: dict[str, Any], kind: str) -> dict[str, Any]:
    """The largest stream of that kind."""
    found = [one for one in probed["streams"] if one["codec_type"] == kind]
    return max(found, key=lambda one: one.get("width", 0))


def times(path: Path) -> list[float]:
    """When each picture is shown, in seconds, as ffprobe sees it."""
    index = stream(ffprobe(path), "video")["index"]
    command = ["ffprobe", "-v", "error", "-of", "json", "-select_streams", str(index), "-show_entries",
               "packet=pts_time", str(path)]  # fmt: skip
    packets = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["packets"]
    return sorted(float(one["pts_time"]) for one in packets)


def complaints(path: Path) -> str:
    """What ffmpeg says while it decodes the whole file; nothing is best."""
    command = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr


def upright(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise in dB over RGB; the pictures must be of one size."""
    assert one.size == other.size
    a, b = (np.asarray(image.convert("RGB"), dtype=np.float32) for image in (one, other))
    return float(10 * np.log10(255**2 / max(float(((a - b) ** 2).mean()), 1e-9)))


def pictures(path: Path, numbers: Sequence[int]) -> list[Image.Image]:
    """These frames of a video, as stored."""
    with av.open(str(path)) as container:
        found = {
            number: frame.to_image() for number, frame in enumerate(container.decode(video=0)) if number in numbers
        }
    return [found[number] for number in numbers]


def scene(width: int, height: int, *, seed: int = 1) -> Image.Image:
    """Coloured shapes of every size, as in photos."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), dtype=np.float32)
    for cells, weight in ((3, 0.5), (7, 0.3), (40, 0.2)):
        coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray(((total - 128) * 1.6 + 128).clip(0, 255).astype(np.uint8))


def film(
    path: Path,
    shown_at: Sequence[int],
    *,
    size: tuple[int, int] = (320, 240),
    codec: str = "libx264",
    tick: Fraction = Fraction(1, 1000),
    flags: str = "",
) -> Path:
    """A film of different pictures, shown at these ticks."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            codec, rate=25, options={"preset": "ultrafast"} | ({"flags": flags} if flags else {})
        )
        video.width, video.height, video.pix_fmt, video.bit_rate = *size, "yuv420p", 20_000_000
        video.codec_context.colorspace = Colorspace.ITU601
        video.codec_context.time_base = tick
        for number, at in enumerate(shown_at):
            frame = av.VideoFrame.from_image(scene(*size, seed=number % 5))
            frame.pts, frame.time_base = at, tick
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path
