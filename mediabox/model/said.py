"""What a source says of an asset beside its bytes: what the person did with it there."""

from enum import StrEnum

import msgspec

from mediabox.model.place import Place


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Absent means that the source does not say. Times in Unix milliseconds.

    Always whole: what a later listing says replaces it. Albums are told apart
    (`contracts.Page.memberships`), because a source hears of them apart.
    """

    is_favorite: bool = False
    is_hidden: bool = False
    title: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    taken_at_ms: int | None = None  # capture time; the person may have corrected it
    offset_min: int | None = None  # minutes east of UTC where it was taken
    place: Place | None = None
    added_at_ms: int | None = None  # when it reached the library
    burst_id: str | None = None
    contributors: tuple[str, ...] = ()  # a shared library: the source's own names of who brought it
    content_id: str | None = None  # the same for assets made of the same original, in whichever of a source's libraries
    unproved_files: tuple[str, ...] = ()  # what the source has of it and we do not fetch, or cannot check: never freed


class Presence(StrEnum):
    """Where an asset stands at its source."""

    PRESENT = "present"
    TRASHED = "trashed"
    PURGED = "purged"
    MOVED = "moved"
