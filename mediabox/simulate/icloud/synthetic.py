"""A library of any size that takes no room: every pair and every byte is made when asked for.

A picture is a small real JPEG with date, zone and place in its EXIF, padded to its size by
comment segments; a Live video is a movie file whose boxes add up. The padding is a window
onto one megabyte of seeded noise, so that a film of gigabytes can be read from any offset.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
import struct
import uuid
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from itertools import accumulate

import msgspec

from mediabox.model.place import Place
from mediabox.simulate.icloud import blob
from mediabox.simulate.icloud.photos import Asset, Master, Part
from mediabox.simulate.icloud.records import SQUARE

_NOISE_BYTES = 1 << 20
_SEGMENT_BYTES = 65_000  # a JPEG segment holds 65533
_FIRST_MS = 1_356_998_400_000  # 2013-01-01
_STEP_MS = 2_400_000  # a picture each 40 minutes
_STILL, _VIDEO = 1, 2
_EPOCH_1904_S = 2_082_844_800
_OFFSET_S = 7200
_LEAST_BYTES = 1_000


class Mixture(msgspec.Struct, frozen=True, kw_only=True):
    """What the pictures are like. Shares from 0 to 1; sizes in bytes, each between half and one and a half of it."""

    live: float = 0.7
    favorite: float = 0.03
    hidden: float = 0.0
    located: float = 0.85
    still_bytes: int = 40_000
    video_bytes: int = 60_000
    names_repeat_after: int = 9_999  # IMG_0001 comes again


class Piece(msgspec.Struct, frozen=True):
    """`length` bytes: these, or the noise from `noise_at` on."""

    length: int
    content: bytes | None = None
    noise_at: int = 0


class PiecedBlob:
    """Bytes put together from pieces when first read, readable from any offset."""

    def __init__(self, signature: str, size_bytes: int, pieces: Callable[[], list[Piece]], noise: bytes) -> None:
        self.signature = signature
        self.size_bytes = size_bytes
        self._noise = noise
        self._make = pieces

    @cached_property
    def _pieces(self) -> list[Piece]:
        return [piece for piece in self._make() if piece.length]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(piece.length for piece in self._pieces))

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size_bytes)
        parts = []
        while offset < end:
            number = bisect_right(self._ends, offset)
            piece = self._pieces[number]
            within = offset - (self._ends[number] - piece.length)
            part = self._of(piece, within, min(end - offset, piece.length - within))
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _of(self, piece: Piece, within: int, length: int) -> bytes:
        if piece.content is not None:
            return piece.content[within : within + length]
        at = (piece.noise_at + within) % _NOISE_BYTES
        return self._noise[at : min(at + length, _NOISE_BYTES)]


class SyntheticStock:
    """Implements `zone.Stock` and `blob.Stock`. The same seed makes the same library."""

    def __init__(self, count: int, *, seed: int = 0, mixture: Mixture | None = None) -> None:
        self.history = f"seed {seed}, {count}"  # the same after a restart: a bench goes on with its tokens
        self._count = count
        self._seed = seed
        self._mixture = mixture or Mixture()
        self._noise = random.Random(seed).randbytes(_NOISE_BYTES)  # noqa: S311 - padding, not a secret
        self._brand = hashlib.sha256(b"stock %d" % seed).digest()[:8]
        self._prefix = str(uuid.UUID(bytes=self._brand + bytes(8))).upper()[:24]
        self._signed: dict[tuple[int, int], str] = {}
        self._by_signature: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return self._count

    def names(self, number: int) -> tuple[str, str]:
        return self._signature(number, _STILL), self._asset_name(number)

    def number(self, name: str) -> int | None:
        """Names carry their number, so that nothing is kept to find them."""
        if len(name) == 36:
            number = int(name[-12:], 16) if name.startswith(self._prefix) else -1
        else:
            number = self._numbered(name)[0]
        return number if 0 <= number < self._count else None

    def master(self, number: int) -> Master:
        has_live = self._has_live(number)
        live = self._part(number, _VIDEO, "com.apple.quicktime-movie", 1440, 1080) if has_live else None
        return Master(
            name=self._signature(number, _STILL),
            file_name=f"IMG_{number % self._mixture.names_repeat_after + 1:04d}.JPG",
            original=self._part(number, _STILL, "public.jpeg", 16, 16),
            live=live,
            added_ms=self._taken_ms(number) + 60_000,
        )

    def asset(self, number: int) -> Asset:
        taken_ms = self._taken_ms(number)
        dice = self._dice(number)
        return Asset(
            name=self._asset_name(number),
            master=self._signature(number, _STILL),
            taken_ms=taken_ms,
            added_ms=taken_ms + 60_000,
            offset_s=_OFFSET_S,
            is_favorite=dice[1] < self._mixture.favorite,
            is_hidden=dice[2] < self._mixture.hidden,
            subtype=2 if self._has_live(number) else 0,
            place=self._place(number) if dice[3] < self._mixture.located else None,
        )

    def blob(self, signature: str) -> PiecedBlob | None:
        number, role = self._numbered(signature)
        return self._blob(number, role) if 0 <= number < self._count else None

    def sign(self) -> None:
        """Sign as Apple does, once and before anything is listed. Makes every byte: some seconds a gigabyte."""
        for number in range(self._count):
            for role in (_STILL, _VIDEO) if self._has_live(number) else (_STILL,):
                made = self._blob(number, role)
                steps = range(0, made.size_bytes, _NOISE_BYTES)
                signature = blob.signed_all(made.read(at, _NOISE_BYTES) for at in steps)
                self._signed[number, role] = signature
                self._by_signature[signature] = number, role

    # -- within

    def _dice(self, number: int) -> tuple[float, ...]:
        """Six numbers between 0 and 1, always the same for one picture."""
        digest = hashlib.blake2b(b"%d" % number, key=self._brand, digest_size=12).digest()
        return tuple(each / 65_536 for each in struct.unpack(">6H", digest))

    def _has_live(self, number: int) -> bool:
        return self._dice(number)[0] < self._mixture.live

    def _taken_ms(self, number: int) -> int:
        return _FIRST_MS + number * _STEP_MS + number * 7 % 1000

    def _place(self, number: int) -> Place:
        dice = self._dice(number)
        return Place(latitude=round(40 + 20 * dice[4], 5), longitude=round(30 * dice[5], 5), altitude_m=120.0)

    def _asset_name(self, number: int) -> str:
        return f"{self._prefix}{number:012X}"

    def _signature(self, number: int, role: int) -> str:
        signed = self._signed.get((number, role))
        return signed or blob.encode(self._brand + struct.pack(">BI", role, number) + bytes(7))

    def _numbered(self, signature: str) -> tuple[int, int]:
        if signature in self._by_signature:
            return self._by_signature[signature]
        raw = base64.b64decode(signature) if len(signature) == 28 else b""
        if raw[1:9] != self._brand:
            return -1, 0
        role, number = struct.unpack(">BI", raw[9:14])
        return number, role

    def _part(self, number: int, role: int, type_: str, width: int, height: int) -> Part:
        return Part(blob=self._blob(number, role), type=type_, width=width, height=height)

    def _blob(self, number: int, role: int) -> PiecedBlob:
        size_bytes = self._size(number, role)
        make = self._still if role == _STILL else self._video
        return PiecedBlob(self._signature(number, role), size_bytes, lambda: make(number, size_bytes), self._noise)

    def _size(self, number: int, role: int) -> int:
        middle = self._mixture.still_bytes if role == _STILL else self._mixture.video_bytes
        return max(_LEAST_BYTES, round(middle * (0.5 + self._dice(number)[role])))

    def _still(self, number: int, size_bytes: int) -> list[Piece]:
        picture, exif = SQUARE.content, self._exif(number)
        head = picture[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        pieces = [Piece(len(head), head)]
        room = size_bytes - len(head) - (len(picture) - 2)
        while room:
            length = min(room - 4, _SEGMENT_BYTES)
            if 0 < room - 4 - length < 8:  # too little for another segment
                length -= 8
            comment = b"\xff\xfe" + struct.pack(">H", length + 2)
            pieces += [Piece(4, comment), Piece(length, noise_at=(number * 7919 + room) % _NOISE_BYTES)]
            room -= length + 4
        return [*pieces, Piece(len(picture) - 2, picture[2:])]

    def _exif(self, number: int) -> bytes:
        """Date and zone: IFD0 with a pointer to an Exif IFD of two texts."""
        at = dt.datetime.fromtimestamp(self._taken_ms(number) // 1000 + _OFFSET_S, dt.UTC)
        date, zone = at.strftime("%Y:%m:%d %H:%M:%S").encode() + b"\0", b"+02:00\0\0"
        texts_at = 26 + 2 + 2 * 12 + 4
        root = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
        child = struct.pack("<HHHIIHHIII", 2, 0x9003, 2, 20, texts_at, 0x9011, 2, 7, texts_at + 20, 0)
        return b"Exif\0\0II*\0" + struct.pack("<I", 8) + root + child + date + zone

    def _video(self, number: int, size_bytes: int) -> list[Piece]:
        head = _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", _box(b"mvhd", self._movie_header(number)))
        opening = struct.pack(">I4sQ", 1, b"mdat", size_bytes - len(head))
        noise = Piece(size_bytes - len(head) - len(opening), noise_at=number * 7919 % _NOISE_BYTES)
        return [Piece(len(head) + len(opening), head + opening), noise]

    def _movie_header(self, number: int) -> bytes:
        """Version 0, 600 ticks a second, one second long (ISO/IEC 14496-12, 8.2.2)."""
        at_s = self._taken_ms(number) // 1000 + _EPOCH_1904_S
        rate = struct.pack(">IIIIIIH", 0, at_s, at_s, 600, 600, 0x10000, 0x100)
        matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        return rate + bytes(10) + matrix + bytes(24) + struct.pack(">I", 2)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content
