"""Clips of 1080p: taken in, understood, and shown by a poster, against what two peers do.

Two kinds of rows: the whole job (start, copy, digest, second reading, catalogue, poster), and understanding and
showing alone: our examination inside a child that has started, against the peer's process without its copy.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path
from statistics import median

import ground
import measure
from table import Row

CLIPS = 9
TIMES = 3  # every clip again under another digest: a card has more than nine
PEERS = ("Immich", "little-backup-box")
ALONE = """
import json, os, sys, time
from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.native.examine import examine
from mediabox.native.preload import preload
from mediabox.native.profiles import Profile
preload(Profile.MOVIE)
start = time.process_time()
for path in sys.argv[1:]:
    descriptor = os.open(path, os.O_RDONLY)
    found = examine(descriptor, ExamineRequest(name=path, kind=Kind.VIDEO, size_bytes=os.fstat(descriptor).st_size))
    os.close(descriptor)
    assert found.examination.preview and found.examination.thumbnail, found.examination.facts.damage
print(json.dumps((time.process_time() - start) * 1000 / len(sys.argv[1:])))
"""
# The peer's own script; what copies is taken out of it: Immich's upload, little-backup-box's rsync.
WITHOUT_COPY = """
import subprocess, sys
sys.path.insert(0, sys.argv.pop(1))
import video
run = subprocess.run
video.upload = lambda file, out: None
subprocess.run = lambda command, **options: None if command[0] == "rsync" else run(command, **options)
video.main()
"""
NOTE = "ours without its start, tags read, poster in both sizes; the peer's processes without its copy of the file"


def run() -> list[Row]:
    clips = ground.corpus("clips", CLIPS)
    return [*_whole_job(clips), *_alone(clips)]


def _whole_job(clips: list[Path]) -> list[Row]:
    pictures = _repeated(clips, ground.fresh("pictures"))
    files = sorted(pictures.iterdir())
    us = ground.ours(pictures, ground.RUNS / "home", items=len(files))
    peers = [_peer(name, (ground.PEERS / "video.py",), files) for name in PEERS]
    mine, *theirs = measure.paired([us, *peers], ground.PAIRS)
    return [
        row
        for peer, seen in zip(peers, theirs, strict=True)
        for row in ground.against("video", (us, peer), (mine, seen), ground.Bars(cpu=4))
    ]


def _alone(clips: list[Path]) -> list[Row]:
    peers = [_peer(name, ("-c", WITHOUT_COPY, ground.PEERS), clips) for name in PEERS]
    ours_ms, theirs = [], []
    for _ in range(ground.PAIRS):
        ours_ms.append(_our_cpu_ms(clips))
        theirs.append([seen[0].cpu_s * 1000 / len(clips) for seen in measure.paired(peers, 1)])
    return [
        Row(
            what=f"video, probe and poster alone, CPU a file, against {name}",
            unit="ms",
            ours=median(ours_ms),
            theirs=median(their_ms),
            spread=_spread([their / our for our, their in zip(ours_ms, their_ms, strict=True)]),
            note=NOTE,
        )
        for name, their_ms in zip(PEERS, zip(*theirs, strict=True), strict=True)
    ]


def _our_cpu_ms(clips: list[Path]) -> float:
    """Mean CPU a file, in a process that has loaded all it needs."""
    done = subprocess.run([sys.executable, "-c", ALONE, *map(str, clips)], stdout=subprocess.PIPE, check=True)
    return float(json.loads(done.stdout))


def _peer(name: str, script: tuple[object, ...], files: list[Path]) -> measure.Command:
    out = ground.RUNS / "peer"
    return ground.peer(name, (ground.PEER_PYTHON, *script, name.lower(), out, *files), out, items=len(files))


def _repeated(clips: list[Path], folder: Path) -> Path:
    """`folder` with every clip `TIMES` times, told apart by a `free` box at the end, which no player reads."""
    for clip in clips:
        content = clip.read_bytes()
        for time in range(TIMES):
            note = f"copy {time}".encode()
            free = struct.pack(">I4s", 8 + len(note), b"free") + note
            (folder / f"{clip.stem}_{time}{clip.suffix}").write_bytes(content + free)
    return folder


def _spread(ratios: list[float]) -> tuple[float, float]:
    return min(ratios), max(ratios)
