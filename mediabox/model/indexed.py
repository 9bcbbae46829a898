"""One asset as it is searched and shown: a row of the asset index."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mediabox.model.asset import Kind


class Flag(StrEnum):
    """What is simply so of an asset or not. The index stores them as bits in this order: new ones go to the end."""

    FAVORITE = "favorite"
    HIDDEN = "hidden"  # by everybody who has it, as far as who asks may know
    TRASHED = "trashed"  # by everybody who had it
    LIVE = "live"  # a still with a clip, in two files or in one
    RAW = "raw"
    EDITED = "edited"
    BURST = "burst"
    HDR = "hdr"
    DAMAGED = "damaged"  # archived, though something is wrong with a file


class IndexedAsset(msgspec.Struct, frozen=True, kw_only=True):
    """What all files of an asset and its sources say together, as far as people search for it."""

    asset_id: int
    kind: Kind  # picture or video
    sort_ms: int  # the wall clock where it was taken as if it were UTC's, Unix ms; undated: when it was taken in
    date_digits: int  # how much of the date is known, as characters of ISO 8601: 0, 4 (year), 7, 10 or 19 (moment)
    added_ms: int  # when it was taken in, Unix ms
    size_bytes: int  # all of its files
    format: str = ""  # of the file that stands for it: `jpeg`, `heic`, `quicktime`
    width: int | None = None  # pixels as displayed
    height: int | None = None
    duration_s: float | None = None
    rating: int | None = None  # -1 rejected, 0 to 5
    latitude: float | None = None  # WGS 84 degrees
    longitude: float | None = None
    copies: int = 0  # proved ones (evidence R or V) that each of its files has at least
    reread: int = 0  # likewise, of evidence R: read again by us
    verified: int = 0  # V: hashed by the store that has it
    delivered: int = 0  # P: a peer says it has it; proves nothing beyond that
    archived_ms: int | None = None  # since when all of its files are archived, Unix ms
    proved_ms: int | None = None  # as of when all of its files have a proved copy, Unix ms
    flags: frozenset[Flag] = frozenset()
    names: tuple[str, ...] = ()  # of its files
    folders: tuple[str, ...] = ()  # in the archive
    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    camera: str = ""
    lens: str = ""
    sources: tuple[str, ...] = ()  # that have it, by name
    hidden_at: tuple[str, ...] = ()  # those of them that hide it
