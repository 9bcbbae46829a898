"""Rest, go on, try again, and mean many deletions."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import plan, switches
from mediabox.core.commands.contract import Command, Context, Danger
from mediabox.core.failures import FAILED
from mediabox.model.actor import Role
from mediabox.store import assets, issues, jobs, volumes


class Paused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    until_ms: int | None


class Pause(Command[Paused], frozen=True, kw_only=True):
    """Start no new step until `until_ms` (Unix ms), or until `Resume`. What runs is finished."""

    name: ClassVar[str] = "pause"
    role: ClassVar[Role] = Role.FAMILY

    until_ms: int | None = None

    def run(self, context: Context) -> Paused:
        switches.set_rest(context.connection, switches.Rest(until_ms=self.until_ms))
        context.record("paused", until_ms=self.until_ms)
        return Paused(until_ms=self.until_ms)


class Resumed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    was_paused: bool


class Resume(Command[Resumed], frozen=True, kw_only=True):
    name: ClassVar[str] = "resume"
    role: ClassVar[Role] = Role.FAMILY

    def run(self, context: Context) -> Resumed:
        was_paused = volumes.switch(context.connection, switches.PAUSED) is not None
        switches.set_rest(context.connection, None)
        if was_paused:
            context.record("resumed")
        return Resumed(was_paused=was_paused)


class Retried(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    count: int


class Retry(Command[Retried], frozen=True, kw_only=True):
    """Queue every failed step and every quarantined file anew."""

    name: ClassVar[str] = "retry"
    role: ClassVar[Role] = Role.FAMILY

    def run(self, context: Context) -> Retried:
        connection = context.connection
        count = jobs.retry_failed(connection)
        for resource in assets.quarantined(connection):
            assets.set_seen(connection, resource.id)
            for request in plan.after_taking_in(resource.id, resource.kind):
                count += jobs.add(connection, request) is not None
        issues.close_all(connection, FAILED)
        context.record("retried", count=count)
        return Retried(count=count)


class DeletionsAllowed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    until_ms: int


class AllowDeletions(Command[DeletionsAllowed], frozen=True, kw_only=True):
    """For a day the archive follows deletions however many they are; what goes stays in the trash for 30 days."""

    name: ClassVar[str] = "allow_deletions"
    danger: ClassVar[Danger] = Danger.UNDONE_LATER
    confirm: ClassVar[bool] = True

    def run(self, context: Context) -> DeletionsAllowed:
        switches.allow_deletions(context.connection, now_ms=context.now_ms)
        context.record("mass_deletion_allowed")
        return DeletionsAllowed(until_ms=context.now_ms + switches.ALLOWED_MS)
