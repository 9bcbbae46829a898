"""Clips of 1080p: taken in, understood, and shown by a poster, against what two peers do."""

import ground
import measure
from table import Row

CLIPS = 9


def run() -> list[Row]:
    files = ground.corpus("clips", CLIPS)
    us = ground.ours(ground.linked(files, "pictures"), ground.RUNS / "home", items=CLIPS)
    out = ground.RUNS / "peer"
    peers = [
        ground.peer(name, (ground.PEER_PYTHON, ground.PEERS / "video.py", name.lower(), out, *files), out, items=CLIPS)
        for name in ("Immich", "little-backup-box")
    ]
    mine, *theirs = measure.paired([us, *peers], ground.PAIRS)
    return [
        row
        for peer, seen in zip(peers, theirs, strict=True)
        for row in ground.against("video", (us, peer), (mine, seen), ground.Bars(cpu=4))
    ]
