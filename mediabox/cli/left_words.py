"""What `status` and `doctor` say of names that are not taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli.check import Check
from mediabox.model.layouts import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.model.survey import LeftOut, Survey

# What each reason means, and, where photos of a household may be behind it, what to do.
WORDS: dict[Reason, tuple[str, str]] = {
    Reason.PICASA_ORIGINALS: (
        "originals that Picasa put away when it saved an edit",
        'To archive them: take_in = ["picasa_originals"] in the source\'s settings.',
    ),
    Reason.LIVP: (
        "Live Photos packed as .livp",
        'Export them as originals, or archive them as they are: take_in = ["livp"].',
    ),
    Reason.HIDDEN: ("hidden names", ""),
    Reason.UNFINISHED: ("files another program has not finished: left until they have their final name", ""),
    Reason.CACHE: ("thumbnails and previews that programs keep (caches)", ""),
    Reason.BIN: ("in the bins and old versions of other programs", ""),
    Reason.CARD: ("a camera's tables, proxies and thumbnails beside clips", ""),
    Reason.PACKED: ("packed archives (.zip and the like), not opened", "Unpack them if photos are in them."),
    Reason.ONLINE_ONLY: ("stand-ins for files that are only in a cloud", "Have that program download them."),
    Reason.SYSTEM: ("files of operating systems and of mediabox", ""),
    Reason.EXCLUDED: ("left out by the source's `exclude`", ""),
    Reason.LINK: ("symbolic links, not followed", "Name what they point to in the source's `trees`."),
    Reason.SPECIAL: ("pipes, sockets and devices", ""),
    Reason.CHANGING: ("being written: looked at again soon", ""),
    Reason.UNREADABLE: ("of unknown kind, and may not be opened", "Let the user of mediabox read them."),
    Reason.SNAPSHOT: ("folders of snapshots, not entered", ""),
    Reason.ARCHIVE: ("folders that are the archive, the home or another tree, not entered here", ""),
}


def lines(survey: Survey) -> Iterator[str]:
    """A line for each reason, with the first names of those a person may want."""
    for one in survey.left_out:
        words, remedy = WORDS[one.reason]
        yield f"  {one.count:,} {words}: {_names(one)}"
        if remedy:
            yield f"    What to do: {remedy}"


def checks(name: str, survey: Survey) -> Iterator[Check]:
    """For `doctor`: one for each reason; a warning where photos may be left out."""
    for one in survey.left_out:
        words, remedy = WORDS[one.reason]
        state = "warning" if remedy else "ok"
        yield Check(what=f"left out of {name}", state=state, why=f"{one.count:,} {words}: {_names(one)}", remedy=remedy)


def _names(one: LeftOut) -> str:
    shown = ", ".join(one.names[:3])
    return shown if one.count <= 3 else f"{shown}, … (`mediabox left` lists all)"
