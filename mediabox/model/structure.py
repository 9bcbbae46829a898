"""Whether a file that passed by has its end. Sees it once, chunk by chunk, and keeps next to nothing.

Guards against films that end near 1 GB (kei #91, icloudpd #1311) and pages of text served
as pictures. Formats without an end mark are not judged.
"""

from __future__ import annotations

import zlib

TAIL_BYTES = 64 << 10
_HEAD_BYTES = 64

_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_FILM_BRANDS = (b"qt  ", b"mp4", b"M4V", b"iso", b"avc", b"3g", b"MSNV")
_TEXTS = (b"<!doctype", b"<html", b"<?xml", b"{", b"[")


class Witness:
    """`feed` it everything, then ask for its `complaint`."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._seen = 0
        self._boxes: Boxes | None = None

    def feed(self, chunk: bytes) -> None:
        if not self._seen:
            self._head = bytes(chunk[:_HEAD_BYTES])
            self._boxes = Boxes() if self._head[4:8] in _FIRST_BOXES else None
        if self._boxes is not None:
            self._boxes.feed(chunk)
        self._seen += len(chunk)
        whole = chunk if len(chunk) >= TAIL_BYTES else self._tail + chunk
        self._tail = bytes(whole[-TAIL_BYTES:])

    def complaint(self) -> str | None:
        """What is missing, for a message; None when nothing is, or the format does not say."""
        if self._boxes is not None:
            return self._boxes.complaint(is_film=_is_film(self._head))
        if self._head.startswith(b"\xff\xd8\xff"):
            return None if has_jpeg_end(self._tail) else "a JPEG without its end mark"
        if self._head.startswith(b"\x89PNG\r\n\x1a\n"):
            return None if has_png_end(self._tail) else "a PNG without its end chunk"
        if self._head.lstrip().lower().startswith(_TEXTS):
            return "a page of text"
        return None

    def fingerprint(self) -> tuple[int, int]:
        """Tells whether a second copy ended as the first did."""
        return self._seen, zlib.crc32(self._tail)


def has_jpeg_end(tail: bytes) -> bool:
    """EOI (ITU-T T.81, B.1.1.3) within the tail: padding and a phone's notes may follow it, as Samsung's do."""
    return b"\xff\xd9" in tail or tail.endswith(b"SEFT")


def has_png_end(tail: bytes) -> bool:
    """IEND with its checksum (PNG, 11.2.5)."""
    return b"IEND\xaeB`\x82" in tail


class Boxes:
    """Follows the top-level boxes of an ISO base media file (ISO/IEC 14496-12, 4.2) from header to header."""

    def __init__(self) -> None:
        self._seen = 0
        self._next = 0  # where the next header begins
        self._carry = b""  # the beginning of a header that the chunk before broke off
        self._kinds: set[bytes] = set()
        self._is_open = False  # the last box lasts to the end of the file
        self._is_broken = False

    def feed(self, chunk: bytes) -> None:
        data = self._carry + chunk if self._carry else chunk
        start = self._seen - len(self._carry)
        self._seen += len(chunk)
        self._carry = b""
        while self._next < self._seen and not (self._is_open or self._is_broken):
            header = data[self._next - start : self._next - start + 16]
            if not self._box(bytes(header)):
                self._carry = bytes(data[self._next - start :])
                return

    def complaint(self, *, is_film: bool) -> str | None:
        if self._is_broken:
            return "a film or picture with a box of no size"
        if not self._is_open and self._next != self._seen:
            return f"boxes of {self._next:,} bytes in a file of {self._seen:,}"
        if is_film and b"moov" not in self._kinds:
            return "a film without its index (moov)"
        if is_film and not self._kinds & {b"mdat", b"moof"}:
            return "a film without its pictures (mdat)"
        return None

    def _box(self, header: bytes) -> bool:
        """Step over one box. False when more of its header is needed."""
        if len(header) < 8:
            return False
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            if len(header) < 16:
                return False
            size = int.from_bytes(header[8:16], "big")
            self._is_broken = size < 16
        else:
            self._is_broken = 0 < size < 8
        self._is_open = size == 0
        self._kinds.add(header[4:8])
        self._next += size
        return True


def _is_film(head: bytes) -> bool:
    """A film by its brand; a file from before brands always is one."""
    return head[4:8] != b"ftyp" or head[8:12].startswith(_FILM_BRANDS)
