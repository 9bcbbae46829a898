"""What goes to a destination, and how far it got. One delivery is one file of one asset at one destination."""

from enum import StrEnum

import msgspec

from mediabox.message import Text
from mediabox.model.ledger import Evidence


class Form(StrEnum):
    """What the delivered file is to the original."""

    ORIGINAL = "original"  # byte for byte
    TAGGED = "tagged"  # its own picture data, capture time or place added
    MOTION = "motion"  # Motion Photo: the still's own picture data with the clip's own frames and sound behind it
    MOTION_H264 = "motion_h264"  # the same with the clip encoded anew
    CONVERTED = "converted"  # encoded anew: the destination does not take the original's format
    REDUCED = "reduced"  # encoded anew, smaller, by the owner's choice

    @property
    def keeps_still(self) -> bool:
        """Whether every pixel of the (first) file is the original's."""
        return self not in (Form.CONVERTED, Form.REDUCED)

    @property
    def keeps_clip(self) -> bool:
        return self is Form.MOTION


class DeliveryState(StrEnum):
    """Order of a normal life: queued, admitted, accepted, stored, freed."""

    QUEUED = "queued"  # wanted; waits for room
    ADMITTED = "admitted"  # counted against the room; being made
    ACCEPTED = "accepted"  # in the outbox, written, synced, read back
    STORED = "stored"  # the peer reports exactly this version (evidence P)
    FREED = "freed"  # "left": it went from the peer afterwards (evidence F), which drains the window and proves nothing
    DOUBTED = "doubted"  # "unverified": gone so that it may never have been backed up: a person is asked
    BELIEVED = "believed"  # doubted, and a person says that it has arrived: done, without proof
    REFUSED = "refused"  # cannot be delivered, with a reason
    WITHDRAWN = "withdrawn"  # taken out of the outbox by a person; the peer follows


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One file a destination wants of an asset."""

    resource_id: int
    clip_id: int | None = None  # its paired video, to be put into the same file
    form: Form = Form.ORIGINAL
    name: str  # file name wanted; made unique before it is used
    size_bytes: int  # about
    taken_at_ms: int | None = None  # capture time, for the order
    obstacle: str = ""  # why it can never be delivered, for a person: it is listed, and not sent


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Times in Unix ms."""

    id: int
    destination: str
    asset_id: int
    resource_id: int
    clip_id: int | None = None
    form: Form
    name: str  # in the destination, unique there
    state: DeliveryState
    size_bytes: int
    digest: str | None = None  # SHA-256 of the delivered file
    taken_at_ms: int | None = None
    accepted_at_ms: int | None = None
    stored_at_ms: int | None = None
    freed_at_ms: int | None = None
    proof: str = ""  # by what the newest state is known: "db/file KNCZ6DE:12", "RemoteChangeDetected 311"
    note: Text = ""  # what is different from the original, or why not


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A destination has taken a delivery's file."""

    delivery_id: int
    form: Form
    size_bytes: int
    digest: str
    note: Text = ""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination now shows of one delivery. `state`: STORED, FREED or DOUBTED."""

    delivery_id: int
    state: DeliveryState
    proof: str
    note: Text = ""
    evidence: Evidence | None = None  # how sure it is of what it shows; None: of no copy
    digest: str = ""  # with `Evidence.VERIFIED`: SHA-256 as the store itself computed it of what it holds


class DeviceReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the device behind a destination is, from Home Assistant, an app or a person. None: not known."""

    at_ms: int
    battery_percent: float | None = None
    celsius: float | None = None
    free_bytes: int | None = None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many photos Google Photos offered to free, as a person read it, and how many the phone had then."""

    at_ms: int
    shown: int
    on_phone: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be at a destination, not yet let go there."""

    most_bytes: int
    more_bytes: int | None = None  # at most so much more now, whatever `most_bytes` says
    reason: str = ""  # why nothing is sent now; "" when something may be
    backlog_share: float = 0.2  # of the room, kept for what is older than `recent_ms`
    recent_ms: int = 30 * 86_400_000
