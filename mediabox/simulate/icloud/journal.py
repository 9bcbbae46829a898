"""A zone's stream of changes and the tokens that point into it.

Each record stands once, where it changed last; what is gone stands as a tombstone. So a
token is nothing but a position: the same at every call, reusable, good for ever (kei,
"Token properties"), and refused by another history (the simulator was started again).
The first `base` positions belong to a stock that is never written out: position 2i+1 is
the master and 2i+2 the asset of its i-th pair.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct
from typing import Protocol

import msgspec

# Real tokens start with AQAA; these three bytes do.
_MAGIC = b"\x01\x00\x00"
_ZONE, _QUERY, _DATABASE = b"Z", b"Q", b"D"
_PLACE = struct.Struct(">8sQI")  # zone, position, empty pages passed
_FORMAT = "Invalid continuation format"  # a real token cut short
_TYPE = "Unknown sync continuation type"  # valid base64 that is no token of this zone


class BadTokenError(ValueError):
    """What Apple says about a token it cannot use."""


class Stock(Protocol):
    """Names of the pairs nobody has touched yet."""

    history: str  # of which run of a zone the positions speak

    def __len__(self) -> int: ...
    def names(self, number: int) -> tuple[str, str]:
        """(master, asset) of the pair with this number."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    sequence: int
    blanks: int = 0  # empty pages already sent here: each page has a token of its own


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A page: names in order of their last change."""

    names: tuple[str, ...]
    upto: int
    has_more: bool


class Journal:
    """Sequence numbers for the records of one zone. Grows only."""

    def __init__(self, zone_name: str, stock: Stock) -> None:
        self._zone = hashlib.sha256(f"{zone_name} {stock.history}".encode()).digest()[:8]
        self._stock = stock
        self.base = 2 * len(stock)
        self.sequence = self.base
        self._entries: list[str] = []
        self._latest: dict[str, int] = {}

    def touch(self, name: str) -> int:
        """Say that a record changed now. Its new sequence number."""
        self.sequence += 1
        self._entries.append(name)
        self._latest[name] = self.sequence
        return self.sequence

    def changed_at(self, name: str) -> int | None:
        """The record's last change; None for one still in the stock, or unknown."""
        return self._latest.get(name)

    def since(self, sequence: int, limit: int) -> Changes:
        """What changed after `sequence`, at most `limit` records."""
        names: list[str] = []
        at = sequence
        while at < self.sequence and len(names) < limit:
            at += 1
            name = self._name_at(at)
            if name is not None:
                names.append(name)
        return Changes(names=tuple(names), upto=at, has_more=at < self.sequence)  # the newest entry always stands

    def _name_at(self, sequence: int) -> str | None:
        """Whose last change this is; None when it changed again later."""
        if sequence <= self.base:
            name = self._stock.names((sequence - 1) // 2)[(sequence - 1) % 2]
            return None if name in self._latest else name
        name = self._entries[sequence - self.base - 1]
        return name if self._latest[name] == sequence else None

    # -- tokens

    @property
    def token(self) -> str:
        """Caught up."""
        return self.token_at(Position(sequence=self.sequence))

    def token_at(self, position: Position) -> str:
        return _encode(_ZONE + _PLACE.pack(self._zone, position.sequence, position.blanks))

    @property
    def query_token(self) -> str:
        """What a query for a single record answers: good for nothing in changes/zone (kei, test 3)."""
        return _encode(_QUERY + _PLACE.pack(self._zone, self.sequence, 0))

    def position_of(self, token: str) -> Position:
        """Where a token points. Raises BadTokenError."""
        body = _decode(token)
        if body[:1] != _ZONE:
            raise BadTokenError(_TYPE)
        if len(body) != 1 + _PLACE.size:
            raise BadTokenError(_FORMAT)
        zone, sequence, blanks = _PLACE.unpack(body[1:])
        if zone != self._zone or sequence > self.sequence:
            raise BadTokenError(_TYPE)
        return Position(sequence=sequence, blanks=blanks)


Standing = tuple[int, bool]  # a zone's sequence, and whether it was left


class DatabaseTokens:
    """Tokens of changes/database: another namespace, and new at every call (kei, test 6b)."""

    def token(self, zones: dict[str, Standing]) -> str:
        places = b"".join(
            _PLACE.pack(hashlib.sha256(name.encode()).digest()[:8], *standing)
            for name, standing in sorted(zones.items())
        )
        return _encode(_DATABASE + secrets.token_bytes(4) + places)

    def changed(self, token: str, zones: dict[str, Standing]) -> list[str]:
        """Names of the zones that changed since. Raises BadTokenError."""
        body = _decode(token)
        if body[:1] != _DATABASE:
            raise BadTokenError(_TYPE)
        if (len(body) - 5) % _PLACE.size:
            raise BadTokenError(_FORMAT)
        known = {zone: standing for zone, *standing in _PLACE.iter_unpack(body[5:])}
        return [
            name
            for name, standing in zones.items()
            if known.get(hashlib.sha256(name.encode()).digest()[:8]) != [*standing]
        ]


def _encode(body: bytes) -> str:
    return base64.b64encode(_MAGIC + body).decode()


def _decode(token: str) -> bytes:
    try:
        raw = base64.b64decode(token, validate=True)
    except binascii.Error as err:
        raise BadTokenError(_FORMAT) from err
    if not raw.startswith(_MAGIC):
        raise BadTokenError(_TYPE)
    return raw[len(_MAGIC) :]
