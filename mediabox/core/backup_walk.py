"""Walk an older backup: every picture and video with its size and time, read-only, one stat each."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import Permanent
from mediabox.message import message
from mediabox.model.adoptable import Adoptable
from mediabox.model.asset import Kind
from mediabox.model.signature import claimed_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class BackupFindings(msgspec.Struct, kw_only=True):
    """What a walk met beside the files it yields."""

    other: int = 0  # neither pictures nor videos, empty, links, or with a name that is not UTF-8
    unreadable: list[str] = msgspec.field(default_factory=list)  # folders


def walk(
    folder: Path, *, excluded_roots: Iterable[Path], source: str | None, findings: BackupFindings
) -> Iterator[Adoptable]:
    """Everything below that may be adopted. `excluded_roots` are not entered, by whatever name.

    Raises Permanent when the folder cannot be listed, or is in one of those.
    """
    excluded = {identity for root in excluded_roots if (identity := _identity(root)) is not None}
    top = folder.resolve()
    if any(_identity(each) in excluded for each in (top, *top.parents)):
        raise Permanent(
            message("{folder} is a folder of mediabox itself; its files are already known", folder=str(folder))
        )
    if not top.is_dir():
        raise Permanent(message("{folder} is not a folder", folder=str(folder)))
    if not _is_text(str(top)):
        raise Permanent(message("the name of {folder} is not UTF-8; rename the folder", folder=str(top)))
    waiting = [str(top)]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if path == str(top):
                raise Permanent(
                    message(
                        "{folder} cannot be listed: {reason}", folder=str(folder), reason=error.strerror or str(error)
                    )
                ) from error
            findings.unreadable.append(os.fsencode(path).decode("utf-8", "replace"))
            continue
        below = [entry.path for entry in listed if entry.is_dir(follow_symlinks=False)]
        waiting += [each for each in reversed(below) if _identity(each) not in excluded]
        yield from _files(listed, source=source, findings=findings)


def _files(entries: Iterable[os.DirEntry[str]], *, source: str | None, findings: BackupFindings) -> Iterator[Adoptable]:
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            continue
        file = _adoptable(entry, source)
        if file is None:
            findings.other += 1
        else:
            yield file


def _adoptable(entry: os.DirEntry[str], source: str | None) -> Adoptable | None:
    if claimed_kind(entry.name) not in (Kind.PICTURE, Kind.VIDEO) or not _is_text(entry.path):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # removed since its folder was read
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return None
    return Adoptable(path=entry.path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns, source=source)


def _is_text(path: str) -> bool:
    """The catalogue holds text; tools that fetch from iCloud write nothing else."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _identity(path: Path | str) -> tuple[int, int] | None:
    """(st_dev, st_ino): a bind mount has another path, and is the same folder."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
