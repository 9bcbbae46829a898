"""What `mediabox status` says. Counts are of resources, that is files, unless the name says otherwise."""

import msgspec

from mediabox.message import Text
from mediabox.model.issue import Issue
from mediabox.model.survey import Survey


class Accounting(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is skipped silently: taken_in = archived + duplicate + quarantined + removed + pending (I11).

    What lies in the archive's trash is archived still, until it is removed.
    """

    taken_in: int = 0
    archived: int = 0  # `trashed` of them in the archive's trash
    trashed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    removed: int = 0  # deleted at a source that is mirrored, and 30 days in the trash
    pending: int = 0

    @property
    def is_balanced(self) -> bool:
        return self.taken_in == self.archived + self.duplicate + self.quarantined + self.removed + self.pending


class Bytes(msgspec.Struct, frozen=True, kw_only=True):
    archived: int = 0
    pending: int = 0
    archive_free: int | None = None


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Of the last minute."""

    files_per_minute: int = 0
    bytes_per_second: int = 0


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs of one step."""

    step: str
    ready: int
    failed: int


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A file a person should know of, and why."""

    name: str
    remote_id: str
    reason: Text


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """Files of older backups (`mediabox adopt`)."""

    offered: int = 0
    adopted: int = 0  # taken instead of fetching the same bytes
    bytes: int = 0  # of those


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the calls of one endpoint of a source's server, since the daemon was started last."""

    source: str
    endpoint: str
    calls: int = 0
    errors: int = 0  # ended without a usable answer, refusals among them
    refusals: int = 0  # the server wanted less, or not this account
    waited_s: float = 0.0  # so that it would not be too much


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """How far one destination is: deliveries, that is files there, by state."""

    destination: str
    waiting_for: Text | None = None  # why nothing is sent now, for a person
    queued: int = 0
    on_the_way: int = 0  # admitted or in the outbox
    stored: int = 0  # the phone has it
    freed: int = 0  # left the phone
    safe: int = 0  # assets whose files are all proved in the archive and, by the owner's own download, in Google Photos
    doubted: int = 0  # unverified
    believed: int = 0
    refused: int = 0
    queued_bytes: int = 0
    freed_bytes: int = 0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole box at one time."""

    at_ms: int
    is_running: bool = False
    pid: int | None = None
    stuck_s: float | None = None  # it has not moved for so long; None while it works
    waiting_for: Text | None = None  # why work waits, for a person
    accounting: Accounting
    assets: int
    companions: int = 0  # archived files that go with others: sidecars, thumbnails, proxies, logs
    similar: int  # pictures that look like another
    ignored: int  # files that are none of ours
    flagged: int  # archived, though something is wrong with them
    bytes: Bytes
    rates: Rates
    adoption: Adoption = Adoption()
    calls: tuple[Calls, ...] = ()  # up to a minute old
    roads: tuple[Road, ...] = ()
    jobs: tuple[Steps, ...] = ()
    issues: tuple[Issue, ...] = ()
    quarantined: tuple[Named, ...] = ()  # at most 50
    damaged: tuple[Named, ...] = ()  # flagged, at most 50
    left_alone: tuple[str, ...] = ()  # ignored, at most 50
    indexed_percent: int = 100  # below: what an older version archived is still being indexed for searching
    surveys: dict[str, Survey] = {}  # by source: every name its last listing met
