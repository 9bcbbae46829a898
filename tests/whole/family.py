"""What the disasters happen to: a JPEG with its XMP, a HEIC, a Live pair, and an exact duplicate."""

from collections.abc import Mapping
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "media" / "library"

FAMILY: Mapping[str, Path] = {
    "2023/tower.jpg": LIBRARY / "Mixed/tower.jpg",
    "2023/tower.jpg.xmp": LIBRARY / "Mixed/tower.jpg.xmp",
    "2023/copy of tower.jpg": LIBRARY / "Mixed/tower.jpg",
    "2024/20231224_183000.heic": LIBRARY / "Android/Camera/20231224_183000.heic",
    "2024/IMG_0001.HEIC": LIBRARY / "DCIM/100APPLE/IMG_0001.HEIC",
    "2024/IMG_0001.MOV": LIBRARY / "DCIM/100APPLE/IMG_0001.MOV",
}


def pictures(count: int, *, size_bytes: int = 3_000, seed: int = 0) -> dict[str, bytes]:
    """Many small files that look like JPEGs to nobody but the table; every tenth is a duplicate."""
    numbers = range(count)
    return {f"{one % 5}/IMG_{one:04}.jpg": _content(one - (one % 10 == 9), seed, size_bytes) for one in numbers}


def _content(number: int, seed: int, size_bytes: int) -> bytes:
    line = b"%d/%d\n" % (seed, number)
    return b"\xff\xd8\xff\xe0" + line * (size_bytes // len(line))
