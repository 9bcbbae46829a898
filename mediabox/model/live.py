"""What only the memory of a running box knows. The store has the rest."""

from enum import StrEnum

import msgspec

from mediabox.message import Text
from mediabox.model.issue import Issue
from mediabox.model.status import Rates


class LiveState(StrEnum):
    STARTING = "starting"  # the catalogue is not open yet, or sources and archive are being joined
    UPGRADING = "upgrading"  # the catalogue of an older version
    WAITING = "waiting"  # for what `waiting_for` says
    WORKING = "working"
    WATCHING = "watching"  # there is nothing to do
    PAUSED = "paused"
    STOPPING = "stopping"


class StageNow(msgspec.Struct, frozen=True, kw_only=True):
    """One stage's works: `running` are under way, `waiting` wait for their turn in memory; others in the store."""

    step: str
    running: int = 0
    waiting: int = 0


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A running box as it is now; at most a second old."""

    pid: int
    at_ms: int  # Unix ms
    state: LiveState
    percent: int | None = None  # of the upgrade
    waiting_for: Text | None = None  # why work waits, for a person
    stages: tuple[StageNow, ...] = ()  # those with any work
    rates: Rates = Rates()
    streams: dict[str, int] = {}  # fetches under way, by source
    issues: tuple[Issue, ...] = ()  # held in memory because there is no catalogue they could be written to
