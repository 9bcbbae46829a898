"""What a person may say about an iCloud account."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mediabox.config.fields import MegabytesPerSecond, Seconds
from mediabox.sources.icloud.endpoints import Hosts, Region


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Photos in iCloud: one Apple account."""

    apple_id: Annotated[
        str,
        Meta(
            pattern=r"^[^@\s]+@[^@\s]+$|^\+\d{6,15}$",
            title="Apple account",
            description="The address or number the person signs in with.",
            extra_json_schema={"x-expects": "an e-mail address, or a telephone number that starts with '+'"},
        ),
    ]
    personal: Annotated[bool, Meta(title="Personal library", description="The account's own photos.")] = True
    shared: Annotated[
        bool, Meta(title="Shared library", description="The iCloud Shared Photo Library, whoever began it.")
    ] = True
    hidden: Annotated[bool, Meta(title="Hidden photos", description="Take in what the person has hidden.")] = True
    albums: Annotated[bool, Meta(title="Albums", description="Learn which photos are in which albums.")] = True
    newest: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(title="Only the newest", description="For trying: the first listing ends after this many photos."),
    ] = None
    streams: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            title="Downloads at the same time",
            description="More are faster, and less kind to the line. All iCloud accounts share them: "
            "the largest number that is set for one of them counts for all together.",
        ),
    ] = 3
    bandwidth: Annotated[
        Annotated[MegabytesPerSecond, Meta(gt=0)] | None,
        Meta(
            title="Bandwidth",
            description="For the downloads of all iCloud accounts together: the lowest that is set for one of them "
            "counts. No limit when left out everywhere.",
        ),
    ] = None
    poll_s: Annotated[
        Seconds, Meta(ge=60, title="Look for changes every", description="A look without changes costs three calls.")
    ] = 900.0
    deletion: Annotated[
        Literal["keep", "mirror"],
        Meta(
            title="What is deleted in iCloud",
            description="'keep' keeps it in the archive; 'mirror' moves it to the archive's trash for 30 days.",
        ),
    ] = "keep"
    release: Annotated[
        bool,
        Meta(
            title="Freeing iCloud",
            description="Allow `mediabox release` to move what is proved safe to Recently Deleted. "
            "Needs [release] enabled as well, and deletion = 'keep'.",
        ),
    ] = False
    region: Annotated[
        Region, Meta(title="Where the account lives", description="'china' for accounts of mainland China.")
    ] = "world"
    hosts: Annotated[
        Hosts | None, Meta(title="Hosts", description="Instead of Apple's: `mediabox simulate icloud` prints its own.")
    ] = None
