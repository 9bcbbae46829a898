"""What tests of HEIC and movies share: other programs as referees, recipes followed, sources that keep count."""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.place import Place
from mediabox.model.recipe import FitRequest, Part, Recipe, Span
from mediabox.native.boxes import Held, Source
from mediabox.native.tags import Reader, read_tags
from mediabox.native.tags.reader import SubReader

TAKEN = CaptureTime(local="2021-03-04T05:06:07", offset_min=120, source=TimeSource.SOURCE)
PLACE = Place(latitude=48.85771, longitude=-2.29512, altitude_m=35.0)


def held(content: bytes) -> Source:
    """Bytes as a source that refuses to read past their end, as a file's reader does."""
    return SubReader(Held(content), 0, len(content))


class Watched:
    """A source that counts what is read of it."""

    def __init__(self, content: bytes) -> None:
        self._source = held(content)
        self.size = len(content)
        self.read = 0
        self.largest = 0

    def bytes(self, offset: int, length: int, /) -> bytes:
        self.read += length
        self.largest = max(self.largest, length)
        return self._source.bytes(offset, length)


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield Reader(descriptor)
    finally:
        os.close(descriptor)


def assembled(recipe: Recipe, first: bytes, clip: bytes = b"") -> bytes:
    files = {Part.FIRST: first, Part.CLIP: clip}
    result = b"".join(
        files[piece.part][piece.offset : piece.offset + piece.length] if isinstance(piece, Span) else piece.content
        for piece in recipe.pieces
    )
    assert len(result) == recipe.size_bytes
    return result


def request(content: bytes, media_type: str = "image/heic", *, clip: bytes = b"", **told: Any) -> FitRequest:
    return FitRequest(
        name="one", media_type=media_type, size_bytes=len(content), clip_bytes=len(clip) if clip else None, **told
    )


def facts(content: bytes, name: str) -> Facts:
    kind = Kind.VIDEO if name.lower().endswith(("mov", "mp4", "m4v", "3gp")) else Kind.PICTURE
    return read_tags(held(content), ExamineRequest(name=name, kind=kind, size_bytes=len(content)))


def pixels(content: bytes) -> list[np.ndarray]:
    """Every picture of the file that is to be shown, decoded by libheif, AVIF by libavif."""
    if content[8:12] == b"avif":
        return [np.asarray(Image.open(io.BytesIO(content)))]
    return [np.asarray(one) for one in pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)]


def are_same(one: bytes, other: bytes) -> bool:
    pairs = zip(pixels(one), pixels(other), strict=True)
    return all(a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def told_by_exiftool(path: Path, *tags: str) -> dict[str, Any]:
    run = subprocess.run(
        [program("exiftool"), "-json", "-n", "-struct", *(f"-{tag}" for tag in tags), path],
        check=True,
        capture_output=True,
    )
    return json.loads(run.stdout)[0]


def video_by_exiftool(path: Path) -> bytes:
    return subprocess.run(
        [program("exiftool"), "-b", "-MotionPhotoVideo", path], check=True, capture_output=True
    ).stdout


def embedded_by_exiftool(path: Path) -> bytes:
    return subprocess.run(
        [program("exiftool"), "-b", "-Samsung:EmbeddedVideoFile", path], check=True, capture_output=True
    ).stdout


def plays(path: Path) -> bool:
    """Whether ffmpeg decodes every picture without a word."""
    run = subprocess.run(
        [program("ffmpeg"), "-v", "error", "-i", path, "-map", "0:v:0", "-f", "null", "-"],
        check=False,
        capture_output=True,
    )
    return run.returncode == 0 and not run.stderr
