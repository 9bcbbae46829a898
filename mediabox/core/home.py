"""The home folder of a box: who runs on it, and its catalogue for a look."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mediabox.errors import Fatal, NeedsHuman, Retryable
from mediabox.message import Text, message

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from mediabox.store.database import Database

LOCK = "lock"
DATABASE = "mediabox.db"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Be the one process that works on this home. Raises Retryable naming the other one."""
    with _lock(home) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise Retryable(
                message(
                    "mediabox is already running on {home} (process {pid}): stop it first",
                    home=str(home),
                    pid=str(running(home) or "?"),
                )
            ) from err
        with _usable(home):
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
        yield
        with suppress(OSError):  # whose lock it was is of no interest once it is released
            lock.truncate(0)


def _lock(home: Path) -> IO[str]:
    with _usable(home):
        home.mkdir(parents=True, exist_ok=True)
        return open(home / LOCK, "a+", encoding="ascii")


@contextmanager
def _usable(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise Fatal(
            message(
                "the home folder {home} is not usable: {reason}. {remedy}",
                home=str(home),
                reason=err.strerror or str(err),
                remedy=_remedy(home, err),
            )
        ) from err


def _remedy(home: Path, err: OSError) -> Text:
    if err.errno in (errno.EACCES, errno.EPERM):
        return message(
            "Allow user {uid} to write to {home} or its parent folder, or choose another --home.",
            uid=str(os.getuid()),
            home=str(home),
        )
    return message("Free up space on its disk, check the disk, or choose another --home.")


def running(home: Path) -> int | None:
    """The process that works on this home, if one does."""
    try:
        with open(home / LOCK, encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read().strip() or 0) or None
    except FileNotFoundError:
        return None
    return None


def poke(home: Path) -> bool:
    """Let a running daemon look at the store now. Whether there is one."""
    pid = running(home)
    if pid is None:
        return False
    if _listens(pid):
        os.kill(pid, signal.SIGHUP)
    return True


def _listens(pid: int) -> bool:
    """Whether it catches SIGHUP: one that starts or ends looks at the store anyhow, and would die of it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)  # proc(5)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGHUP - 1) & 1)


@contextmanager
def catalogue(home: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """The catalogue, for a command beside a running daemon or without one. Raises Fatal when there is none."""
    from mediabox.store.connection import explained
    from mediabox.store.database import EmptyDatabase, open_beside

    path = home / DATABASE
    if not path.exists():
        raise Fatal(_nothing(home))
    try:
        connection = open_beside(path, write=write, follow=_follow() if write else None)
    except EmptyDatabase as err:
        if archive_of(home) is None:
            raise
        raise Fatal(_nothing(home)) from err
    with closing(connection), explained(path):
        yield connection


def database_of(home: Path) -> Database:
    """The catalogue, for a command that does the daemon's work; to be opened with `async with`."""
    from mediabox.store.database import Database

    return Database(home / DATABASE, follow=_follow())


def _follow() -> Callable[[sqlite3.Connection], None]:
    """What whoever writes has to keep true; loaded only for them."""
    from mediabox.core import indexing

    return indexing.follow


def _nothing(home: Path) -> str:
    """What a person does who has an archive and no catalogue is not what one does who has neither."""
    if (archive := archive_of(home)) is not None:
        what = "the catalogue is empty" if (home / DATABASE).exists() else "there is no catalogue"
        told = f"{what} in {home}, but there is an archive at {archive}: run `mediabox rebuild` first"
        kept = catalogue_before(home)
        return f"{told} (the catalogue from before is kept as {kept})" if kept is not None else told
    return f"there is no catalogue in {home}: run `mediabox run --home {home}` first, or name another --home"


def catalogue_before(home: Path) -> Path | None:
    """The catalogue from before a rebuild, where one is kept.

    The largest, when several rebuilds were cut short: what those had set aside was half a catalogue.
    """
    named = [path for path in home.glob(f"{DATABASE}.before*") if path.is_file()]
    return max(named, key=lambda path: path.stat().st_size, default=None)


def archive_of(home: Path) -> Path | None:
    """The archive of this home, once something was archived there; None when it is away, too."""
    from mediabox.config.load import load

    try:
        config = load(home)
    except NeedsHuman:
        return None
    root = config.path(config.archive.path)
    return root if (root / ".mediabox" / "spool").is_dir() else None
