"""Prove everything again, and go on from there: the way out when the catalogue could not be believed.

Reads every copy past the cache and holds bytes, catalogue and journal against each other.
Only when no SHA-256 differs is the state signed, and a row of the journal says that a person
wanted it. Waiting times begin anew with that row: what was written before proves no time. What
rows that nobody signed say of where bytes came from does not count any more: whoever put a bad
file there can have written them, too (`mediabox adopt --prove` asks Apple's checksum).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mediabox.core import soundness
from mediabox.core.certify import disagreements
from mediabox.core.timeline import beat
from mediabox.core.verification import Verification
from mediabox.errors import NeedsHuman
from mediabox.message import Text, message
from mediabox.model.actor import SYSTEM, Actor
from mediabox.model.asset import ResourceState
from mediabox.model.ledger import CopyState
from mediabox.store import copies, gate, journal, witness
from mediabox.store.keyed import KEY, KEYS, has_key
from mediabox.store.witness import NAME

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.core.verification import Report
    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database
    from mediabox.store.gate import Filed

SHOWN = 5


async def accept(
    database: Database,
    volume: Volume,
    clock: Clock,
    *,
    actor: Actor = SYSTEM,
    progress: Callable[[Report], None] | None = None,
) -> int:
    """How many files were read and are vouched for from now on. `actor`: who wants it so.

    Raises NeedsHuman naming what does not agree; then nothing is signed.
    """
    if not await database.read(has_key):
        raise _keyless(database.path.parent / KEYS / KEY)
    damage = await database.read(soundness.damage_of)
    if damage is not None:
        raise _refused([damage])
    report = await Verification(database, volume, clock).round(progress=progress)
    unwhole = [f"{one.path} {one.what}" for one in (*report.damaged, *report.missing, *report.unreadable)]
    wrong = unwhole if report.whole < report.checked else await database.read(lambda one: list(_contradictions(one)))
    if wrong:
        raise _refused(wrong)
    home = database.path.parent
    heads = soundness.heads_of(home, volume.root)

    def sign(connection: sqlite3.Connection) -> None:
        with journal.acting(connection, str(actor)):
            _sign(connection, volume, clock, files=report.checked, heads=(home / NAME, *heads))

    await database.write(sign)
    await database.read(lambda connection: witness.begin_anew(connection, *heads))
    return report.checked


def _contradictions(connection: sqlite3.Connection) -> Iterator[str]:
    """Files of which catalogue, journal and disk know different bytes."""
    for one in gate.kept(connection):
        if gate.story(connection, one.id).sha256 not in (None, one.digest):
            yield f"{one.name} has another SHA-256 in the catalogue than in the journal"
        for each in copies.proofs(connection, one.id):
            if each.copy.state is CopyState.PRESENT and each.copy.digest != one.digest:
                yield f"{one.name} has a copy with another SHA-256 ({each.copy.path})"


def _sign(connection: sqlite3.Connection, volume: Volume, clock: Clock, *, files: int, heads: tuple[Path, ...]) -> None:
    now_ms, uuid = clock.wall_ms(), volume.identity.uuid
    witnessed = witness.last_witnessed_row(connection, *heads)
    for one in list(gate.kept(connection)):
        story = gate.story(connection, one.id)
        is_sure = story.came_seq <= witnessed or journal.is_signed(connection, story.came_seq)
        if not is_sure or disagreements(one, story):
            _tell_again(connection, one, uuid, now_ms=now_ms)
    copies.sign_all(connection, uuid)
    gate.sign_all(connection)
    journal.append(connection, journal.ACCEPTED, at_ms=now_ms, files=files)
    beat(connection, clock)
    soundness.thaw(connection)


def _tell_again(connection: sqlite3.Connection, one: Filed, uuid: str, *, now_ms: int) -> None:
    """The journal learns what it does not know, as of now; where the bytes came from nobody can say any more."""
    if one.state is ResourceState.DUPLICATE:
        journal.append(
            connection, "duplicate", at_ms=now_ms, resource_id=one.id, sha256=one.digest, adopted_from="unknown"
        )
        return
    journal.append(connection, "rebuilt", at_ms=now_ms, resource_id=one.id, sha256=one.digest, volume=uuid)
    if one.state is ResourceState.TRASHED:
        journal.append(connection, "trashed", at_ms=now_ms, resource_id=one.id)
    gate.set_archived_at(connection, one.id, gate.story(connection, one.id).archived_at_ms)


def _keyless(path: Path) -> NeedsHuman:
    what = message(
        "not accepted: {path}, the key that signs the catalogue, is not usable or is readable by others", path=str(path)
    )
    remedy = message(
        "If the key is yours, run `chmod 600 {path}`. Otherwise move {folder} away, start mediabox and try again.",
        path=shlex.quote(str(path)),
        folder=str(path.parent),
    )
    return soundness.unsound(what, remedy)


def _refused(wrong: Sequence[Text]) -> NeedsHuman:
    shown, more = "; ".join(map(str, wrong[:SHOWN])), len(wrong) - SHOWN
    what = (
        message("not accepted: {problems}; and {more:n} more", problems=shown, more=more)
        if more > 0
        else message("not accepted: {problems}", problems=wrong[0] if len(wrong) == 1 else shown)
    )
    remedy = message(
        "Restore these files from another copy, or the catalogue from backup/mediabox.db, and try again; or recreate "
        "the catalogue from the archive with `mediabox rebuild`."
    )
    return soundness.unsound(what, remedy)
