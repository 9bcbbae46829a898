"""What a listing could not make an asset of, for people. It stands in the cursor: it is said until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.sources.icloud.cursor import Cursor


def complaints_of(cursor: Cursor, name: str) -> tuple[Issue, ...]:
    """Of the account of this name."""
    again = f"`mediabox scan {name} --full` lists everything once more; `mediabox doctor` tells how to report it."
    upload = "The phone that took them is still uploading: let it lie on its charger, in Wi-Fi, with Photos open."
    newer = "Nothing is lost: they stay in iCloud. Look for a newer mediabox, and report the names above."
    found = []
    if waiting := sum(not each.has_original for one in cursor.libraries for each in one.waiting):
        found.append(("icloud.incomplete", f"{waiting} photos are in iCloud without their original so far", upload))
    if unreadable := {record for one in cursor.libraries for record in one.unreadable}:
        found.append(("icloud.unreadable_records", f"{len(unreadable)} records of iCloud could not be read", again))
    if unknown := sorted({file for one in cursor.libraries for file in one.unknown_files}):
        what = f"iCloud has files mediabox does not know ({', '.join(unknown)}): their photos are not safe to free"
        found.append(("icloud.unknown_files", what, newer))
    if refused := [what for one in cursor.libraries for what in one.refused]:
        what = f"iCloud would not list {_index_words(refused)}; everything else goes on"
        found.append(("icloud.refused_index", what, f"It is asked for again by itself. {again}"))
    return tuple(Issue(key=key, subject=name, message=f"{what}.", remedy=remedy) for key, what, remedy in found)


def _index_words(refused: Sequence[str]) -> str:
    """Phases, and ids of albums (`library/album`), in words."""
    albums = sum("/" in what for what in refused)
    words = [f"{albums} of its albums"] if albums else []
    words += ["its albums"] if "albums" in refused else []
    return " and ".join([*words, *(["hidden photos"] if "hidden" in refused else [])])
