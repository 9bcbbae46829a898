"""`mediabox pixel prove NAME --takeout DIR`: what Google Photos really has, by the owner's own download of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import catalogue, poke
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.core.delivering import returned
from mediabox.core.delivering.returned import File, Match, Returned
from mediabox.errors import Away, Permanent
from mediabox.model.google_photos import place_of
from mediabox.store import assets
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mediabox.cli.pixel import Target
    from mediabox.model.asset import Resource
    from mediabox.native.worker import MediaWorkers

    Opened = Callable[[], AbstractContextManager[IO[bytes]]]

SHOWN = 10
_SIDECARS = (".json", ".html", ".csv")  # Takeout's own


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `missing`: of what has left or is unverified, names that were not there."""

    read: int
    found: tuple[Returned, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def run(target: Target, folder: Path, *, as_json: bool) -> int:
    if not folder.exists():
        raise Permanent(f"there is no {folder}: give the folder Takeout was unpacked into, or one of its zip files")
    with catalogue(target.home) as connection:
        report = asyncio.run(_compare(connection, target, folder))
    with catalogue(target.home, write=True) as connection, transaction(connection):
        now_ms = Clock().wall_ms()
        for one in report.found:
            returned.keep(connection, target.name, one, now_ms=now_ms)
    poke(target.home)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        print("\n".join(plain(line) for line in _words(report, target.name)))
    return exits.OK if report.found else exits.PROBLEM


async def _compare(connection: sqlite3.Connection, target: Target, folder: Path) -> Report:
    from mediabox.native.worker import MediaWorkers

    found: list[Returned] = []
    unknown: list[str] = []
    workers = MediaWorkers(1)
    try:
        for path, opened in _files(folder):
            with opened() as content:
                file = _hashed(path, content)
            one = returned.by_bytes(connection, target.name, file)
            for resource in returned.candidates(connection, target.name, file) if one is None else ():
                if await _is_same_picture(connection, workers, _Pair(target, resource, file, opened)):
                    one = Returned(file=file, resource_id=resource.id, match=Match.PICTURE)
            found += [one] if one is not None else []
            unknown += [path] if one is None else []
    finally:
        await workers.close()
    missing = tuple(returned.not_returned(connection, target.name, found))
    return Report(read=len(found) + len(unknown), found=tuple(found), unknown=tuple(unknown), missing=missing)


def _files(folder: Path) -> Iterator[tuple[str, Opened]]:
    """All there are, in zip files too, but Takeout's own words about them."""
    if folder.is_file():
        yield from _members(folder, folder.name)
        return
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if name.lower().endswith(".zip"):
                yield from _members(path, str(path.relative_to(folder)))
            elif not name.lower().endswith(_SIDECARS) and path.is_file() and not path.is_symlink():
                yield str(path.relative_to(folder)), partial(_open, path)


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _members(path: Path, shown: str) -> Iterator[tuple[str, Opened]]:
    """Of one zip file, readable while it is the newest. Raises Permanent when it is none, or cut short."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and not member.filename.lower().endswith(_SIDECARS):
                    yield f"{shown}/{member.filename}", partial(archive.open, member)
    except zipfile.BadZipFile as err:
        raise _unreadable(str(path)) from err


def _unreadable(path: str) -> Permanent:
    return Permanent(f"{path} cannot be read: a zip file cut short, or encrypted? Download it once more, or unpack it")


def _hashed(path: str, content: IO[bytes]) -> File:
    """Raises Permanent."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        while block := content.read(1 << 20):
            digest.update(block)
            size_bytes += len(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as err:
        raise _unreadable(path) from err
    text = path.encode(errors="surrogateescape").decode(errors="replace")
    return File(path=text, digest=digest.hexdigest(), size_bytes=size_bytes)


class _Pair(NamedTuple):
    """A file that came back, and the original it may be."""

    target: Target
    original: Resource
    file: File
    opened: Opened


async def _is_same_picture(connection: sqlite3.Connection, workers: MediaWorkers, pair: _Pair) -> bool:
    """Whether the picture data are the same, compared in a sandboxed child."""
    facts = assets.facts(connection, pair.original.id)
    if facts is None:
        return False
    with _readable(pair.opened, pair.target.home) as result, _original(pair.target, pair.original) as first:
        name, size_bytes = pair.original.name, pair.file.size_bytes
        try:
            await workers.check(result, first, media_type=facts.media_type, name=name, size_bytes=size_bytes)
        except Permanent:  # another picture, or of a form we cannot compare
            return False
    return True


@contextmanager
def _readable(opened: Opened, home: Path) -> Iterator[int]:
    """A descriptor that can seek: of a zip file's member, of a copy that goes when it is closed."""
    with opened() as content, closing(tempfile.TemporaryFile(dir=home)) as copy:
        if not isinstance(content, zipfile.ZipExtFile):
            yield content.fileno()
            return
        shutil.copyfileobj(content, copy)
        copy.flush()
        yield copy.fileno()


@contextmanager
def _original(target: Target, resource: Resource) -> Iterator[int]:
    try:
        descriptor = os.open(target.archive / (resource.path or ""), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as err:
        raise Away(f"{resource.path} cannot be read in the archive: {err.strerror}", part="archive") from err
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _words(report: Report, name: str) -> Iterator[str]:
    counts = Counter(one.match for one in report.found)
    yield f"{count_words(report.read, 'file')} read."
    if counts[Match.BYTES]:
        yield f"  {counts[Match.BYTES]:,}: {Match.BYTES.words}. A proved copy on {place_of(name)} until it is too old."
    for match in (Match.DELIVERED, Match.PICTURE):
        if counts[match]:
            yield f"  {counts[match]:,}: {match.words}. Shown, and counted nowhere."
    for names, what in ((report.unknown, "nothing of the archive"), (report.missing, f"left {name}, and not found")):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"  {len(names):,}: {what}: {', '.join(names[:SHOWN])}{more}"
