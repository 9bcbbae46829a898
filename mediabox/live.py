"""Look at what only the memory of this process knows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import structs

from mediabox.message import Text
from mediabox.model.live import Live, LiveState

if TYPE_CHECKING:
    from mediabox.core.pipeline import Pipeline
    from mediabox.ground import Ground


def live(ground: Ground, pipeline: Pipeline | None, waiting_for: Text | None, *, is_stopping: bool) -> Live:
    """`pipeline`: None while nothing is joined."""
    percent = ground.database.upgraded_percent
    claims = {
        LiveState.STOPPING: is_stopping,
        LiveState.UPGRADING: percent is not None,
        LiveState.PAUSED: ground.governor.is_paused,
        LiveState.WAITING: waiting_for is not None,
        LiveState.STARTING: pipeline is None,
        LiveState.WORKING: pipeline is not None and bool(pipeline.now()),
    }
    found = Live(
        pid=os.getpid(),
        at_ms=ground.clock.wall_ms(),
        state=next((state for state, is_so in claims.items() if is_so), LiveState.WATCHING),
        percent=percent,
        waiting_for=waiting_for,
        issues=tuple(ground.issues.held.values()),
    )
    return found if pipeline is None else _with_work(found, pipeline)


def _with_work(found: Live, pipeline: Pipeline) -> Live:
    gauge = pipeline.gauge
    return structs.replace(found, stages=pipeline.now(), rates=gauge.rates, streams=dict(+gauge.streams))
