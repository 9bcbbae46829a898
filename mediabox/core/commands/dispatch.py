"""The one door: permission, one transaction, the journal with the actor, a wake-up, a typed result or refusal.

A refusal is logged and leaves no row: the journal keeps what changed, and nobody who may do
nothing can make it grow.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mediabox.core import access
from mediabox.core.commands.contract import Command, Context, Refused
from mediabox.errors import NeedsHuman, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.store import journal
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from mediabox.model.actor import Actor
    from mediabox.store.database import Database

log = get_logger(__name__)

R = TypeVar("R")


def execute(
    connection: sqlite3.Connection,
    command: Command[R],
    actor: Actor,
    *,
    now_ms: int,
    wake: Callable[[], object] = lambda: None,
) -> R | Refused:
    """Do it, durably, or nothing of it. `wake`: who has to look at the store afterwards."""
    if (refused := _not_allowed(command, actor)) is not None:
        return refused
    try:
        seen = command.look(Context(connection=connection, actor=actor, now_ms=now_ms))
        with transaction(connection):
            result = perform(connection, command, actor, now_ms=now_ms, seen=seen)
    except (NeedsHuman, Permanent, Retryable) as error:
        result = Refused.by(error)
    return _followed(result, command, actor, wake)


async def execute_in(
    database: Database,
    command: Command[R],
    actor: Actor,
    *,
    now_ms: int,
    wake: Callable[[], object] = lambda: None,
) -> R | Refused:
    """The same inside the daemon, by its one writer."""
    if (refused := _not_allowed(command, actor)) is not None:
        return refused
    result: R | Refused
    try:
        seen = await database.read(lambda c: command.look(Context(connection=c, actor=actor, now_ms=now_ms)))
        result = await database.write(partial(perform, command=command, actor=actor, now_ms=now_ms, seen=seen))
    except (NeedsHuman, Permanent, Retryable) as error:
        result = Refused.by(error)
    return _followed(result, command, actor, wake)


def perform(
    connection: sqlite3.Connection, command: Command[R], actor: Actor, *, now_ms: int, seen: object = None
) -> R | Refused:
    """The handler alone, in the caller's transaction: for work of the box that is a part of more."""
    with journal.acting(connection, str(actor)):
        return command.run(Context(connection=connection, actor=actor, now_ms=now_ms, seen=seen))


def _not_allowed(command: Command[R], actor: Actor) -> Refused | None:
    reason = access.refusal(actor, type(command))
    if reason is None:
        return None
    log.warning("command_not_allowed", command=command.name, actor=str(actor))
    return Refused(reason=reason, remedy="Ask who administers this box.")


def _followed(result: R | Refused, command: Command[R], actor: Actor, wake: Callable[[], object]) -> R | Refused:
    if isinstance(result, Refused):
        log.info("command_refused", command=command.name, actor=str(actor))
    else:
        wake()
    return result
