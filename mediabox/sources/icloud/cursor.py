"""How far a listing has come: committed with each page, so that a kill costs at most that page again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from mediabox.sources.icloud.answers import ZoneID
from mediabox.sources.icloud.questions import LibraryZone, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 2  # 1 did not know of `resVidCompl`: everything is listed once more, which costs no bytes
MOST_WAITING = 500
MOST_NOTED = 100

Phase = Literal["photos", "hidden", "albums", "changes"]


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """An asset of which something is still to come: its original, or a Live Photo's video."""

    name: str
    looks: int = 0
    has_original: bool = False


class LibraryCursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One library. First everything there is (photos, hidden, albums), then what changed since `token`.

    `token` is taken before the first page: what changes while we list comes again as a
    change. `rank` is where the next page begins, `anchors` the last assets of the page
    before: ranks move when somebody adds or deletes meanwhile.
    """

    library: LibraryZone
    phase: Phase = "photos"
    token: str | None = None
    rank: int = 0
    anchors: tuple[str, ...] = ()
    empties: int = 0  # pages in a row that brought nothing new
    doubted: str | None = None  # rank and anchors behind which nothing was: we looked before them
    marker: str | None = None  # what the last of them said goes on behind it
    album: str | None = None  # the album being read: those before it, by name, are done
    refused: tuple[str, ...] = ()  # phases, and albums, that Apple would not list: asked for again
    unreadable: tuple[str, ...] = ()  # names of records nobody could read
    unknown_files: tuple[str, ...] = ()  # keys of files nobody knows
    waiting: tuple[Waiting, ...] = ()

    @property
    def name(self) -> str:
        return self.library.name


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything. `database`: for each scope, the token before which no zone has changes we have not read.

    `chosen` is what the settings ask for: with another choice everything is listed again,
    which costs calls but no bytes.
    """

    format: int = 1  # what a cursor without the key is of
    chosen: str = ""
    database: dict[Scope, str] = {}
    libraries: tuple[LibraryCursor, ...] = ()

    def library(self, name: str) -> LibraryCursor | None:
        return next((each for each in self.libraries if each.name == name), None)

    def put(self, progress: LibraryCursor) -> Cursor:
        """With this library's progress instead of what was known of it."""
        others = tuple(progress if each.name == progress.name else each for each in self.libraries)
        known = others if self.library(progress.name) is not None else (*others, progress)
        return msgspec.structs.replace(self, libraries=known)

    def drop(self, name: str) -> Cursor:
        return msgspec.structs.replace(self, libraries=tuple(each for each in self.libraries if each.name != name))

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()


def decode(text: str | None, *, chosen: str) -> Cursor:
    """The cursor; an empty one for none, or for one of another format or choice: then everything is listed again."""
    empty = Cursor(format=FORMAT, chosen=chosen)
    if text is None:
        return empty
    try:
        cursor = msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        return empty
    return cursor if (cursor.format, cursor.chosen) == (FORMAT, chosen) else empty


def at_phase(progress: LibraryCursor, phase: Phase) -> LibraryCursor:
    """At the beginning of a phase."""
    fresh = LibraryCursor(library=progress.library)
    where = {name: getattr(fresh, name) for name in ("rank", "anchors", "empties", "doubted", "marker", "album")}
    return msgspec.structs.replace(progress, phase=phase, **where)


def on_album(progress: LibraryCursor, album: str | None) -> LibraryCursor:
    """At the beginning of an album; behind the last one."""
    if album is None:
        return at_phase(progress, "changes")
    return msgspec.structs.replace(at_phase(progress, "albums"), album=album)


def refuse(progress: LibraryCursor, what: str) -> LibraryCursor:
    """Note what Apple would not list."""
    return msgspec.structs.replace(progress, refused=_with(progress.refused, [what]))


def note(
    progress: LibraryCursor, *, unreadable: Iterable[str] = (), unknown_files: Iterable[str] = ()
) -> LibraryCursor:
    """Note what was met and could not be made anything of."""
    return msgspec.structs.replace(
        progress,
        unreadable=_with(progress.unreadable, unreadable),
        unknown_files=_with(progress.unknown_files, unknown_files),
    )


def _with(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))[:MOST_NOTED]


def beginning(scope: Scope, zone: ZoneID) -> LibraryCursor:
    """A library nobody has read anything of."""
    return LibraryCursor(library=LibraryZone(scope=scope, zone=zone))
