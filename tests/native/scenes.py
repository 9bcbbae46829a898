"""Pictures and containers made on the spot for the tests of `mediabox.native`."""

import io
import struct
from pathlib import Path

import av
import numpy as np
from PIL import Image

from mediabox.model.asset import Kind
from mediabox.model.facts import Facts

CORNERS = (
    (220, 30, 30),
    (30, 200, 40),
    (40, 60, 220),
    (240, 230, 60),
)


def scene(width: int = 640, height: int = 480, *, seed: int = 1) -> Image.Image:
    """Coloured shapes of every size, the large ones strongest, as in photos; every seed another picture."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), dtype=np.float32)
    for cells, weight in ((3, 0.55), (6, 0.25), (12, 0.12), (24, 0.08)):
        coarse = Image.fromarray(random.integers(0, 256, (cells, cells + 1, 3), dtype=np.uint8))
        total += weight * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    stretched = (total - 128) * 1.5 + 128 + random.normal(0, 3, total.shape)
    return Image.fromarray(stretched.clip(0, 255).astype(np.uint8))


def corners(width: int = 320, height: int = 240) -> Image.Image:
    """Four coloured quarters, so that any turn or mirroring shows."""
    image = Image.new("RGB", (width, height))
    for index, colour in enumerate(CORNERS):
        at = (index % 2 * width // 2, index // 2 * height // 2)
        image.paste(colour, (*at, at[0] + width // 2, at[1] + height // 2))
    return image


def corner_colours(image: Image.Image) -> tuple[int, ...]:
    """Which of `CORNERS` each quarter shows."""
    width, height = image.size
    middles = ((x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4))
    rgb = image.convert("RGB")
    return tuple(
        min(range(4), key=lambda index: sum(abs(a - b) for a, b in zip(rgb.getpixel(at), CORNERS[index], strict=True)))
        for at in middles
    )


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def facts(media_type: str, **known: object) -> Facts:
    kind = Kind.VIDEO if media_type.startswith("video/") else Kind.PICTURE
    return Facts(kind=kind, media_type=media_type, **known)


def box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def film(path: Path, *, codec: str = "libx264", seconds: float = 2.0, size: tuple[int, int] = (320, 240), gop: int = 12,
         pix_fmt: str = "yuv420p", rotation: int = 0, **colour: int) -> Path:  # fmt: skip
    """A video whose quarters are `CORNERS`, 24 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.gop_size = gop
        for name, value in colour.items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(rotation)
        picture = corners(*size)
        for index in range(int(seconds * 24)):
            frame = av.VideoFrame.from_image(picture)
            frame.pts = index
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise in dB over RGB; the pictures must be of one size."""
    assert one.size == other.size
    a, b = (np.asarray(image.convert("RGB"), dtype=np.float32) for image in (one, other))
    return float(10 * np.log10(255**2 / max(float(((a - b) ** 2).mean()), 1e-9)))


def bits_between(one: int, other: int) -> int:
    return (one ^ other).bit_count()
