"""What a file's own headers say, without decoding a pixel.

`read_tags` is the door; a module for each format behind it. Whatever the bytes are,
nothing is raised: what is wrong with them is in `Facts.damage`. Work is bounded: tables
and texts have limits, loops have counts, and the big tables are never read.
"""

import importlib

from mediabox.clock import Clock
from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.signature import claimed_kind, kind_of_type, media_type_of, media_type_of_name
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.asf import read_asf
from mediabox.native.tags.bitmap import read_bitmap
from mediabox.native.tags.capture_time import choose, outside_times
from mediabox.native.tags.ciff import read_crw
from mediabox.native.tags.cut import read_avi, read_matroska
from mediabox.native.tags.dv import read_dv
from mediabox.native.tags.findings import LIES, Findings
from mediabox.native.tags.gif import read_gif
from mediabox.native.tags.heif import read_heif
from mediabox.native.tags.jpeg import read_jpeg
from mediabox.native.tags.jxl import read_jxl
from mediabox.native.tags.layered import read_jpeg_2000, read_photoshop_document
from mediabox.native.tags.moi import read_moi
from mediabox.native.tags.movie import read_movie
from mediabox.native.tags.png import read_png
from mediabox.native.tags.raw import read_cr3, read_mrw, read_raf, read_tiff, read_x3f
from mediabox.native.tags.reader import Reader, Truncated
from mediabox.native.tags.sidecar import read_sidecar
from mediabox.native.tags.transport import read_program_stream, read_transport
from mediabox.native.tags.webp import read_webp

__all__ = ["Reader", "Truncated", "preload", "read_tags", "walk"]

_LAZY = ("plistlib",)

_TIFF_RAWS = (
    "image/x-adobe-dng", "image/x-gopro-gpr", "image/x-nikon-nef", "image/x-nikon-nrw", "image/x-canon-cr2",
    "image/x-sony-arw", "image/x-sony-sr2", "image/x-sony-srf", "image/x-olympus-orf", "image/x-panasonic-rw2",
    "image/x-leica-rwl", "image/x-raw", "image/x-pentax-pef", "image/x-samsung-srw", "image/x-mamiya-mef",
    "image/x-leaf-mos", "image/x-phaseone-iiq", "image/x-hasselblad-3fr", "image/x-hasselblad-fff",
    "image/x-kodak-kdc", "image/x-kodak-dcr", "image/x-kodak-k25", "image/x-epson-erf",
)  # fmt: skip
_WALKERS = {
    "image/jpeg": read_jpeg,
    **dict.fromkeys(("image/heic", "image/heif", "image/avif"), read_heif),
    **dict.fromkeys(("image/heic-sequence", "image/heif-sequence"), read_heif),
    "image/png": read_png,
    "image/webp": read_webp,
    "image/gif": read_gif,
    "image/bmp": read_bitmap,
    "image/jxl": read_jxl,
    "image/jp2": read_jpeg_2000,
    "image/vnd.adobe.photoshop": read_photoshop_document,
    "image/tiff": read_tiff,
    **dict.fromkeys(_TIFF_RAWS, read_tiff),
    "image/x-canon-cr3": read_cr3,
    "image/x-canon-crw": read_crw,
    "image/x-fujifilm-raf": read_raf,
    "image/x-minolta-mrw": read_mrw,
    "image/x-sigma-x3f": read_x3f,
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2"), read_movie),
    **dict.fromkeys(("video/matroska", "video/webm"), read_matroska),
    "application/x-moi": read_moi,
    "video/x-msvideo": read_avi,
    "video/x-ms-asf": read_asf,
    "video/x-dv": read_dv,
    "video/mp2t": read_transport,
    "video/mpeg": read_program_stream,
    **dict.fromkeys(("application/rdf+xml", "application/x-plist", "application/json"), read_sidecar),
}
_NAMED_ONLY = "application/octet-stream"
_NOUNS = {Kind.PICTURE: "a picture", Kind.VIDEO: "a video", Kind.SIDECAR: "a sidecar"}


def read_tags(reader: Source, request: ExamineRequest, *, clock: Clock | None = None) -> Facts:
    """Everything the headers say; what only pixels can say is left empty. Never raises for the file's own faults."""
    head = reader.bytes(0, min(4096, reader.size))
    media_type = _media_type(head, request.name)
    # A companion that is none by its name (a thumbnail, a log, a memo) is one whatever its content.
    is_companion = request.kind is Kind.SIDECAR and claimed_kind(request.name) is not Kind.SIDECAR
    found = Findings(media_type, request.kind if is_companion else kind_of_type(media_type) or request.kind)
    wrong = None if is_companion else _wrong_start(head, found)
    if wrong is not None:
        found.damage.append(wrong)
    else:
        walk(reader, found)
    times = (*found.times, *outside_times(request))
    return found.facts(choose(times, clock=clock or Clock(), place=found.place))


def preload() -> None:
    """Import now what is otherwise imported when first needed: a sandboxed child can open no file later."""
    for name in _LAZY:
        importlib.import_module(name)


def _media_type(head: bytes, name: str) -> str:
    """By content; a name only says which raw format a TIFF is, or what content without a signature may be."""
    by_content, by_name = media_type_of(head), media_type_of_name(name)
    if by_content == "image/tiff" and by_name in _TIFF_RAWS:
        return by_name
    if by_content is None and head.lstrip()[:64].lower().startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return by_content or (by_name if by_name and by_name not in _WALKERS else None) or _NAMED_ONLY


def walk(reader: Source, found: Findings) -> None:
    """Have the walker of `found.media_type` take what the headers say; what is wrong with them is in `damage`."""
    walker = _WALKERS.get(found.media_type)
    if walker is None:  # a format nobody keeps dates in, or one the decoders know better
        return
    try:
        walker(reader, found)
    except Malformed as err:
        found.damage.append(f"the headers break off: {err}")
    except LIES as err:
        found.damage.append(f"the headers contradict themselves: {type(err).__name__}")


def _wrong_start(head: bytes, found: Findings) -> str | None:
    """What a file starts with when it is not what its name says."""
    noun = _NOUNS[found.kind]
    if not head:
        return "the file is empty"
    if found.media_type == "text/html":
        return f"starts with HTML, not {noun}"
    if not head.strip(b"\0"):
        return f"starts with zeros, not {noun}"
    if found.media_type == _NAMED_ONLY:
        return f"does not start like {noun} of any known kind"
    return None
