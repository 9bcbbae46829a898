"""The bytes behind a resource, and what Apple calls their signature.

`fileChecksum` is an MMCS signature, not a hash anybody can recompute (kei warned on every
file when it compared). Ours is one byte and 20: the same for the same bytes, and no
plain SHA-1 of them, so that no client can lean on it.
"""

import base64
import hashlib
import os
from pathlib import Path
from typing import Protocol

import msgspec

_KEY = b"mediabox-simulated-mmcs"
_WHOLE_BYTES = 16 << 20  # larger files are sampled: starting over a folder of films must not take minutes
_SAMPLE_BYTES = 1 << 20
_SAMPLES = 8


class Blob(Protocol):
    """Some bytes that can be served from any offset."""

    @property
    def signature(self) -> str:
        """21 bytes in base64: what the wire calls fileChecksum."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`. Blocking."""


class FileBlob(msgspec.Struct, frozen=True, kw_only=True):
    path: Path
    size_bytes: int
    signature: str

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), length, offset)


class MemoryBlob(msgspec.Struct, frozen=True, kw_only=True):
    content: bytes
    signature: str

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


def of_file(path: Path) -> FileBlob:
    """A file as it is now. Reads it, or samples of it when it is large."""
    size_bytes = path.stat().st_size
    digest = hashlib.sha1(_KEY + size_bytes.to_bytes(8, "big"), usedforsecurity=False)
    with path.open("rb") as file:
        if size_bytes <= _WHOLE_BYTES:
            digest.update(file.read())
        else:
            for number in range(_SAMPLES):
                digest.update(os.pread(file.fileno(), _SAMPLE_BYTES, size_bytes * number // _SAMPLES))
    return FileBlob(path=path, size_bytes=size_bytes, signature=encode(digest.digest()))


def of_bytes(content: bytes) -> MemoryBlob:
    digest = hashlib.sha1(_KEY + len(content).to_bytes(8, "big") + content, usedforsecurity=False)
    return MemoryBlob(content=content, signature=encode(digest.digest()))


def encode(twenty_bytes: bytes) -> str:
    """As on the wire: a leading 1 and 20 bytes, 28 characters (`AY6c+BsE0jjaXx9tmVGJM1D2VcEO`)."""
    return base64.b64encode(b"\x01" + twenty_bytes).decode()


def reference_of(signature: str) -> str:
    """`referenceChecksum`: another 21 bytes that belong to the first."""
    return encode(hashlib.sha1(b"reference" + signature.encode(), usedforsecurity=False).digest())


def wrapping_key_of(signature: str) -> str:
    """`wrappingKey`: 16 bytes in base64."""
    return base64.b64encode(hashlib.md5(b"key" + signature.encode(), usedforsecurity=False).digest()).decode()


class Vault:
    """Every blob a link may ask for."""

    def __init__(self) -> None:
        self._blobs: dict[str, Blob] = {}
        self._stocks: list[Stock] = []

    def keep(self, blob: Blob) -> None:
        self._blobs.setdefault(blob.signature, blob)

    def keep_stock(self, stock: "Stock") -> None:
        self._stocks.append(stock)

    def find(self, signature: str) -> Blob | None:
        if signature in self._blobs:
            return self._blobs[signature]
        return next((blob for stock in self._stocks if (blob := stock.blob(signature)) is not None), None)


class Stock(Protocol):
    """Blobs too many to hold, made when asked for."""

    def blob(self, signature: str) -> Blob | None: ...
