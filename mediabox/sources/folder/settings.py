"""What a person may say about a folder source."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mediabox.config.fields import AbsolutePath, Seconds

# `model.layouts.Reason`, of those a person may ask for.
OnRequest = Literal["picasa_originals", "livp", "hidden", "unfinished", "cache", "bin"]


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
        Meta(
            title="Left out",
            description="Names of files and folders, with * and ?, besides those of caches, bins, half downloads and "
            "hidden files, which are left out by themselves.",
        ),
    ] = ()
    take_in: Annotated[
        tuple[OnRequest, ...],
        Meta(
            title="Taken in all the same",
            description="What is left out by itself and wanted here; `mediabox left` lists each name with its reason.",
        ),
    ] = ()
