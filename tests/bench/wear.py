"""How much a daemon makes the kernel write, and how much of that is what it keeps."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ground
import msgspec
from daemon import daemon
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from daemon import Running

FULL_WIDTHS = (320, 480, 640, 800, 1024)
WITHIN_S = 600.0
LOOK_EVERY_S = 0.05
EXIF, MODEL, TAKEN = 0x8769, 0x0110, 0x9003  # Exif 2.32: where its IFD is, the camera, the capture time


class Wear(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one run: what was written, and what is there that was not before."""

    written: int
    kept: int


def small_pictures(count: int) -> list[Path]:
    """Pictures of 10 to 200 kB, all of one month, as messengers and old phones leave them."""
    folder, chance = ground.BENCH / "corpus" / "small", random.Random(17)
    folder.mkdir(parents=True, exist_ok=True)
    sources = ground.corpus("jpeg", 60)
    for number in range(count):
        path, width = folder / f"IMG_{number:04d}.JPG", chance.choice(FULL_WIDTHS)
        if not path.exists():
            picture = Image.open(sources[number % len(sources)])
            picture.draft("RGB", (width, width))
            exif = Image.Exif()
            exif[MODEL] = "Bench"
            exif.get_ifd(EXIF)[TAKEN] = f"2024:07:{1 + number % 28:02d} 12:{number % 60:02d}:{number // 60:02d}"
            picture.resize((width, width * 3 // 4)).save(path, quality=80, exif=exif)
    return [folder / f"IMG_{number:04d}.JPG" for number in range(count)]


def written_bytes(running: Running) -> int:
    """`write_bytes` of proc(5) of the daemon with its living children, and with those it has waited for.

    Pages of 4 KiB the page cache took to be written: also of files that are gone before they are, not the file system's
    own journal.
    """
    total = 0
    for process in running.members():
        for line in Path(f"/proc/{process}/io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                total += int(line.split()[1])
    return total


def kept_bytes(home: Path) -> int:
    """Originals, sidecars, lists, renditions and the catalogue, each once; not its log, nor the spool."""
    left_out = ("-wal", "-shm")
    files = {(found := path.lstat()).st_ino: found.st_size for path in home.rglob("*") if is_kept(path, left_out)}
    return sum(files.values())


def is_kept(path: Path, left_out: tuple[str, ...]) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.endswith(left_out) and "spool" not in path.parts


@contextmanager
def watched(home: Path) -> Iterator[tuple[Running, Path]]:
    """The daemon with a folder in which it takes at once whatever is named there."""
    folder, empty = ground.fresh("wear"), ground.fresh("nothing")
    home.mkdir(parents=True, exist_ok=True)
    source = f'[sources.wear]\ntype = "folder"\ntrees = ["{folder}"]\nsettle_s = 0\n'
    (home / "mediabox.toml").write_text(source)
    with daemon(empty, home) as running:
        yield running, folder


def take_in(files: Sequence[Path], home: Path, *, alone: bool, meanwhile: Callable[[], None] = lambda: None) -> Wear:
    """What it costs to take these in: all at once, or each only when the one before is archived."""
    kept = kept_bytes(home)
    with watched(home) as (running, folder):
        with closing(sqlite3.connect(f"file:{home}/mediabox.db?mode=ro", uri=True)) as catalogue:
            there, before = ended(catalogue), written_bytes(running)
            for number, file in enumerate(files, 1):
                arrive(file, folder)
                if alone:
                    wait(lambda number=number: ended(catalogue) >= there + number)
            meanwhile()
            wait(lambda: ended(catalogue) >= there + len(files) and not waiting(catalogue))
        written = written_bytes(running) - before
    return Wear(written=written, kept=kept_bytes(home) - kept)


def arrive(file: Path, folder: Path) -> None:
    """Under its name at once and whole, as phones' programs do."""
    part = ground.RUNS / "arriving"
    shutil.copyfile(file, part)
    os.rename(part, folder / file.name)


def ended(catalogue: sqlite3.Connection) -> int:
    question = "SELECT count(*) FROM resource WHERE state IN ('archived', 'duplicate')"
    return int(catalogue.execute(question).fetchone()[0])


def waiting(catalogue: sqlite3.Connection) -> int:
    return int(catalogue.execute("SELECT count(*) FROM job").fetchone()[0])


def wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"not taken in after {WITHIN_S:.0f} s")
        time.sleep(LOOK_EVERY_S)
