"""Free a source of what is proved safe: plan, confirm, undo (decision 0008)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import certify, release_orders, soundness
from mediabox.core.commands.contract import Command, Context, Danger, Refused
from mediabox.core.queries.safety import allowed, assess_all, frozen_by
from mediabox.core.release_orders import Plan
from mediabox.core.timeline import timeline
from mediabox.errors import NeedsHuman, Permanent
from mediabox.store.keyed import Keyed

if TYPE_CHECKING:
    from mediabox.config.load import Config
    from mediabox.core.certify import Assessment


class _Proved(msgspec.Struct, frozen=True, kw_only=True):
    """What is proved now of all that may be freed. `doubt`: why nothing may, whatever is proved."""

    config: "Config"
    assessed: "list[Assessment]"
    at_ms: int
    doubt: NeedsHuman | None

    def settle(self, context: Context) -> Refused | None:
        """Freeze releases while the catalogue is in doubt; the refusal keeps that."""
        if self.doubt is None:
            soundness.thaw(context.connection)
            return None
        if self.doubt.issue == soundness.ISSUE:
            soundness.freeze(context.connection, self.doubt, now_ms=self.at_ms)
        return Refused(reason=f"nothing may be freed: {self.doubt}", remedy=self.doubt.remedy, issue=self.doubt.issue)


def _prove(context: Context) -> _Proved:
    """Raises NeedsHuman where nothing may be freed at all."""
    connection = context.connection
    assert isinstance(connection, Keyed), "the database opens no other"
    config = load(connection.home)
    _refuse_when_off(config)
    time = timeline(connection, Clock())
    assessed = assess_all(connection, sorted(allowed(config)), certify.policy_of(config.release), time)
    return _Proved(
        config=config,
        assessed=[each for found in assessed.values() for each in found],
        at_ms=time.now.at_ms,
        doubt=frozen_by(connection, config, assessed, time),
    )


def _refuse_when_off(config: Config) -> None:
    if not config.release.enabled:
        message = "freeing sources is switched off"
        remedy = f"Write into {config.home / 'mediabox.toml'}: [release] enabled = true; `mediabox safe` says what is."
        raise NeedsHuman(message, issue="release.off", remedy=remedy)
    if not allowed(config):
        remedy = "Set release = true (and deletion = 'keep') in the section of the iCloud account."
        raise NeedsHuman("no source may be freed", issue="release.off", remedy=remedy)


class Planned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`assessed`: how many photos were looked at."""

    plan: Plan
    assessed: int


class PlanRelease(Command[Planned], frozen=True, kw_only=True):
    """List what may go within today's limits, with the code that confirms exactly this list."""

    name: ClassVar[str] = "release_plan"

    def look(self, context: Context) -> _Proved:
        return _prove(context)

    def run(self, context: Context) -> Planned | Refused:
        proved = context.seen
        assert isinstance(proved, _Proved)
        if (refused := proved.settle(context)) is not None:
            return refused
        settings, now_ms = proved.config.release, proved.at_ms
        plan = release_orders.plan(context.connection, proved.assessed, settings, now_ms=now_ms)
        return Planned(plan=plan, assessed=len(proved.assessed))


class Queued(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Each is proved once more before it goes."""

    count: int
    size_bytes: int


class ConfirmRelease(Command[Queued], frozen=True, kw_only=True):
    """Move the list a code was shown with to the source's bin. A wrong code counts as a try."""

    name: ClassVar[str] = "release_confirm"
    danger: ClassVar[Danger] = Danger.UNDONE_LATER
    confirm: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]] = ("code",)

    code: str

    def look(self, context: Context) -> _Proved:
        proved = _prove(context)
        if not self.code.strip():  # no try at all
            raise Permanent("give the code `mediabox release plan` printed")
        return proved

    def run(self, context: Context) -> Queued | Refused:
        proved = context.seen
        assert isinstance(proved, _Proved)
        if (refused := proved.settle(context)) is not None:
            return refused
        done = release_orders.confirm(context.connection, self.code, proved.assessed, now_ms=proved.at_ms)
        if done.refusal is not None:
            return Refused(reason=done.refusal)
        return Queued(count=done.count, size_bytes=done.size_bytes)


class Undone(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    count: int


class UndoRelease(Command[Undone], frozen=True, kw_only=True):
    """Cancel what waits and bring back what went. `what`: an order's number, a name, or `all`."""

    name: ClassVar[str] = "release_undo"

    what: str

    def run(self, context: Context) -> Undone:
        return Undone(count=len(release_orders.undo(context.connection, self.what, now_ms=context.now_ms)))
