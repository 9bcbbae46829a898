"""What somebody asked of a part outside the store: a row that is accepted, and then done or refused."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mediabox.model.sign_in import SignInResult, SignInStep


class RequestState(StrEnum):
    """Stored words. Each request ends in one of the last two, with its result."""

    ACCEPTED = "accepted"
    STARTED = "started"  # secrets erased; what comes of it is not known yet
    DONE = "done"
    REFUSED = "refused"


class Look(msgspec.Struct, frozen=True, tag=True):
    """List the source now."""


Step = SignInStep | Look


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Times in Unix ms."""

    id: int
    part: str  # who carries it out, as issues name it: `source:anna`
    step: Step  # without its secrets, until it is taken
    actor: str
    state: RequestState
    asked_at_ms: int
    expires_at_ms: int | None = None
    secret: str | None = None  # under which name its secrets are kept, while it waits
    result: SignInResult | None = None
