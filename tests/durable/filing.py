"""One photo's way through `durable`, as the stages walk it, to be broken at every point."""

import asyncio
import hashlib
import os
import random
from pathlib import Path

from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.marker import MARKER
from mediabox.durable.publish import discard, publish, replace
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.verify import check
from mediabox.durable.volume import Volume
from mediabox.errors import Retryable
from mediabox.model.ledger import CopyState

PHOTO = random.Random(1).randbytes(300_000)
CHUNK_BYTES = 100_000
DIGEST = hashlib.sha256(PHOTO).hexdigest()
FINAL = "2024/05/IMG_0001.JPG"
SIDECAR = f"{FINAL}.xmp"
OLD_SIDECAR, NEW_SIDECAR = b"<old/>" * 500, b"<new/>" * 700
SIDECARS = (OLD_SIDECAR, NEW_SIDECAR)


def held(spool: SpoolFolder) -> list[int]:
    """Resource ids something is held for, ascending."""
    return sorted(int(name.removesuffix(".part")) for name in spool._names() if name.endswith(".part"))


def pour(spool: SpoolFolder, resource_id: int, content: bytes = PHOTO) -> None:
    """Fetch into the spool, taking up what is held."""
    sink = spool.sink(resource_id, size_bytes=len(content))
    if sink.offset > len(content):
        sink.restart()
    for start in range(sink.offset, len(content), CHUNK_BYTES):
        sink.write(content[start : start + CHUNK_BYTES])
    staged = asyncio.run(spool.finish(resource_id, sink))
    assert staged.digest == hashlib.sha256(content).hexdigest()


def file(volume: Volume, syncs: DirectorySync, temp: str, final: str = FINAL, content: bytes = PHOTO) -> None:
    """Publish and prove; a name taken by the same bytes means that an earlier try came this far."""
    volume.makedirs(final.rpartition("/")[0])
    digest = hashlib.sha256(content).hexdigest()
    try:
        publish(volume, temp, final, modified_at_ms=1_700_000_000_000)
    except FileExistsError:
        assert check(volume, final, digest=digest, size_bytes=len(content)).state is CopyState.PRESENT
    syncs.sync(volume, final.rpartition("/")[0])
    if check(volume, final, digest=digest, size_bytes=len(content)).state is not CopyState.PRESENT:
        raise Retryable(f"{final} reads back differently")


class Filing:
    """Spool, finish, publish, sync, verify, sidecar, discard, on an enrolled volume."""

    def prepare(self, root: Path) -> None:
        with Volume.enroll(root, now_ms=1) as volume:
            volume.makedirs("2024/05")
            replace(volume, SIDECAR, OLD_SIDECAR)

    def act(self, root: Path) -> None:
        with Volume.enroll(root, now_ms=1) as volume:
            spool = SpoolFolder(volume)
            spool.sweep(keep={1})
            pour(spool, 1)
            file(volume, DirectorySync(), spool.path_of(1))
            replace(volume, SIDECAR, NEW_SIDECAR)
            discard(volume, spool.path_of(1))

    def examine_broken(self, root: Path) -> list[str]:
        complaints = []
        if (root / FINAL).exists() and (root / FINAL).read_bytes() != PHOTO:
            complaints.append("partial or foreign bytes under the final name")
        if (root / FINAL).exists() and (root / FINAL).stat().st_mode & 0o222:
            complaints.append("a writable original")
        if (root / SIDECAR).read_bytes() not in SIDECARS:
            complaints.append("the sidecar is neither the old nor the new version")
        return complaints

    def examine_whole(self, root: Path) -> list[str]:
        complaints = self.examine_broken(root)
        found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        if found != {FINAL, SIDECAR, MARKER}:
            complaints.append(f"files are {sorted(found)}")
        elif (root / SIDECAR).read_bytes() != NEW_SIDECAR or os.stat(root / FINAL).st_nlink != 1:
            complaints.append("old sidecar, or a second name of the original")
        return complaints


class Enrolling:
    """A volume's first day."""

    def prepare(self, root: Path) -> None:
        root.rmdir()

    def act(self, root: Path) -> None:
        Volume.enroll(root, now_ms=1).close()

    def examine_broken(self, root: Path) -> list[str]:
        marker = root / MARKER
        return ["half a marker"] if marker.exists() and not marker.read_bytes().endswith(b"}\n") else []

    def examine_whole(self, root: Path) -> list[str]:
        found = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        return self.examine_broken(root) + ([] if found == [MARKER] else [f"files are {found}"])


class CarelessFiling(Filing):
    """What most programs do: write under the final name. The enumeration must catch it."""

    def act(self, root: Path) -> None:
        with open(root / FINAL, "wb", buffering=0) as photo:
            photo.write(PHOTO)
        os.chmod(root / FINAL, 0o444)
