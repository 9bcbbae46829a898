"""The files of a download from Google Photos: a folder, the zip files in it, or one of them. Nothing is unpacked.

An archive from outside may be anything: what is encrypted, cut short, or grows beyond what a photo can, is left out
with the reason, and costs nothing but itself.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from mediabox.model.google_photos import LARGEST_VIDEO_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Opened = Callable[[], AbstractContextManager[IO[bytes]]]

_SIDECARS = (".json", ".html", ".csv")  # Takeout's own
_UNREAD = (".tgz", ".tar", ".tar.gz", ".7z", ".rar", ".z01")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_ENCRYPTED = 0x1  # of a member's flags (APPNOTE.TXT 4.4.4)
MOST_TIMES = 100  # photos and videos are compressed already: what grows more when it is unpacked is neither
MANY_BYTES = 1_000_000  # less than that may grow as it likes
# What `zipfile` and the decompressors raise for bytes that are not as they should be.
FAILURES = (
    *(OSError, EOFError, ValueError, RuntimeError, OverflowError),  # NotImplementedError, UnicodeError among them
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error),
)


class Downloaded(NamedTuple):
    """One file. `path`: in the folder, or `ARCHIVE.zip/MEMBER`. `outer`: the file on this disk that holds it.

    `problem`: why it is not read; "" when it may be. A member is readable while it is the newest.
    """

    path: str
    outer: Path
    opened: Opened
    problem: str = ""


def files_of(folder: Path) -> Iterator[Downloaded]:
    """All there are but Takeout's own words about them. `folder` may be one file."""
    if folder.is_file():
        yield from _files(folder, folder.name)
        return
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if not path.is_symlink() and path.is_file():
                yield from _files(path, str(path.relative_to(folder)))


def _files(path: Path, shown: str) -> Iterator[Downloaded]:
    name = path.name.lower()
    if name.endswith(".zip"):
        yield from _members(path, shown)
    elif not name.endswith(_SIDECARS):
        is_archive = name.endswith(_UNREAD)
        problem = "an archive of this kind is not read: unpack it, or order Takeout as .zip" if is_archive else ""
        yield Downloaded(shown, path, partial(_open, path), problem)


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _members(path: Path, shown: str) -> Iterator[Downloaded]:
    try:
        archive = zipfile.ZipFile(path)
    except FAILURES:
        problem = "it cannot be read: a zip file cut short? Download it once more"
        yield Downloaded(shown, path, partial(_open, path), problem)
        return
    with archive:
        members = archive.infolist()
        # Members that share their bytes make a small file endless (David Fifield, A better zip bomb, 2019).
        is_shared = sum(one.compress_size for one in members) > path.stat().st_size
        for member in members:
            if not member.is_dir() and not member.filename.lower().endswith(_SIDECARS):
                problem = "its members share their bytes: no zip file of Google's" if is_shared else _problem(member)
                yield Downloaded(f"{shown}/{member.filename}", path, partial(archive.open, member), problem)


def _problem(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        return "it is encrypted, or packed in a way that is not read: unpack it"
    if member.file_size > LARGEST_VIDEO_BYTES:
        return "larger than what Google Photos takes"
    if member.file_size > MANY_BYTES and member.file_size > MOST_TIMES * member.compress_size:
        return f"it grows more than {MOST_TIMES}-fold when unpacked: no photo does"
    return ""
