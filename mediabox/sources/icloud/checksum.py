r"""Apple's `fileChecksum`, recomputed from a file's bytes.

One byte 0x01 and SHA-1 of two salts and the bytes, in base64. Held against recorded answers: both
whole downloads among icloudpd's test cassettes (3a97872, `listing_photos.yml`, 1,884,695 bytes, and
`download_autodelete_photos_part1.yml`, 85,638 bytes) have it, seen 2026-11-22; the salts are
those of iMessage's attachments, which use the same store (rustpush, mautrix-imessage).
Another first byte is another kind, of which nothing is known.
"""

import base64
import binascii
import hashlib

_SALTS = b"com.apple.XattrObjectSalt\0com.apple.DataObjectSalt\0"
_KIND = b"\x01"


class FileChecksum:
    """`feed` it the whole file, then ask whether it `agrees`."""

    def __init__(self, expected: bytes) -> None:
        self._expected = expected
        self._sha1 = hashlib.sha1(_SALTS, usedforsecurity=False)

    def feed(self, chunk: bytes) -> None:
        self._sha1.update(chunk)

    @property
    def agrees(self) -> bool:
        return _KIND + self._sha1.digest() == self._expected


def checksum_of(version: str) -> FileChecksum | None:
    """For a resource's version; None when it holds a checksum of another kind, or none."""
    try:
        expected = base64.b64decode(version.rpartition("-")[0], validate=True)
    except binascii.Error:
        return None
    return FileChecksum(expected) if expected.startswith(_KIND) and len(expected) == 21 else None
