"""A key that is not in the catalogue, and what it signs there: who can write rows cannot make them count.

Rows that gate a release carry an HMAC-SHA256 (RFC 2104) over exactly the columns the gate
reads of them; the columns are the fields of one struct, so that none can be read and not
be covered. The key is `<home>/keys/catalogue`, beside no copy of the catalogue. Every
connection of ours has the SQL function `keyed(word, table, column...)`, NULL without the key
or without this process's own word: a trigger or column that somebody added to the schema
does not know it, and signs nothing through our connection.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.durable.private import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEYS, KEY = "keys", "catalogue"
KEY_BYTES = 32
UNREADABLE = sqlite3.OperationalError  # such as a text that is no UTF-8
_WORD = secrets.token_hex(16)
MAC_BYTES = 16  # 128 bits of the HMAC: nobody guesses them, and a row stays small (RFC 2104, section 5)


class Keyed(sqlite3.Connection):
    """A connection that knows the key of the home its database lies in."""

    home: Path
    key: bytes | None = None
    actor: str | None = None  # who gave the command that is carried out
    appended_from = 0  # the first row of the journal that the transaction under way added; 0: none
    touched: set[int]  # resources whose copies it changed
    follow: Callable[[sqlite3.Connection], None] | None = None  # done at the end of such a transaction

    def unlock(self, path: Path) -> None:
        """Read the key of this database's home, if there is one."""
        self.touched = set()
        self.home, self.key = path.parent, _key(path.parent / KEYS / KEY)
        self.create_function("keyed", -1, self._keyed, deterministic=True)

    def _keyed(self, word: object, *values: object) -> bytes | None:
        return mac(self, values) if word == _WORD else None


def touch(connection: sqlite3.Connection, resource_id: int) -> None:
    """A copy of it has changed: whoever follows the transaction has to know."""
    if isinstance(connection, Keyed):
        connection.touched.add(resource_id)


def touched(connection: sqlite3.Connection) -> set[int]:
    return getattr(connection, "touched", set())


def make_key(home: Path) -> None:
    """Once; a key that was lost is another one from now on, and everything has to be proved again. Blocking."""
    with suppress(FileExistsError):
        write_private(home / KEYS / KEY, secrets.token_hex(KEY_BYTES).encode() + b"\n", replace=False)


def _key(path: Path) -> bytes | None:
    """None when it is not there, or when others can read it: then it proves nothing."""
    try:
        is_private = not path.stat().st_mode & 0o077
        text = path.read_bytes().strip()
    except OSError:
        return None
    return text if is_private and len(text) >= KEY_BYTES else None


def has_key(connection: sqlite3.Connection) -> bool:
    return getattr(connection, "key", None) is not None


def mac(connection: sqlite3.Connection, values: tuple[object, ...]) -> bytes | None:
    """What the key says of these values, in this order; None without a key."""
    key = getattr(connection, "key", None)
    return hmac.digest(key, repr(values).encode(), "sha256")[:MAC_BYTES] if key else None


def is_ours(table: str, columns: Sequence[str]) -> str:
    """SQL that says whether a row is as this box wrote it."""
    return f"coalesce(mac = {signed(table, columns)}, 0)"


def signed(table: str, columns: Sequence[str], changes: Mapping[str, str] | None = None) -> str:
    """SQL for the MAC of a row whose columns change to these expressions."""
    return f"keyed('{_WORD}', '{table}', {', '.join((changes or {}).get(name, name) for name in columns)})"


def signed_again(table: str, columns: Sequence[str], changes: Mapping[str, str]) -> str:
    """SQL for the MAC of a row that changes: NULL unless it was ours before, so that nothing foreign is signed."""
    return f"iif({is_ours(table, columns)}, {signed(table, columns, changes)}, NULL)"
