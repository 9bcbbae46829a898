"""What a person may say about a folder source."""

import fnmatch
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mediabox.config.fields import AbsolutePath, Seconds

EXCLUDE: tuple[str, ...] = (
    ".*",  # hidden: .DS_Store, .Trash-1000, .stversions, .mediabox, ._IMG_1.JPG, .syncthing.x.tmp
    "@eaDir",  # Synology's thumbnails
    "#recycle",  # Synology's bin
    "#snapshot",
    "@Recycle",  # QNAP's bin
    "@Recently-Snapshot",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    "Thumbs.db",
    "desktop.ini",
    "*.part",  # half downloads: Firefox, rclone, ours
    "*.partial",
    "*.crdownload",
    "*.tmp",
    "~*",  # locks and Syncthing's temporary files on Windows
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures in folders."""

    trees: Annotated[
        tuple[AbsolutePath, ...],
        Meta(
            min_length=1,
            title="Folders",
            description="Each is searched with everything below it. Links are not followed.",
        ),
    ]
    mode: Annotated[
        Literal["keep", "move"],
        Meta(
            title="What happens to the files",
            description="'keep' leaves them where they are; 'move' removes each once its archived copy is proved.",
        ),
    ] = "keep"
    watch: Annotated[
        Literal["auto", "inotify", "poll"],
        Meta(
            title="How changes are noticed",
            description="'auto' lets the kernel tell on local disks and lists network folders again and again.",
        ),
    ] = "auto"
    rescan_s: Annotated[
        Seconds,
        Meta(ge=60, title="Full listing every", description="Finds what the kernel did not tell of."),
    ] = 3600.0
    poll_s: Annotated[
        Seconds,
        Meta(ge=1, title="Listing of unwatched folders every", description="Also how soon a returned disk is noticed."),
    ] = 60.0
    settle_s: Annotated[
        Seconds,
        Meta(ge=0, le=3600, title="Quiet time", description="A file that changed this lately is left until later."),
    ] = 5.0
    exclude: Annotated[
        tuple[Annotated[str, Meta(pattern=r"\A[^/\0]+\Z")], ...],
        Meta(title="Left out", description="Names of files and folders, with * and ?; capitals make no difference."),
    ] = EXCLUDE


def compile_names(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression that matches the whole of any name one of `patterns` stands for; none matches nothing."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or r"(?!)", re.IGNORECASE)
