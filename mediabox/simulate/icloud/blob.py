"""The bytes behind a resource, and what Apple calls their signature.

`fileChecksum` is one byte 1 and SHA-1 of two salts and the bytes, as recorded downloads have it
(`mediabox.sources.icloud.checksum` says which; written here again, so that neither proves itself).
What cannot be read whole when asked for its name is signed under another first byte, which clients
must take for a kind they do not know.
"""

import base64
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec

_SALTS = b"com.apple.XattrObjectSalt\0com.apple.DataObjectSalt\0"
_OF_ALL, _OWN = b"\x01", b"\x7f"
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
    if size_bytes <= _WHOLE_BYTES:
        return FileBlob(path=path, size_bytes=size_bytes, signature=signed(path.read_bytes()))
    digest = hashlib.sha1(_KEY + size_bytes.to_bytes(8, "big"), usedforsecurity=False)
    with path.open("rb") as file:
        for number in range(_SAMPLES):
            digest.update(os.pread(file.fileno(), _SAMPLE_BYTES, size_bytes * number // _SAMPLES))
    return FileBlob(path=path, size_bytes=size_bytes, signature=encode(digest.digest()))


def of_bytes(content: bytes) -> MemoryBlob:
    return MemoryBlob(content=content, signature=signed(content))


def signed(content: bytes) -> str:
    """As Apple does: 28 characters (`AY6c+BsE0jjaXx9tmVGJM1D2VcEO`)."""
    return signed_all((content,))


def signed_all(chunks: Iterable[bytes]) -> str:
    """The same of what need not fit into memory."""
    digest = hashlib.sha1(_SALTS, usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
    return base64.b64encode(_OF_ALL + digest.digest()).decode()


def encode(twenty_bytes: bytes) -> str:
    """Of the same length, and of a kind nobody can recompute."""
    return base64.b64encode(_OWN + twenty_bytes).decode()


def reference_of(signature: str) -> str:
    """`referenceChecksum`: another 21 bytes that belong to the first."""
    return signed(b"reference" + signature.encode())


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
