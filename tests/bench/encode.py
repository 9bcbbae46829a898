"""What one conversion costs: CPU of the real child for a Live Photo's clip and a 12-megapixel HEIC, and its memory.

Usage: python tests/bench/encode.py [FOLDER] [ROUNDS]. FOLDER is $MEDIABOX_SAMPLES or ../shared/samples.
Ours and ffmpeg's are taken in turn: the same x264 settings on one thread, without our check, tags and
index. The child is started before, and its start is in nobody's figure. Prints one JSON line.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from mediabox.model.recipe import Conversion
from mediabox.native.profiles import Profile
from mediabox.native.worker import MediaWorkers

ROOT = Path(__file__).resolve().parent.parent.parent
CLIP = "live-photo-pair/IMG_1635.MOV"
STILL = "heic-iphone/IMG_1034.heic"
ROUNDS = 5
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "19", "-bf", "0", "-threads", "1", "-pix_fmt", "yuv420p")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> int:
    default = os.environ.get("MEDIABOX_SAMPLES", str(ROOT.parent / "shared" / "samples"))
    samples = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    if not (samples / CLIP).exists():
        print(json.dumps({"bench": "encode", "skipped": f"no Live Photos in {samples}"}))
        return 0
    print(json.dumps({"bench": "encode"} | asyncio.run(measured(samples, rounds))))
    return 0


async def measured(samples: Path, rounds: int) -> dict[str, float]:
    clip: list[float] = []
    theirs: list[float] = []
    still: list[float] = []
    media = MediaWorkers(1)
    try:
        await media.greet(Profile.ENCODE)
        for _ in range(rounds):
            clip.append(await cpu_s(media, samples / CLIP, "video/mp4"))
            theirs.append(ffmpeg_s(samples / CLIP))
            still.append(await cpu_s(media, samples / STILL, "image/jpeg"))
        peak_kib = int(status(media.processes()[0].pid, "VmHWM").split()[0])
    finally:
        await media.close()
    return {
        "clip_s": statistics.median(clip),
        "ffmpeg_s": statistics.median(theirs),
        "still_ms": 1000 * statistics.median(still),
        "peak_mib": peak_kib / 1024,
    }


async def cpu_s(media: MediaWorkers, path: Path, to: str) -> float:
    """Of the child, for one conversion."""
    pid = media.processes()[0].pid
    before = ticks(pid)
    with path.open("rb") as source, tempfile.TemporaryFile() as into:
        conversion = Conversion(name=path.name, media_type=to, size_bytes=os.fstat(source.fileno()).st_size, to=to)
        await media.convert(source.fileno(), into.fileno(), conversion)
    return (ticks(pid) - before) / _TICKS_PER_S


def ffmpeg_s(path: Path) -> float:
    before = spent_s()
    command = ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-i", str(path), "-map", "0:v:0", "-map", "0:a:0?"]
    subprocess.run([*command, *X264, "-c:a", "aac", "-fps_mode", "passthrough", "-f", "mp4", os.devnull], check=True)
    return spent_s() - before


def spent_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ticks(pid: int) -> int:
    """proc(5): utime and stime are fields 14 and 15; the name, field 2, may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    sys.exit(main())
