"""What a box has whatever is joined, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.core.bus import Bus
    from mediabox.core.governor import Governor
    from mediabox.core.issues import IssueBook
    from mediabox.store.database import Database


class Ground(NamedTuple):
    """The shell has it, and whatever is joined stands on it."""

    database: Database
    issues: IssueBook
    governor: Governor
    bus: Bus
    clock: Clock
