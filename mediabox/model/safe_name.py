"""Names that every file system and every person's computer can hold.

Whatever a camera, phone or stranger called a file becomes one path component that
is legal on ext4, APFS, NTFS, exFAT and SMB, is not hidden, cannot climb out of its
folder and cannot pass for a file of ours (invariants I6, I15). Windows' rules:
"Naming Files, Paths, and Namespaces", learn.microsoft.com, seen 2024-05.
"""

import re
import unicodedata

from mediabox.model.naming import split_extension

# Half-way to the 255 bytes of ext4, so that suffixes and `.xmp` always fit.
MOST_BYTES = 200
MOST_EXTENSION_BYTES = 24
MANIFEST_NAME = "SHA256SUMS"

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
# Direction marks make `photo<U+202E>gpj.exe` read as `photoexe.jpg`; joiners (U+200C, U+200D) build emoji and stay.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def safe_component(name: str) -> str:
    """One path component for `name`: NFC, at most 200 bytes of UTF-8, its extension kept. Never empty."""
    cleaned = _trimmed(_legal(name))
    stem, extension = split_extension(cleaned)
    if extension and len(extension.encode()) > MOST_EXTENSION_BYTES:
        stem, extension = cleaned, ""
    return fitted(stem, f".{extension}" if extension else "")


def fitted(stem: str, tail: str) -> str:
    """`stem + tail` with the stem shortened until it all fits in 200 bytes; made safe again where that cut."""
    name = _cut(stem, tail)
    return name if _is_harmless(name) else _cut(f"_{stem}", tail)


def _cut(stem: str, tail: str) -> str:
    room = MOST_BYTES - len(tail.encode())
    shortened = stem.encode()[:room].decode(errors="ignore")
    return _trimmed((shortened if shortened == stem else shortened.rstrip(" .")) + tail)


def _legal(name: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", name))
    kept = (character for character in text if unicodedata.category(character) != "Cc")
    text = "".join("_" if _is_no_character(character) else character for character in kept)
    return unicodedata.normalize("NFC", _FORBIDDEN.sub("_", text))


def _is_no_character(character: str) -> bool:
    """Surrogates (a byte that was no UTF-8) and the code points Unicode keeps for nobody (23.7)."""
    code = ord(character)
    return 0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def _trimmed(name: str) -> str:
    """Windows drops dots and spaces at the end; a dot in front hides a file, `..` climbs, `.mediabox` is ours."""
    name = name.rstrip(" .").lstrip(" ")
    bare = name.lstrip(".")
    return bare if bare == name else f"_{bare}"


def _is_harmless(name: str) -> bool:
    first = name.partition(".")[0].rstrip(" ").casefold()
    return bool(name) and first not in _DEVICES and name.casefold() != MANIFEST_NAME.casefold()
