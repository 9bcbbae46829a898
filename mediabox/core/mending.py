"""Give an archive its lost marker back, once its own files have shown that it is the one.

A marker made anew on the wrong disk would read as "everything was deleted", so nothing
here believes a path: known files have to lie there, whole (invariant I5).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from mediabox.core.enrolment import ROLE, SAMPLE, identity_of
from mediabox.core.rebuild import is_sidecar
from mediabox.durable.marker import FOLDER, mark_anew, new_identity, unmarked
from mediabox.errors import NeedsHuman, Permanent
from mediabox.message import Text, message
from mediabox.store import copies, journal, volumes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from mediabox.contracts import SidecarEditor
    from mediabox.model.ledger import Copy
    from mediabox.model.sidecar import SidecarMember

REHASHED = 3  # of the sample, of middling size: chance cannot give one the bytes of another
LOOKED_AT = 1_000  # `.xmp` files of anybody's in which sidecars of ours are looked for
LONGEST_SIDECAR_BYTES = 4 << 20


def is_mendable(connection: sqlite3.Connection, root: Path) -> bool:
    """Whether known files lie at this place, as far as their sizes tell: then mending may be offered."""
    sample = _sample(connection)
    return bool(sample) and _unlike(sample, str(root)) is None


def mend(connection: sqlite3.Connection, root: Path, *, now_ms: int) -> int:
    """Write the marker the catalogue knows, in the caller's transaction; how many known files were found first.

    Raises Away when the root is not there, NeedsHuman `volume.foreign` when anything
    speaks against its being the archive.
    """
    known, sample = volumes.enrolled(connection, ROLE), _sample(connection)
    if known is None or not sample:
        raise _unproved(root, message("the catalogue has no file to identify it by"))
    with unmarked(root) as descriptor:
        why = _unlike(sample, ".", dir_fd=descriptor) or _changed(sample, descriptor)
        if why is not None:
            raise _unproved(root, why)
        mark_anew(descriptor, root, identity_of(known))
    journal.append(connection, "marker_mended", at_ms=now_ms, uuid=known.uuid, found=len(sample))
    return len(sample)


async def mark_by_sidecars(root: Path, sidecars: SidecarEditor, *, now_ms: int) -> str:
    """Mark an archive nobody remembers as a new volume, when sidecars of ours in it name files that are there.

    Returns its new uuid. Raises as `mend`.
    """
    with unmarked(root) as descriptor:
        members = await _listed_members(descriptor, sidecars)
        there = sum(_has_size(member.path, member.size_bytes, descriptor) for member in members)
        if there * 2 <= len(members) or not members:
            found = message(
                "{there:n} of {known:n} files listed in its sidecars exist", there=there, known=len(members)
            )
            raise _unproved(root, found if members else message("it has no mediabox sidecar"))
        identity = new_identity(descriptor, now_ms=now_ms)
        await asyncio.to_thread(mark_anew, descriptor, root, identity)
    return identity.uuid


def _sample(connection: sqlite3.Connection) -> list[Copy]:
    known = volumes.enrolled(connection, ROLE)
    return copies.sample(connection, known.uuid, SAMPLE) if known is not None else []


def _unlike(sample: list[Copy], root: str, *, dir_fd: int | None = None) -> Text | None:
    """What is missing or of another length below `root`; None when nothing is."""
    for copy in sample:
        if not _has_size(f"{root}/{copy.path}", copy.size_bytes, dir_fd):
            return message("{path} is missing or has another size", path=copy.path)
    return None


def _has_size(path: str, size_bytes: int, dir_fd: int | None) -> bool:
    try:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size_bytes


def _changed(sample: list[Copy], dir_fd: int) -> Text | None:
    by_size = sorted(sample, key=lambda copy: copy.size_bytes)
    count = min(REHASHED, len(by_size))
    for copy in (by_size[len(by_size) * (2 * turn + 1) // (2 * count)] for turn in range(count)):
        try:
            with open(copy.path, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=dir_fd)) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as err:
            return message("{path} is not readable ({reason})", path=copy.path, reason=err.strerror or str(err))
        if digest != copy.digest:
            return message("{path} differs from what was archived", path=copy.path)
    return None


async def _listed_members(descriptor: int, sidecars: SidecarEditor) -> list[SidecarMember]:
    """Files named by the first sidecars of ours."""
    members: list[SidecarMember] = []
    for content in await asyncio.to_thread(lambda: list(_texts(descriptor))):
        try:
            record = await sidecars.parse_sidecar(content)
        except Permanent:  # somebody else's, or damaged
            continue
        members += record.members if record is not None else ()
        if len(members) >= SAMPLE:
            break
    return members


def _texts(descriptor: int) -> Iterator[bytes]:
    left = LOOKED_AT
    for _, folders, names, folder in os.fwalk(".", dir_fd=descriptor):
        folders[:] = sorted(name for name in folders if name != FOLDER)
        for name in filter(is_sidecar, sorted(names)):
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
            with open(file, "rb") as opened:
                yield opened.read(LONGEST_SIDECAR_BYTES)
            left -= 1
            if not left:
                return


def _unproved(root: Path, why: Text) -> NeedsHuman:
    return NeedsHuman(
        message("the marker of the archive at {root} is not recreated: {reason}", root=str(root), reason=why),
        issue="volume.foreign",
        subject=ROLE,
        remedy=message(
            "Mount the archive's disk there, or name its folder. If it is the archive and some of its files are lost, "
            "move mediabox.db away and run `mediabox rebuild --archive DIR`."
        ),
    )
