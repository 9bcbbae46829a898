"""What a listing could not make an asset of, for people. It stands in the cursor: it is said until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.message import Text, message, plural
from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.sources.icloud.cursor import Cursor


UPLOADING = message("The phone that took them is still uploading. Leave it charging, on Wi-Fi, with Photos open.")
NEWER = message("Nothing is lost: they stay in iCloud. Check for a newer mediabox, and report the names above.")


def complaints_of(cursor: Cursor, name: str) -> tuple[Issue, ...]:
    """Of the account of this name."""
    again = message(
        "`mediabox scan {name} --full` lists everything again; `mediabox doctor` shows how to report it.", name=name
    )
    found: list[tuple[str, Text, Text]] = []
    if waiting := sum(not each.has_original for one in cursor.libraries for each in one.waiting):
        found.append(("icloud.incomplete", _incomplete(waiting), UPLOADING))
    if unreadable := {record for one in cursor.libraries for record in one.unreadable}:
        found.append(("icloud.unreadable_records", _unreadable(len(unreadable)), again))
    if unknown := sorted({file for one in cursor.libraries for file in one.unknown_files}):
        what = message(
            "iCloud has files of an unknown kind ({names}); their photos cannot be removed from iCloud.",
            names=", ".join(unknown),
        )
        found.append(("icloud.unknown_files", what, NEWER))
    if refused := [what for one in cursor.libraries for what in one.refused]:
        what = message("iCloud did not list {parts}; everything else continues.", parts=_refused_parts(refused))
        found.append(("icloud.refused_index", what, message("This is retried automatically. {again}", again=again)))
    return tuple(Issue(key=key, subject=name, message=what, remedy=remedy) for key, what, remedy in found)


def _incomplete(waiting: int) -> Text:
    return plural(
        "{count:n} photo has no original in iCloud yet.",
        "{count:n} photos have no original in iCloud yet.",
        count=waiting,
    )


def _unreadable(records: int) -> Text:
    return plural(
        "{count:n} record of iCloud is not readable.", "{count:n} records of iCloud are not readable.", count=records
    )


def _refused_parts(refused: Sequence[str]) -> Text:
    """Phases, and ids of albums (`library/album`), in words."""
    count = sum("/" in what for what in refused)
    some = plural("{count:n} of its albums", "{count:n} of its albums", count=count)
    albums = message("its albums") if "albums" in refused else some if count else None
    hidden = message("hidden photos")
    if "hidden" not in refused:
        return albums or ""
    return message("{albums} and {hidden}", albums=albums, hidden=hidden) if albums else hidden
