"""The least a photo can cost: the kernels of the work and nothing else.

Read, SHA-256, durable copy, one JPEG decode at the nearest smaller DCT scale, preview,
thumbnail, 32×32 grey for a perceptual hash. No database, no processes, no checks. What we
need beyond this is ours to answer for.

    limit.py OUT FILE...        prints CPU milliseconds a file, start-up left out
"""

import hashlib
import io
import json
import os
import resource
import sys
from pathlib import Path

from PIL import Image

PREVIEW = 1440  # pixels, short side, at least
THUMBNAIL = 250


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def durable(target: Path, content: bytes) -> None:
    with target.open("wb", buffering=0) as file:
        file.write(content)
        os.fdatasync(file.fileno())


def take_in(file: Path, out: Path) -> None:
    content = file.read_bytes()
    stem = out / hashlib.sha256(content).hexdigest()
    durable(stem, content)
    picture = Image.open(io.BytesIO(content))
    scale = max(scale for scale in (1, 2, 4, 8) if scale == 1 or min(picture.size) // scale >= PREVIEW)
    picture.draft("RGB", (picture.width // scale, picture.height // scale))
    picture.load()
    picture.save(stem.with_suffix(".jpg"), "JPEG", quality=80, subsampling=2)
    thumbnail = picture.reduce(max(1, min(picture.size) // THUMBNAIL))
    thumbnail.save(stem.with_suffix(".webp"), "WEBP", quality=80, method=2)
    thumbnail.convert("L").resize((32, 32), Image.Resampling.BILINEAR)


def main() -> None:
    out, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    out.mkdir(parents=True, exist_ok=True)
    start = cpu_s()
    for file in files:
        take_in(file, out)
    print(json.dumps({"cpu_ms": (cpu_s() - start) / len(files) * 1000, "items": len(files)}))


if __name__ == "__main__":
    main()
