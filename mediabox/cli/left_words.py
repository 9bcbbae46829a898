"""What `status` and `doctor` say of names that are not taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli.check import Check
from mediabox.model.layouts import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.model.survey import LeftOut, Survey

SHOWN = 3  # names in a line

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
    Reason.UNFINISHED: ("half files of other programs, left until they have their final name", ""),
    Reason.CACHE: ("thumbnails and previews that programs keep (caches)", ""),
    Reason.BIN: ("files in bins, and old versions other programs keep", ""),
    Reason.CARD: ("a camera's tables, proxies and thumbnails beside clips", ""),
    Reason.PACKED: ("packed archives (.zip and the like), not opened", "Unpack them if photos are in them."),
    Reason.ONLINE_ONLY: ("stand-ins for files that are only in a cloud", "Have that program download them."),
    Reason.SYSTEM: ("files of operating systems and of mediabox", ""),
    Reason.EXCLUDED: ("left out by the source's `exclude`", ""),
    Reason.LINK: ("symbolic links, not followed", "Name what they point to in the source's `trees`."),
    Reason.SPECIAL: ("pipes, sockets and devices", ""),
    Reason.CHANGING: ("files being written, looked at again soon", ""),
    Reason.UNREADABLE: ("files of unknown kind that may not be opened", "Let the user of mediabox read them."),
    Reason.SNAPSHOT: ("folders of snapshots, not entered", ""),
    Reason.ARCHIVE: ("folders that are the archive, the home or another tree, not entered here", ""),
}


def lines(survey: Survey) -> Iterator[str]:
    """A line for each reason, with the first names."""
    for one in survey.left_out:
        yield f"  {_what(one)}"
        if remedy := WORDS[one.reason][1]:
            yield f"    What to do: {remedy}"


def checks(name: str, survey: Survey) -> Iterator[Check]:
    """For `doctor`: one for each reason; a warning where photos may be left out."""
    for one in survey.left_out:
        remedy = WORDS[one.reason][1]
        yield Check(what=f"left out of {name}", state="warning" if remedy else "ok", why=_what(one), remedy=remedy)


def _what(one: LeftOut) -> str:
    more = ", …; `mediabox left` lists all" if one.count > SHOWN else ""
    return f"{WORDS[one.reason][0]}: {one.count:,} ({', '.join(one.names[:SHOWN])}{more})"
