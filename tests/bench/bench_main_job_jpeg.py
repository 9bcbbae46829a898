"""The main job on JPEG: 60 camera pictures from a folder to a proven archive, against what four peers do to them."""

import ground
import measure
from table import Row

FILES = 60
BARS = {
    "Immich": ground.Bars(cpu=3, wall=2.2, memory=5),
    "PhotoPrism": ground.Bars(cpu=6),
    "LibrePhotos": ground.Bars(cpu=7),
    "little-backup-box": ground.Bars(cpu=4),
}


def run() -> list[Row]:
    files = ground.corpus("jpeg", FILES)
    us = ground.ours(ground.linked(files, "pictures"), ground.RUNS / "home", items=FILES)
    peers = ground.photo_peers(files, heic=False)
    mine, *theirs = measure.paired([us, *peers], ground.PAIRS)
    return [
        row
        for peer, seen in zip(peers, theirs, strict=True)
        for row in ground.against("JPEG", (us, peer), (mine, seen), BARS[peer.name])
    ]
