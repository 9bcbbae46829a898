"""The journal's head, kept outside the catalogue: rows that are cut off, rewritten or replaced by older ones show.

`<home>/journal-head` follows every commit by one write in place, without a sync: after a
power cut it may be older than the journal, which then extends it. A copy is made durable
with each backup of the catalogue (`core.backup`), in the home and on the archive's volume.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from mediabox.durable.private import write_private
from mediabox.store import journal
from mediabox.store.keyed import Keyed, mac

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

NAME = "journal-head"
FORMAT = "mediabox-journal-head-1"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest row: its number, which is also how many there are, and its hash, which pins them all."""

    seq: int
    sha256: bytes


def follow(connection: sqlite3.Connection) -> None:
    """Keep the head in the home as new as the journal. Never writes over a head that contradicts it."""
    if not isinstance(connection, Keyed) or connection.key is None:
        return
    path = connection.home / NAME
    kept = read(connection, path)
    if kept is not None and contains(connection, kept):
        with suppress(OSError), open(path, "r+b", buffering=0) as file:  # an older head is a head, too
            file.write(_text(connection))


def begin(connection: sqlite3.Connection) -> None:
    """The first head of a home that never had one: its journal has no signed row. Any other has to be proved again."""
    assert isinstance(connection, Keyed), "the database opens no other"
    if not (connection.home / NAME).exists() and not journal.has_signed_rows(connection):
        write(connection, connection.home / NAME)


def write(connection: sqlite3.Connection, path: Path) -> None:
    """Durably write the head as it is now, whatever was there."""
    write_private(path, _text(connection), replace=True)


def begin_anew(connection: sqlite3.Connection, *elsewhere: Path) -> None:
    """The journal is another one from now on, and a person wants it so: the home's head, and copies where there are."""
    assert isinstance(connection, Keyed), "the database opens no other"
    for path in (connection.home / NAME, *(path for path in elsewhere if path.exists())):
        write(connection, path)


def back_up(connection: sqlite3.Connection, path: Path) -> None:
    """Durably write the head, but never over one that contradicts the journal: that is evidence."""
    kept = read(connection, path)
    if kept is None or contains(connection, kept):
        write(connection, path)


def read(connection: sqlite3.Connection, path: Path) -> Head | None:
    """The head a file keeps; None when there is none, or it was not signed by this home's key."""
    try:
        words = path.read_bytes().decode("ascii").split()
        head = Head(seq=int(words[1]), sha256=bytes.fromhex(words[2]))
    except (OSError, ValueError, IndexError):
        return None
    return head if words == _words(connection, head) else None


def contains(connection: sqlite3.Connection, head: Head) -> bool:
    """Whether the journal holds this head: it is the same, or has been continued from there."""
    return journal.hash_of(connection, head.seq) == head.sha256


def last_witnessed_row(connection: sqlite3.Connection, *heads: Path) -> int:
    """Up to which row a head vouches for the journal; all of it, where nothing was ever signed (decision 0014)."""
    kept = [head for path in heads if (head := read(connection, path)) is not None]
    if not kept and not journal.has_signed_rows(connection):
        return journal.last(connection)[0]
    return max((one.seq for one in kept if contains(connection, one)), default=0)


def _text(connection: sqlite3.Connection) -> bytes:
    """Always of the same length, within one sector: a write in place is whole or not at all."""
    seq, digest = journal.last(connection)
    return " ".join(_words(connection, Head(seq=seq, sha256=digest))).encode() + b"\n"


def _words(connection: sqlite3.Connection, head: Head) -> list[str]:
    sign = mac(connection, ("journal-head", head.seq, head.sha256)) or b""
    return [FORMAT, f"{head.seq:020}", head.sha256.hex(), sign.hex()]


def unwitnessed(connection: sqlite3.Connection, *elsewhere: Path) -> str | None:
    """Why the journal is not the one whose head was kept; None when it is. `elsewhere`: copies that may be there."""
    home = connection.home if isinstance(connection, Keyed) else None
    if home is None or getattr(connection, "key", None) is None:
        return "the key that signs the catalogue is lost, or others can read it (keys/catalogue in the home folder)"
    kept = read(connection, home / NAME)
    if kept is None:
        return f"nothing of this box says how far its journal went ({NAME} in the home folder)"
    for head in (kept, *filter(None, (read(connection, path) for path in elsewhere))):
        if not contains(connection, head):
            last = journal.last(connection)[0]
            what = f"ends at row {last}" if last < head.seq else "was rewritten"
            return f"the journal {what}, but row {head.seq:,} of it was witnessed: it was cut off, changed or replaced"
    return None
