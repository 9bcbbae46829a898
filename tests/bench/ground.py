"""Where the measuring happens: the corpus, the peers' tools, and fresh folders for every run."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import measure
import msgspec
from table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BENCH = Path(os.environ.get("MEDIABOX_BENCH", ROOT / ".bench"))
CORPUS = BENCH / "corpus"
RUNS = BENCH / "runs"
PEERS = HERE / "peers"
PYTHON = ROOT / ".venv" / "bin" / "python"
MEDIABOX = ROOT / ".venv" / "bin" / "mediabox"
PEER_PYTHON = BENCH / "venv" / "bin" / "python"
SYSTEM_PYTHON = BENCH / "venv-system" / "bin" / "python"  # pyvips on the distribution's libvips: it reads HEIC
NODE = BENCH / "node"
SYSTEM_NODE = BENCH / "node-system"  # sharp on the distribution's libvips: it reads HEIC

AT_REST_S = 8.0  # more than `settle_s` of the folder source
PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """How many times less we must need than a peer; `None` asks for nothing."""

    cpu: float | None = None
    wall: float | None = None
    memory: float | None = None


class NotReady(Exception):
    """Something the bench needs is not there; the message says how to get it."""


def corpus(name: str, count: int | None = None) -> list[Path]:
    """Files of one part of the corpus. Raises NotReady when there are fewer than asked for."""
    folder = CORPUS / name
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if not files or (count is not None and len(files) < count):
        raise NotReady(f"{len(files)} files in {folder}; run tests/bench/setup")
    return files[:count]


def fresh(name: str) -> Path:
    """An empty folder for one run."""
    folder = RUNS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def linked(files: Iterable[Path], name: str) -> Path:
    """A folder with these files as hard links: a source of pictures that costs nothing to make."""
    folder = fresh(name)
    for file in files:
        os.link(file, folder / file.name)
    return folder


def rest(folder: Path) -> None:
    """Wait until nothing in the folder was touched for a while, as in a household's: files still being written wait."""
    newest_s = max((path.stat().st_ctime for path in (folder, *folder.rglob("*"))), default=0.0)
    time.sleep(max(0.0, newest_s + AT_REST_S - time.time()))


def ours(pictures: Path, home: Path, *, items: int, clean: bool = True, name: str = "mediabox") -> measure.Command:
    """The whole daemon taking in a folder to the end: copies, proofs, renditions, database.

    Checks afterwards that every file is in the archive, byte for byte in length.
    """
    if not MEDIABOX.exists():
        raise NotReady(f"no {MEDIABOX}; make the environment first")
    sizes = Counter(path.stat().st_size for path in pictures.rglob("*") if path.is_file())
    compile_ours()

    def before() -> None:
        if clean:
            shutil.rmtree(home, ignore_errors=True)
        rest(pictures)

    def after() -> None:
        kept = Counter(path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.is_symlink())
        missing = [size for size in sizes if size not in kept]
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(sizes)} pictures are not in {home}")

    argv = (str(MEDIABOX), "run", "--once", "--home", str(home), "--pictures", str(pictures))
    return measure.Command(name=name, argv=argv, items=items, before=before, after=after)


@cache
def compile_ours() -> None:
    """Byte code, as an installed package has it; a checkout's first start would write it, and be measured doing so."""
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "mediabox")], check=True)


def peer(name: str, argv: Sequence[object], out: Path, *, items: int, wide: bool = False) -> measure.Command:
    """A peer's work on the same files, into an empty folder."""

    def before() -> None:
        shutil.rmtree(out, ignore_errors=True)

    return measure.Command(
        name=name,
        argv=tuple(str(part) for part in argv),
        items=items,
        before=before,
        environment={"WIDE": "1"} if wide else {},
    )


def photo_peers(files: Sequence[Path], *, heic: bool) -> list[measure.Command]:
    """The four peers on these files. Immich's HEIC needs the distribution's libvips: the public sharp has no HEVC."""
    out = RUNS / "peer"
    count = len(files)
    workers = max(1, (os.cpu_count() or 2) // 2)
    node = SYSTEM_NODE if heic else NODE
    for needed in (node, PEER_PYTHON, SYSTEM_PYTHON):
        if not needed.exists():
            raise NotReady(f"no {needed}; run tests/bench/setup")
    return [
        peer("Immich", ("node", PEERS / "immich.mjs", node, out, *files), out, items=count, wide=heic),
        peer("PhotoPrism", (PEER_PYTHON, PEERS / "photoprism.py", workers, out, *files), out, items=count),
        peer("LibrePhotos", (SYSTEM_PYTHON, PEERS / "librephotos.py", out, *files), out, items=count),
        peer("little-backup-box", (PEERS / "little_backup_box.sh", out, *files), out, items=count),
    ]


def against(
    what: str, pair: tuple[measure.Command, measure.Command], seen: Sequence[Sequence[measure.Measure]], bars: Bars
) -> list[Row]:
    """Rows for CPU, time and memory of ours (first) and a peer (second), from runs made in turn."""
    us, them = (measure.summarise(command, measures) for command, measures in zip(pair, seen, strict=True))

    def spread(attribute: str) -> tuple[float, float]:
        share = 1.0 if attribute == "peak_bytes" else pair[0].items / pair[1].items
        ratios = [
            getattr(theirs, attribute) / getattr(mine, attribute) * share
            for mine, theirs in zip(seen[0], seen[1], strict=True)
        ]
        return min(ratios), max(ratios)

    def row(kind: str, unit: str, attribute: str, source: str, least_ratio: float | None) -> Row:
        return Row(
            what=f"{what}, {kind}, against {them.name}",
            unit=unit,
            ours=getattr(us, attribute),
            theirs=getattr(them, attribute),
            least_ratio=least_ratio,
            spread=spread(source),
        )

    return [
        row("CPU a file", "ms", "cpu_ms_per_item", "cpu_s", bars.cpu),
        row("time a file", "ms", "wall_ms_per_item", "wall_s", bars.wall),
        row("memory", "MiB", "peak_mib", "peak_bytes", bars.memory),
    ]
