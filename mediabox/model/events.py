"""What the bus carries: hints, one frozen value each. The store has the truth."""

import msgspec

from mediabox.message import Text
from mediabox.model.delivery import DeliveryState


class ResourceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A resource took a step. `event` is the journal's word for it."""

    resource_id: int
    name: str
    event: str
    detail: Text = ""


class IssueChanged(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    subject: str
    is_open: bool
    message: Text = ""


class ListingEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A source was listed to its end."""

    source: str
    new: int
    ignored: int


class DeliveryChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery got further, or was lost."""

    delivery_id: int
    destination: str
    name: str
    state: DeliveryState
