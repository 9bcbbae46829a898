"""Everything that can go wrong with iCloud, to be ordered by name.

    simulator.faults.add(Fault("records.query", Status(503, retry_after_s=7), times=3, after=2))

says: let two queries pass, answer the next three with 503 and `Retry-After: 7`.
"""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

ENDPOINTS = frozenset({
    "auth.authorize", "auth.init", "auth.complete", "auth.repair", "auth.page", "auth.trust", "auth.key",
    "auth.device.push", "auth.device.code", "auth.phone.push", "auth.phone.code", "auth.bridge",
    "setup.validate", "setup.login", "setup.logout", "setup.web_access", "setup.consent", "setup.pcs",
    "setup.terms", "setup.terms_done",
    "zones.list", "changes.database", "changes.zone",
    "records.query", "records.lookup", "records.modify", "records.count",
    "content", "upload.image", "upload.reserve", "upload.bytes", "upload.put", "upload.status",
})  # fmt: skip


class Status(msgspec.Struct, frozen=True, tag="status"):
    """Any endpoint: this answer instead. `Status(200, headers={"X-Apple-I-Rscd": "401"})` hides a no."""

    code: int
    body: str = ""
    headers: dict[str, str] = {}
    retry_after_s: int | None = None
    content_type: str = "text/plain"


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """CloudKit: a `serverErrorCode` in the body; under its zone for `changes.zone`, HTTP 200 unless said otherwise."""

    code: str
    reason: str = ""
    status: int = 200
    retry_after_s: int | None = None


class RecordRefused(msgspec.Struct, frozen=True, tag="record_refused"):
    """CloudKit: one record's `serverErrorCode` among the good ones, in place of the first record."""

    code: str
    reason: str = ""


class Dropped(msgspec.Struct, frozen=True, tag="dropped"):
    """Any endpoint: the connection ends without an answer. `is_done` says whether the work was done first.

    aiohttp's client repeats a GET once by itself: order two of these for it to notice.
    """

    is_done: bool = False


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """content: the connection ends after `after_bytes` of the body, whatever Content-Length promised."""

    after_bytes: int


class WholeFile(msgspec.Struct, frozen=True, tag="whole_file"):
    """content: Range is ignored; 200 and everything from the start."""


class Garbled(msgspec.Struct, frozen=True, tag="garbled"):
    """content: right length, one byte changed at `at_bytes`."""

    at_bytes: int


class EmptyPage(msgspec.Struct, frozen=True, tag="empty_page"):
    """changes.zone: no records, `moreComing` true; the next call goes on."""


class SparsePage(msgspec.Struct, frozen=True, tag="sparse_page"):
    """records.query by rank: only the first `photos` of those counted in the page are in it (kei #536)."""

    photos: int = 1


class BlankPage(msgspec.Struct, frozen=True, tag="blank_page"):
    """records.query by rank: no records, and a `continuationMarker`; the next call goes on."""


class NoZones(msgspec.Struct, frozen=True, tag="no_zones"):
    """changes.database, zones.list: no zone is named."""


class OddFields(msgspec.Struct, frozen=True, tag="odd_fields"):
    """records.*, changes.zone: fields of another kind than the recorded ones (kei's documentation: "may be null").

    By name of the field, or of a part of its value: `{"isDeleted": "null", "resOriginalRes.fileChecksum": "missing"}`.
    """

    fields: dict[str, Literal["null", "null_value", "boolean", "text", "missing"]]


class CountOff(msgspec.Struct, frozen=True, tag="count_off"):
    """records.count: too high or too low by this many."""

    by: int


class NotIndexed(msgspec.Struct, frozen=True, tag="not_indexed"):
    """records.query: CheckIndexingState answers this."""

    state: str = "NOT_FINISHED"


What = (
    Status | Refused | RecordRefused | Dropped | Cut | WholeFile | Garbled | EmptyPage | CountOff | NotIndexed
    | SparsePage | BlankPage | NoZones | OddFields
)  # fmt: skip

# What goes wrong with the request being answered.
FAULT: ContextVar[What | None] = ContextVar("fault", default=None)

# What clients without cookies get for a link into a shared library: HTTP 200 and 17 bytes (kei).
SEVENTEEN_BYTES = "501 missing PCS.\n"


class Fault(msgspec.Struct, frozen=True):
    """`where` is an endpoint's name or a pattern of it (`auth.*`)."""

    where: str
    what: What
    times: int | None = 1  # None: until removed
    after: int = 0  # calls let through first
    only: str = ""  # counts only requests whose address, body or file name holds this text


def hidden_refusal(code: int = 401) -> Status:
    """auth.complete: HTTP 200 and the refusal in a header (kei)."""
    return Status(200, body="{}", headers={"X-Apple-I-Rscd": str(code)}, content_type="application/json")


def throttled(retry_after_s: int | None = None) -> Status:
    """503 as the sign-in host and CloudKit send it."""
    return Status(503, body="Service Temporary Unavailable", retry_after_s=retry_after_s)


def access_denied() -> Refused:
    """ACCESS_DENIED that a wait heals. Under ADP the same words stay until a device consents (`Account`)."""
    return Refused("ACCESS_DENIED", "private db access disabled for this account")


def expired() -> Status:
    """content: 410, before its time."""
    return Status(410, body="Gone")


def bad_token() -> Refused:
    """changes.zone: the token is not understood any more."""
    return Refused("BAD_REQUEST", "Unknown sync continuation type")


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.passed = 0
        self.fired = 0

    def take(self, where: str, about: str) -> What | None:
        fault = self.fault
        if not fnmatchcase(where, fault.where) or fault.only not in about or not self._is_for(where, about):
            return None
        self.passed += 1
        if self.passed <= fault.after or (fault.times is not None and self.fired >= fault.times):
            return None
        self.fired += 1
        return fault.what

    def _is_for(self, where: str, about: str) -> bool:
        """A fault of the indexing state counts only the queries that ask for it."""
        is_indexing = where == "records.query" and "CheckIndexingState" in about
        return not isinstance(self.fault.what, NotIndexed) or is_indexing


class Faults:
    """The faults in force, and how often each fired."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self.fired: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """Raises ValueError when no endpoint is called so."""
        if not any(fnmatchcase(name, fault.where) for name in ENDPOINTS):
            raise ValueError(f"no endpoint is called {fault.where!r}; there are {', '.join(sorted(ENDPOINTS))}")
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        self._armed.clear()

    def take(self, where: str, about: str) -> What | None:
        """What goes wrong with this call, if anything. The first that fits is spent."""
        for armed in self._armed:
            what = armed.take(where, about)
            if what is not None:
                self.fired[where] += 1
                return what
        return None
