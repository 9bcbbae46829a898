"""`mediabox pixel prove NAME --takeout DIR`: what Google Photos really has, by the owner's own download of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mediabox.cli import exits
from mediabox.cli.output import write_found
from mediabox.cli.pixel_download import FAILURES, files_of
from mediabox.cli.words import count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.delivering import returned
from mediabox.core.delivering.returned import Match, Returned, ReturnedFile
from mediabox.core.home import catalogue, poke
from mediabox.errors import Away, Permanent
from mediabox.model.google_photos import place_of
from mediabox.store import assets, examined
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from mediabox.cli.pixel_download import Downloaded, Opened
    from mediabox.cli.pixel_target import Target
    from mediabox.model.asset import Resource
    from mediabox.native.worker import MediaWorkers

SHOWN = 10
SPARE_BYTES = 512_000_000  # stay free in the home folder, whatever is unpacked there
MORE_METADATA_BYTES = 64_000_000  # no file carries more of them: what is so much larger than an original is another one


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be looked at, and why."""

    path: str
    problem: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `missing`: of what has left or is unverified, names that were not there."""

    read: int
    found: tuple[Returned, ...]
    unknown: tuple[str, ...]
    unread: tuple[Unread, ...]
    missing: tuple[str, ...]


def run(target: Target, folder: Path, *, as_json: bool) -> int:
    if not folder.exists():
        raise Permanent(f"there is no {folder}: give the folder Takeout was unpacked into, or one of its zip files")
    _refuse_own(target, folder)
    with catalogue(target.home) as connection:
        report = asyncio.run(_compare(connection, target, folder))
    with catalogue(target.home, write=True) as connection, transaction(connection):
        now_ms = Clock().wall_ms()
        for one in report.found:
            returned.keep(connection, target.name, one, now_ms=now_ms)
    poke(target.home)
    write_found(report, _words(report, target.name), as_json=as_json)
    return exits.OK if report.found and not report.unread else exits.PROBLEM


def _refuse_own(target: Target, folder: Path) -> None:
    """What this box works with says nothing of what Google has. Raises Permanent."""
    trees = [Path(tree) for one in load(target.home).sources for tree in getattr(one.settings, "trees", ())]
    given = folder.resolve()
    for own in (target.archive, target.outbox, target.home, *trees):
        if given.is_relative_to(own.resolve()) or own.resolve().is_relative_to(given):
            raise Permanent(f"{folder} is in {own} or holds it: give a folder with the download alone")


async def _compare(connection: sqlite3.Connection, target: Target, folder: Path) -> Report:
    from mediabox.native.worker import MediaWorkers

    found: list[Returned] = []
    unknown: list[str] = []
    unread: list[Unread] = []
    workers = MediaWorkers(1)
    try:
        for each in files_of(folder):
            file = _hashed(each)
            if isinstance(file, Unread):
                unread.append(file)
            elif one := await _found(connection, workers, target, each, file):
                found.append(one)
            else:
                unknown.append(file.path)
    finally:
        await workers.close()
    missing = tuple(returned.not_returned(connection, target.name, found))
    read = len(found) + len(unknown)
    return Report(read=read, found=tuple(found), unknown=tuple(unknown), unread=tuple(unread), missing=missing)


async def _found(
    connection: sqlite3.Connection, workers: MediaWorkers, target: Target, each: Downloaded, file: ReturnedFile
) -> Returned | None:
    """What it is of ours; None: nothing."""
    one = returned.by_bytes(connection, target.name, file)
    if one is not None:
        return None if _is_the_archives(connection, target, one.resource_id, each.outer) else one
    for resource in returned.candidates(connection, target.name, file):
        if await _is_same_picture(connection, workers, _Pair(target, resource, file, each.opened)):
            return Returned(file=file, resource_id=resource.id, match=Match.PICTURE)
    return None


def _hashed(each: Downloaded) -> ReturnedFile | Unread:
    path = each.path.encode(errors="surrogateescape").decode(errors="replace")
    if each.problem:
        return Unread(path=path, problem=each.problem)
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with each.opened() as content:
            while block := content.read(1 << 20):
                digest.update(block)
                size_bytes += len(block)
    except FAILURES:
        return Unread(path=path, problem="it cannot be read: damaged, or not yours? Download it once more")
    here_since_ms = each.outer.stat().st_ctime_ns // 1_000_000  # no download is younger than its bytes on this disk
    return ReturnedFile(path=path, digest=digest.hexdigest(), size_bytes=size_bytes, here_since_ms=here_since_ms)


def _is_the_archives(connection: sqlite3.Connection, target: Target, resource_id: int, path: Path) -> bool:
    """Whether it is the archive's own file under another name: a hard link."""
    resource = assets.resource(connection, resource_id)
    kept = target.archive / (resource.path or "") if resource is not None else target.archive
    return kept.exists() and kept.samefile(path)


class _Pair(NamedTuple):
    """A file that came back, and the original it may be."""

    target: Target
    original: Resource
    file: ReturnedFile
    opened: Opened


async def _is_same_picture(connection: sqlite3.Connection, workers: MediaWorkers, pair: _Pair) -> bool:
    """Whether the picture data are the same, compared in a sandboxed child."""
    facts, most = examined.facts(connection, pair.original.id), (pair.original.size_bytes or 0) + MORE_METADATA_BYTES
    if facts is None or pair.file.size_bytes > most:
        return False
    with _readable(pair) as result, _original(pair.target, pair.original) as first:
        name, size_bytes = pair.original.name, pair.file.size_bytes
        try:
            await workers.check(result, first, media_type=facts.media_type, name=name, size_bytes=size_bytes)
        except Permanent:  # another picture, or of a form we cannot compare
            return False
    return True


@contextmanager
def _readable(pair: _Pair) -> Iterator[int]:
    """A descriptor that can seek: of a zip file's member, of a copy that goes when it is closed, as long as it was."""
    home = pair.target.home
    with pair.opened() as content, closing(tempfile.TemporaryFile(dir=home)) as copy:
        if not isinstance(content, zipfile.ZipExtFile):
            yield content.fileno()
            return
        if shutil.disk_usage(home).free < pair.file.size_bytes + SPARE_BYTES:
            raise Away(f"{home} has no room to unpack {pair.file.path}: unpack the zip file elsewhere", part="home")
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
    unread = [f"{one.path} ({one.problem})" for one in report.unread]
    for names, what in (
        (unread, "not read"),
        (report.unknown, "nothing of the archive"),
        (report.missing, f"left {name}, and not found"),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"  {len(names):,}: {what}: {', '.join(names[:SHOWN])}{more}"
