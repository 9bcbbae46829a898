"""A QuickTime clip told as MP4 in place: a few bytes of `ftyp` and `moov` change, no box moves, `mdat` is untouched.

What only QuickTime knows becomes `free`: tracks of timed metadata, time codes and depth, apertures, a track's own
words, what wraps AAC's configuration. The archive keeps them. The index's own words (`udta`, `meta`) stay: Android
reads `moov/meta` without version and flags in MP4, too (AOSP, MPEG4Extractor.cpp, underQTMetaPath). Sources: ISO/IEC
14496-12, -14, -15; Apple's QuickTime File Format Specification. What is not plain AVC or HEVC with AAC, or not
understood, is Unfit: such a clip stays QuickTime.
"""

from collections.abc import Iterator
from itertools import cycle, islice

from mediabox.native.boxes import Box, Malformed, Source, boxes, exactly, within
from mediabox.native.fit.movie_edits import MAX_CHILDREN, MAX_TOP_BOXES, Edit, Movie
from mediabox.native.fit.unfit import Unfit

_TOP = frozenset(b"ftyp wide free skip mdat moov uuid".split())
_LEFT_OUT = (b"meta", b"tmcd", b"auxv")  # handlers of tracks: timed metadata, time codes, pictures of depth
_KEPT = {  # what ISO/IEC 14496-12 has in each box
    b"moov": frozenset(b"mvhd trak udta meta iods".split()),
    b"trak": frozenset(b"tkhd edts mdia".split()),
    b"mdia": frozenset(b"mdhd hdlr minf elng".split()),
    b"minf": frozenset(b"vmhd smhd dinf stbl".split()),
}
_TABLES = frozenset(b"stsd stts ctts cslg stss stsc stsz stco co64 sdtp sgpd sbgp".split())  # the same in both
_VIDEO = (b"avc1", b"avc3", b"hvc1", b"hev1")
_VIDEO_HEADER, _SOUND_HEADER, _SOUND_1 = 78, 28, 16  # of a sample entry, behind its type; of a sound's version 1
_MACINTOSH_LANGUAGES, _UNDETERMINED = 0x400, b"\x55\xc4"
_MOST_HEADER = 1_024
_MOST_BESIDE_BYTES = 512 * 1024  # the index of a Live Photo's clip has 3 to 60 kB


def data_of(clip: Source) -> list[Box]:
    """The boxes of samples (`mdat`). Raises Unfit where much is beside them: they alone are proved of an edit."""
    found = [one for one in boxes(clip, limit=MAX_TOP_BOXES) if one.type == b"mdat"]
    if clip.size - sum(one.end - one.start for one in found) > _MOST_BESIDE_BYTES:
        raise Unfit("the clip has too much beside its samples")
    return found


def as_mp4(movie: Movie) -> tuple[list[Edit], bool]:
    """Edits that keep every length, and whether a track is left out. Raises Unfit, and any of `LIES`."""
    kind = movie.top[0]
    data_of(movie.source)
    if not {one.type for one in movie.top} <= _TOP:
        raise Unfit("the clip has parts that MP4 does not know")
    if kind.type != b"ftyp" or not 12 <= kind.length <= _MOST_HEADER or kind.length % 4:
        raise Unfit("the clip does not tell its brands")
    handlers = [_handler(movie, trak) for trak in movie.tracks()]
    if b"vide" not in handlers or not {*handlers} <= {b"vide", b"soun", *_LEFT_OUT}:
        raise Unfit("the clip shows nothing, or more than video and sound")
    brands = b"".join(islice(cycle((b"mp42", b"isom")), kind.length // 4 - 2))
    edits = [Edit(kind.payload, kind.end, b"mp42" + bytes(4) + brands)]
    edits += [_freed(one) for one in movie.top if one.type == b"wide"]
    return [*edits, *_index(movie)], not {*handlers}.isdisjoint(_LEFT_OUT)


def _index(movie: Movie) -> Iterator[Edit]:
    for one in _inside(movie, movie.moov):
        if one.type == b"mvhd" and _header(movie, one, 100):
            yield Edit(one.end - 28, one.end - 4, bytes(24))  # preview, poster and selection are QuickTime's
        elif one.type == b"udta":
            list(_inside(movie, one))  # it must be whole
        elif one.type == b"trak" and _handler(movie, one) not in _LEFT_OUT:
            yield from _track(movie, one)
        elif one.type == b"trak" or one.type not in _KEPT[b"moov"]:
            yield _freed(one)


def _track(movie: Movie, trak: Box) -> Iterator[Edit]:
    waiting = [trak]
    while waiting:
        parent = waiting.pop()
        for one in _inside(movie, parent):
            if one.type not in _KEPT[parent.type]:
                yield _freed(one)
            elif one.type in _KEPT:
                waiting.append(one)
            elif one.type in _EDITORS:
                yield from _EDITORS[one.type](movie, one)


def _inside(movie: Movie, parent: Box, skipped: int = 0) -> Iterator[Box]:
    """What is in a box. Raises Malformed where it does not fill it, but for the zeros that QuickTime may end with."""
    end = parent.payload + skipped
    for one in boxes(movie.source, end, parent.end, limit=MAX_CHILDREN):
        end = one.end
        if one.is_cut:
            raise Malformed(f"box {one.type!r} is cut")
        yield one
    if movie.source.bytes(end, parent.end - end) not in (b"", bytes(4)):
        raise Malformed(f"something is behind the last box in {parent.type!r}")


def _freed(one: Box) -> Edit:
    return Edit(one.start + 4, one.start + 8, b"free")


def _header(movie: Movie, one: Box | None, least: int) -> bytes:
    if one is None or one.length < least:
        raise Malformed("a track without a header, or with a short one")
    return exactly(movie.source, one.payload, one.length, limit=_MOST_HEADER)


def _handler(movie: Movie, trak: Box) -> bytes:
    return _header(movie, within(movie.source, trak, b"mdia", b"hdlr"), 25)[8:12]


# ---------------------------------------------------------------- headers


def _media_header(movie: Movie, mdhd: Box) -> Iterator[Edit]:
    """Languages in ISO 639-2; no quality."""
    language = _header(movie, mdhd, 24)[-4:-2]
    is_packed = _MACINTOSH_LANGUAGES <= int.from_bytes(language, "big") < 0x7FFF
    yield Edit(mdhd.end - 4, mdhd.end, (language if is_packed else _UNDETERMINED) + bytes(2))


def _named(movie: Movie, hdlr: Box) -> Iterator[Edit]:
    """Without QuickTime's component; the name ended by a zero instead of begun by its length."""
    told = _header(movie, hdlr, 25)
    name = told[25 : 25 + told[24]] if told[4:8] == b"mhlr" else told[24:-1]
    yield Edit(hdlr.payload, hdlr.end, bytes(8) + told[8:12] + bytes(12) + name.ljust(len(told) - 24, b"\0"))


def _shown(movie: Movie, vmhd: Box) -> Iterator[Edit]:
    yield Edit(vmhd.payload, vmhd.end, _header(movie, vmhd, 12)[:4] + bytes(vmhd.length - 4))  # copied, not dithered


def _placed(movie: Movie, dinf: Box) -> Iterator[Edit]:
    (dref,) = _inside(movie, dinf)
    for one in _inside(movie, dref, 8):
        if one.type not in (b"alis", b"url ") or exactly(movie.source, one.payload, one.length, limit=4) != b"\0\0\0\1":
            raise Unfit("the clip's samples are in another file")
        yield Edit(one.start + 4, one.start + 8, b"url ")


# ---------------------------------------------------------------- what samples are


def _tables(movie: Movie, stbl: Box) -> Iterator[Edit]:
    found = list(_inside(movie, stbl))
    if not {one.type for one in found} <= _TABLES:
        raise Unfit("the clip's tables say what MP4 cannot")
    for entry in (entry for one in found if one.type == b"stsd" for entry in _inside(movie, one, 8)):
        if entry.type in _VIDEO:
            yield from _video(movie, entry)
        elif entry.type == b"mp4a":
            yield from _sound(movie, entry)
        else:
            raise Unfit(f"the clip is coded as {entry.type!r}")


def _video(movie: Movie, entry: Box) -> Iterator[Edit]:
    head = exactly(movie.source, entry.payload, _VIDEO_HEADER, limit=_VIDEO_HEADER)
    if head[76:78] != b"\xff\xff":
        raise Unfit("the clip has a table of colours")
    list(_inside(movie, entry, _VIDEO_HEADER))
    yield Edit(entry.payload + 8, entry.payload + 24, bytes(16))  # version, vendor, qualities
    yield Edit(entry.payload + 36, entry.payload + 40, bytes(4))


def _sound(movie: Movie, entry: Box) -> Iterator[Edit]:
    """Of version 0, its configuration no longer wrapped."""
    head, at = exactly(movie.source, entry.payload, _SOUND_HEADER, limit=_SOUND_HEADER), entry.payload
    version = int.from_bytes(head[8:10], "big")
    if version > 1:
        raise Unfit("the clip's sound is told as only QuickTime tells it")
    yield Edit(at + 8, at + 16, bytes(8))  # version, vendor
    yield Edit(at + 20, at + 24, bytes(4))
    if version:
        yield Edit(at + 28, at + 44, (16).to_bytes(4, "big") + b"free" + bytes(8))
    inside = list(_inside(movie, entry, _SOUND_HEADER + _SOUND_1 * version))
    for wave in [one for one in inside if one.type == b"wave"]:
        yield Edit(wave.start, wave.start + 8, (8).to_bytes(4, "big") + b"free")
        inside += _inside(movie, wave)
    if sum(one.type == b"esds" for one in inside) != 1:
        raise Unfit("the clip's sound is not AAC")
    yield from (_freed(one) for one in inside if one.type not in (b"esds", b"wave"))


_EDITORS = {
    b"mdhd": _media_header,
    b"hdlr": _named,
    b"vmhd": _shown,
    b"dinf": _placed,
    b"stbl": _tables,
}
