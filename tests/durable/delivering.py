"""A photo with its clip on its way into an outbox, to be broken at every point: `python -m durable.delivering ROOT`."""

import asyncio
import hashlib
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

from mediabox.contracts import Made
from mediabox.durable.marker import FOLDER, MARKER
from mediabox.durable.outbox import NOTES, OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.model.recipe import Insert, Part, Recipe, Span

STILL = random.Random(1).randbytes(300_000)
CLIP = random.Random(2).randbytes(200_000)
XMP = b"<x:xmpmeta/>" * 100
NAME = "IMG_0001_3f9a21c0.MP.JPG"
PLAIN = "IMG_0002_4a8b32d1.JPG"
TAKEN_MS = 1_715_536_800_123
MOTION = Recipe(
    pieces=(
        Span(part=Part.FIRST, offset=0, length=2),
        Insert(content=XMP),
        Span(part=Part.FIRST, offset=2, length=len(STILL) - 2),
        Span(part=Part.CLIP, offset=0, length=len(CLIP)),
    ),
    media_type="image/jpeg",
    clip_offset=len(STILL) + len(XMP),
)
WHOLE = Recipe(pieces=(Span(part=Part.FIRST, offset=0, length=len(STILL)),), media_type="image/jpeg")
MOTION_BYTES = STILL[:2] + XMP + STILL[2:] + CLIP
EXPECTED = {NAME: MOTION_BYTES, PLAIN: STILL}


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


DIGESTS = {Part.FIRST: digest_of(STILL), Part.CLIP: digest_of(CLIP)}


def lay_out(root: Path) -> None:
    """Two originals, read-only, as the archive has them."""
    (root / "archive").mkdir()
    for name, content in (("still", STILL), ("clip", CLIP)):
        (root / "archive" / name).write_bytes(content)
        (root / "archive" / name).chmod(0o444)


class Files:
    """The two originals, open."""

    def __init__(self, archive: Path) -> None:
        self.of = {
            part: os.open(archive / name, os.O_RDONLY) for part, name in ((Part.FIRST, "still"), (Part.CLIP, "clip"))
        }

    def __enter__(self) -> dict[Part, int]:
        return self.of

    def __exit__(self, *_: object) -> None:
        for descriptor in self.of.values():
            os.close(descriptor)


async def deliver(outbox: OutboxFolder, archive: Path, *, say: Callable[[str], None] = lambda _: None) -> None:
    """Both, as the Pixel does it. Safe to repeat."""
    with Files(archive) as files:
        for name, recipe in ((NAME, MOTION), (PLAIN, WHOLE)):
            digests = {part: DIGESTS[part] for part in files if recipe is MOTION or part is Part.FIRST}
            made = await outbox.assemble(name, recipe, files, digests)
            assert made == Made(size_bytes=len(EXPECTED[name]), digest=digest_of(EXPECTED[name]))
            await outbox.note(name, made.digest.encode())
            await outbox.publish(name, made, modified_at_ms=TAKEN_MS)
            say(f"published {name}")


def opened(root: Path) -> Volume:
    return Volume.enroll(root, now_ms=1, name="outbox:anna", reserve_percent=0)


async def deliver_all(root: Path, archive: Path, *, say: Callable[[str], None] = lambda _: None) -> None:
    with opened(root) as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()
        await outbox.clear()
        await deliver(outbox, archive, say=say)


class Delivering:
    """A scenario for `faults.every_point`."""

    def prepare(self, root: Path) -> None:
        lay_out(root)
        opened(root / "outbox").close()

    def act(self, root: Path) -> None:
        asyncio.run(deliver_all(root / "outbox", root / "archive"))

    def examine_broken(self, root: Path) -> list[str]:
        complaints = halves(root / "outbox") + unnoted(root / "outbox")
        for name, content in (("still", STILL), ("clip", CLIP)):
            original = root / "archive" / name
            status = original.stat()
            if original.read_bytes() != content or status.st_nlink != 1 or status.st_mode & 0o222:
                complaints.append(f"the original {name} was touched")
        return complaints

    def examine_whole(self, root: Path) -> list[str]:
        complaints = self.examine_broken(root) + lacks(root / "outbox")
        inodes = {path.stat().st_ino for path in root.rglob("*") if path.is_file()}
        if len(inodes) != len([path for path in root.rglob("*") if path.is_file()]):
            complaints.append("two names of one file")
        return complaints


def halves(root: Path) -> list[str]:
    """Whatever is never allowed in the folder the peer sees."""
    photos = root / "photos"
    found = [
        f"{path.name} is not whole" if path.name in EXPECTED else f"{path.name} is nobody's"
        for path in (photos.iterdir() if photos.exists() else ())
        if path.read_bytes() != EXPECTED.get(path.name)
    ]
    return found + [f"{path.name} is writable" for path in photos.glob("*") if path.stat().st_mode & 0o222]


def unnoted(root: Path) -> list[str]:
    """Whatever a later start would not know for its own."""
    notes = {path.name: path.read_bytes() for path in (root / NOTES).glob("*")}
    published = [name for name in EXPECTED if (root / "photos" / name).exists()]
    return [f"{name} is not noted" for name in published if notes.get(name) != digest_of(EXPECTED[name]).encode()]


def lacks(root: Path) -> list[str]:
    """What a finished delivery has to look like, and nothing beside it."""
    files = {str(path.relative_to(root)): path.stat() for path in root.rglob("*") if path.is_file()}
    if files.keys() != {MARKER, *(f"{folder}/{name}" for folder in ("photos", NOTES) for name in EXPECTED)}:
        return [f"files are {sorted(files)}"]
    times = {files[f"photos/{name}"].st_mtime_ns for name in EXPECTED}
    return [] if times == {TAKEN_MS * 1_000_000} else ["another time than the photo's"]


class CarelessDelivering(Delivering):
    """Writes where the peer looks. The enumeration must catch it."""

    def act(self, root: Path) -> None:
        photos = root / "outbox" / "photos"
        photos.mkdir(exist_ok=True)
        for name, content in EXPECTED.items():
            (photos / name).unlink(missing_ok=True)
            with open(photos / name, "wb", buffering=0) as file:
                file.write(content)
            os.utime(photos / name, ns=(TAKEN_MS * 1_000_000,) * 2)
            (photos / name).chmod(0o444)


MAKING = f"{FOLDER}/making"

if __name__ == "__main__":
    asyncio.run(deliver_all(Path(sys.argv[1]), Path(sys.argv[2]), say=lambda line: print(line, flush=True)))
