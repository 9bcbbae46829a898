"""The settings every box has, one struct for each section of `mediabox.toml`.

Sources bring settings of their own, in the module that uses them.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from mediabox.config.fields import Bits, Celsius, Days, Mebibytes, MegabytesPerSecond, PathText, Percent

FIELDS = (
    *("year", "month", "day", "hour", "minute", "second"),
    *("name", "stem", "ext", "camera", "make", "source", "kind"),
)
_PART = r"(?:[^{}/\\\x00-\x1f]|\{(?:" + "|".join(field for field in FIELDS if field != "name") + r")\})"
# Relative, never `.` or `..`; the last part keeps the file's own name, or its stem, so that names stay tellable.
TEMPLATE = rf"^(?!~|[A-Za-z]:)(?:(?!\.\.?/){_PART}+/)*{_PART}*(?:\{{name\}}|\{{stem\}}{_PART}*)(?!\n)$"


class Archive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the originals go, and under which names."""

    path: Annotated[
        PathText,
        Meta(title="Archive folder", description="Holds the originals. Relative to the home folder, or absolute."),
    ] = "archive"
    template: Annotated[
        str,
        Meta(
            pattern=TEMPLATE,
            max_length=200,
            title="Folders and names",
            description="Where an original goes. Fields: " + " ".join(f"{{{field}}}" for field in FIELDS) + ".",
            extra_json_schema={"x-expects": "a relative path of known {fields} that ends in {name} or uses {stem}"},
        ),
    ] = "{year}/{year}-{month}/{name}"
    reserve_percent: Annotated[
        Percent,
        Meta(
            title="Space to leave free",
            description="Filing waits when less of the archive's volume is free, or less than 512 MB of one with 8 GB "
            "and more. 0: no limit.",
        ),
    ] = 2.0


class Work(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the box may be used. Work waits, and says why, while a limit is passed."""

    threads: Annotated[
        int, Meta(ge=0, le=64, title="Decoding threads", description="0: one for each core, as far as memory allows.")
    ] = 0
    max_load_per_core: Annotated[
        float,
        Meta(ge=0, le=16, title="Load limit", description="1-minute load for each core. 0: no limit."),
    ] = 0.0
    max_temperature_c: Annotated[
        Celsius, Meta(ge=0, le=110, title="Heat limit", description="Hottest sensor of the processor. 0: no limit.")
    ] = 75.0
    min_free_memory_mb: Annotated[
        Mebibytes,
        Meta(ge=0, le=65536, title="Memory to leave", description="Available memory below which work waits."),
    ] = 64
    pause_on_battery: Annotated[
        bool, Meta(title="Pause on battery", description="Wait while the box runs from its battery or UPS.")
    ] = False


class Renditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Smaller pictures for pages and chats, made from the one decode every picture gets."""

    path: Annotated[
        PathText,
        Meta(title="Renditions folder", description="Can be rebuilt at any time. Relative to home, or absolute."),
    ] = "renditions"
    thumbnails: Annotated[bool, Meta(title="Thumbnails", description="WebP, short side 250 pixels.")] = True
    preview: Annotated[
        bool,
        Meta(title="Previews", description="JPEG, short side 1440 pixels or more; none of a file that serves as one."),
    ] = True


class Scrub(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reading the archive again, so that a rotting disk is noticed while another copy exists."""

    days: Annotated[
        Days, Meta(ge=1, le=3650, title="Round", description="Each original is read and hashed again in this time.")
    ] = 30
    bandwidth_mb_s: Annotated[
        MegabytesPerSecond, Meta(gt=0, le=10_000, title="Speed limit", description="Reading is kept below this.")
    ] = 8.0


class Dedup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures that look alike. Nothing is ever deleted for it: they are only shown together."""

    max_distance: Annotated[
        Bits,
        Meta(
            ge=0,
            le=16,
            title="Likeness",
            description="Differing bits of the 64-bit perceptual hash. 0: only pictures that look the same.",
        ),
    ] = 6


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Freeing a source of what is proved safe here. Off, unless switched on here and at the source."""

    RETIRED: ClassVar[dict[str, str]] = {
        "freed_counts": "what has left a phone proves nothing of Google Photos and counts nowhere"
    }

    enabled: Annotated[
        bool,
        Meta(
            title="Freeing sources",
            description="A box with one archive disk has one copy: nothing is safe to free there unless the owner "
            "says with copies = 1 and domains = 1 that one is enough.",
        ),
    ] = False
    copies: Annotated[
        int, Meta(ge=1, le=9, title="Copies", description="Proved copies each file needs, read again or verified.")
    ] = 2
    domains: Annotated[
        int, Meta(ge=1, le=9, title="Independent places", description="Disks or hosts these copies have to be on.")
    ] = 2
    quarantine_days: Annotated[
        Days, Meta(ge=1, le=3650, title="Waiting time", description="Archived for so long before it may be freed.")
    ] = 30
    daily_limit: Annotated[
        int, Meta(ge=1, le=200, title="Assets a day", description="Never more than this in 24 hours, all sources.")
    ] = 200
    daily_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=5,
            title="Share a day",
            description="Never more of a source's library than this in 24 hours, but at least one photo.",
            extra_json_schema={"x-unit": "%"},
        ),
    ] = 5


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the daemon writes about its work."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(title="Detail", description="The least that is written.")
    ] = "info"
    format: Annotated[
        Literal["text", "json"], Meta(title="Form", description="Lines for people, or one JSON object a line.")
    ] = "text"


CORE: dict[str, type[msgspec.Struct]] = {
    "archive": Archive,
    "work": Work,
    "renditions": Renditions,
    "scrub": Scrub,
    "dedup": Dedup,
    "release": Release,
    "log": Log,
}
