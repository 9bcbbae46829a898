"""MP4, QuickTime and their kin: what the index (`moov`) says, and whether the file is whole.

ISO/IEC 14496-12, section 8; Apple's QuickTime File Format Specification. The big
tables (sample times, sizes, offsets) are never read: their counts say enough.
"""

import struct
from itertools import islice

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Box, Malformed, Source, boxes
from mediabox.native.tags.dates import movie_instant, utc_candidate
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.movie_tags import read_meta, read_user_data
from mediabox.native.tags.movie_track import Track, read_track
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.structure import box_damage
from mediabox.native.tags.xmp import read_xmp_in

MAX_TOP_BOXES = 1_024  # a fragmented recording has thousands; what we want comes before them
MAX_TRACKS = 32
MAX_CHILDREN = 256
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def read_movie(source: Source, found: Findings) -> None:
    """Take what the boxes say; a cut box, a missing index or missing samples go to `damage`."""
    top = _top_boxes(source, found)
    found.damage.extend(box_damage(source, top))
    kinds = {box.type: box for box in reversed(top)}
    for box in top:
        if box.type == b"uuid" and box.name == _XMP_UUID:
            with Tolerant():
                read_xmp_in(SubReader(source, box.payload, box.length), found)
    if b"meta" in kinds:
        with Tolerant():
            read_meta(source, kinds[b"meta"], found)
    if b"moov" not in kinds:
        found.damage.append("the movie has no index (moov)")
        return
    if not kinds.keys() & {b"mdat", b"moof"}:
        found.damage.append("the movie has no pictures and no sound (mdat)")
    tracks = _read_index(source, kinds[b"moov"], found)
    _describe(tracks, found)
    created = dict.fromkeys(at for track in tracks for at in track.created)  # often the same in all
    found.times += [utc_candidate(at, TimeSource.MOVIE_HEADER) for at in created]
    _check_end(source, tracks, found)


def read_sequence(source: Source, moov: Box, found: Findings) -> None:
    """Take size, frames and duration of a HEIF or AVIF image sequence."""
    for track in _read_index(source, moov, found):
        if track.handler in (b"pict", b"vide") and track.samples and track.samples > 1:
            found.frames = track.samples
            found.duration_s = track.duration_s
            found.width, found.height = track.width, track.height
            found.orientation = track.orientation
            found.bit_depth = track.bit_depth
            found.hdr = track.hdr
            return


def _top_boxes(source: Source, found: Findings) -> list[Box]:
    """The outermost boxes. What follows the last sound one is told of only when the index is missing too."""
    top: list[Box] = []
    try:
        top.extend(islice(boxes(source, limit=MAX_TOP_BOXES), MAX_TOP_BOXES))
    except Malformed as err:
        top.extend(_sound_boxes(source))
        if not any(box.type == b"moov" for box in top):
            found.damage.append(f"the movie's boxes break off: {err}")
    return top


def _sound_boxes(source: Source) -> list[Box]:
    """The boxes before the first that contradicts itself."""
    top: list[Box] = []
    with Tolerant():
        for box in boxes(source, limit=MAX_TOP_BOXES):
            top.append(box)  # noqa: PERF402 - kept one by one: the walk may end in an error
    return top


def _read_index(source: Source, moov: Box, found: Findings) -> list[Track]:
    """The tracks of `moov`; its header and tags go to `found`."""
    tracks: list[Track] = []
    with Tolerant():
        for box in boxes(source, moov.payload, moov.end, limit=MAX_CHILDREN):
            with Tolerant():
                if box.type == b"trak" and len(tracks) < MAX_TRACKS:
                    tracks.append(read_track(source, box))
                else:
                    _read_child(source, box, found)
    return tracks


def _read_child(source: Source, box: Box, found: Findings) -> None:
    match box.type:
        case b"mvhd":
            _read_header(source.bytes(box.payload, min(box.length, 32)), found)
        case b"meta":
            read_meta(source, box, found)
        case b"udta":
            read_user_data(source, box, found)
        case b"mvex":
            _read_fragments_length(source, box, found)
        case b"uuid" if box.name == _XMP_UUID:
            read_xmp_in(SubReader(source, box.payload, box.length), found)
        case _:
            return


def _read_header(header: bytes, found: Findings) -> None:
    """`mvhd`: creation time (UTC, seconds since 1904), time scale, duration. All ones: not known."""
    if header[0] == 1:
        created, _, scale, duration = struct.unpack_from(">QQIQ", header, 4)
        unknown = (1 << 64) - 1
    else:
        created, _, scale, duration = struct.unpack_from(">IIII", header, 4)
        unknown = (1 << 32) - 1
    if scale and 0 < duration < unknown:
        found.duration_s = duration / scale
    found.movie_scale = scale
    at = movie_instant(created)
    if at is not None:
        found.times.append(utc_candidate(at, TimeSource.MOVIE_HEADER))


def _read_fragments_length(source: Source, mvex: Box, found: Findings) -> None:
    """`mehd`: how long a fragmented movie is, when its header could not know yet."""
    for box in boxes(source, mvex.payload, mvex.end, limit=MAX_CHILDREN):
        if box.type == b"mehd" and found.duration_s is None and found.movie_scale:
            is_wide = source.bytes(box.payload, 1)[0] == 1
            ticks = int.from_bytes(source.bytes(box.payload + 4, 8 if is_wide else 4), "big")
            found.duration_s = ticks / found.movie_scale or None


def _describe(tracks: list[Track], found: Findings) -> None:
    """The best picture track (an iPhone writes up to five) and the first sound track speak for the movie."""
    pictures = [track for track in tracks if track.handler == b"vide" and track.codec]
    sounds = [track for track in tracks if track.handler == b"soun" and track.codec]
    if sounds:
        found.audio_codec = sounds[0].codec
    if not pictures:
        return
    best = max(pictures, key=lambda track: (track.is_enabled, (track.width or 0) * (track.height or 0)))
    found.width, found.height = best.width, best.height
    found.orientation = best.orientation
    found.video_codec = best.codec
    found.frame_rate = best.frame_rate
    found.bit_depth = best.bit_depth
    found.hdr = best.hdr
    found.color_profile = best.color_profile
    found.duration_s = found.duration_s or best.duration_s


def _check_end(source: Source, tracks: list[Track], found: Findings) -> None:
    """The last chunk of every track must begin inside the file."""
    last = max((track.last_chunk_at for track in tracks if track.last_chunk_at), default=0)
    if last >= source.size and not found.damage:
        found.damage.append(f"the movie's index points {last - source.size + 1:,} bytes beyond the file")
