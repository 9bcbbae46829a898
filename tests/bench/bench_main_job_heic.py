"""The main job on HEIC: real phone pictures of 12 megapixels, against what four peers do to them.

Pictures the distribution's libheif cannot open are left out (`setup` sets them aside), so
that nobody gets a picture for nothing.
"""

import ground
import measure
from table import Row

FILES = 14
BARS = {"Immich": ground.Bars(cpu=4.5, memory=4)}


def run() -> list[Row]:
    files = ground.corpus("heic")[:FILES]
    us = ground.ours(ground.linked(files, "pictures"), ground.RUNS / "home", items=len(files))
    peers = ground.photo_peers(files, heic=True)
    mine, *theirs = measure.paired([us, *peers], ground.PAIRS)
    return [
        row
        for peer, seen in zip(peers, theirs, strict=True)
        for row in ground.against("HEIC", (us, peer), (mine, seen), BARS.get(peer.name, ground.Bars()))
    ]
