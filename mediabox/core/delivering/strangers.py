"""Files of the peer's own among the copies: taken, edited or saved on the phone. Reported; never deleted by us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.issue import Issue
from mediabox.store import assets, deliveries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from mediabox.contracts import Foreign

NAMED = 5


def is_stranger(connection: sqlite3.Connection, destination: str, *, path: str, digest: str) -> bool:
    """Whether neither the archive nor a delivery has these bytes. Hidden ones are in the phone's bin, or half."""
    if not digest or any(part.startswith(".") for part in path.split("/")):
        return False
    return assets.keeper(connection, digest) is None and not deliveries.with_digest(connection, destination, digest)


def found(connection: sqlite3.Connection, destination: str, foreign: Iterable[Foreign]) -> list[str]:
    """Their paths in the folder."""
    return sorted(one.path for one in foreign if is_stranger(connection, destination, path=one.path, digest=one.digest))


def complaints(name: str, paths: Sequence[str]) -> list[Issue]:
    if not paths:
        return []
    named = ", ".join(paths[:NAMED]) + (f" and {len(paths) - NAMED} more" if len(paths) > NAMED else "")
    return [
        Issue(
            key="destination.strangers",
            subject=name,
            message=f"{name}'s own files among the copies, in no archive: {len(paths)} ({named}).",
            remedy=f"`mediabox pixel archive {name}` copies them to where a source takes them in; they stay there.",
        )
    ]
