"""Free a source of what a person confirmed: prove, write down, send, make sure. One asset at a time.

The order of a release is: read every copy again; ask the source how the asset stands;
in one transaction judge all of it, sign the certificate and write the intent (I2, I8);
send; write down the end. Whoever finds an intent without an end asks the source first:
nothing is ever sent twice without knowing what became of the first time.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.core import certify, soundness
from mediabox.core.release_orders import Allowance, hash_of, is_confirmed
from mediabox.core.timeline import timeline
from mediabox.core.verification import record
from mediabox.durable.verify import check
from mediabox.errors import Away, NeedsHuman, Permanent, Retryable
from mediabox.failpoints import fp
from mediabox.log import get_logger
from mediabox.message import Text, message
from mediabox.model.certificate import canonical
from mediabox.model.issue import Issue, Severity
from mediabox.model.ledger import Copy, CopyState
from mediabox.store import gate, journal, releases
from mediabox.store.releases import ReleaseState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.config.sections import Release as Settings
    from mediabox.contracts import Releasing, RemoteState
    from mediabox.core.certify import Assessment
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.core.signer import Signer
    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database
    from mediabox.store.releases import Release

    Proved = list[tuple[Copy, CopyState]]

log = get_logger(__name__)

MOST_NOT_DONE = 3  # what was asked for so often, and found undone, stays where it is
CONFIRMED_GOOD_MS = 3 * 86_400_000  # what waited longer is asked for anew: the person may have forgotten it


class Releases:
    """Carries out orders. Only made when the owner switched it on; `sources` are those that can."""

    def __init__(
        self,
        *,
        database: Database,
        sources: Mapping[str, Releasing],
        volumes: Mapping[str, Volume],
        signer: Signer,
        settings: Settings,
        parts: Parts,
        issues: IssueBook,
        clock: Clock,
    ) -> None:
        self._database, self._sources, self._volumes = database, sources, volumes
        self._signer, self._settings = signer, settings
        self._parts, self._issues, self._clock = parts, issues, clock
        self._policy = certify.policy_of(settings)

    async def look(self) -> None:
        """Do whatever waits and can be done now. Raises nothing a source or a disk is to blame for."""
        if not self._settings.enabled or not await self._is_timely():
            return
        # Before anything new is sent, what may have been sent is asked for.
        await self._each(await self._waiting(ReleaseState.INTENDED), self._find_out)
        await self._each(await self._waiting(ReleaseState.UNDOING, ReleaseState.RESTORING), self._restore)
        ready = await self._within_limits(await self._waiting(ReleaseState.QUEUED))
        if ready and await self._is_sound(ready):
            await self._each(ready, self._release)

    async def _each(self, waiting: list[Release], step: Callable[[Release], Awaitable[None]]) -> None:
        """One after the other; a source that cannot be worked with is left for the next look."""
        away: set[str] = set()
        for one in waiting:
            if one.source not in away and not await self._try(one, step):
                away.add(one.source)

    async def _waiting(self, *states: ReleaseState) -> list[Release]:
        """What a source we may ask, and that is there, has in these states."""
        allowed = {
            name
            for name, source in self._sources.items()
            if source.releases and not self._parts.is_resting(f"source:{name}")
        }
        found = await self._database.read(lambda connection: releases.in_state(connection, *states))
        return [one for one in found if one.source in allowed]

    async def _within_limits(self, waiting: list[Release]) -> list[Release]:
        """As many as today allows: nothing is read again that cannot go."""

        def allowed(connection: sqlite3.Connection) -> list[Release]:
            allowance = Allowance(connection, self._settings, now_ms=self._clock.wall_ms())
            return [one for one in waiting if allowance.take(one.source)]

        return await self._database.read(allowed)

    async def _try(self, one: Release, step: Callable[[Release], Awaitable[None]]) -> bool:
        """Whether the source, and the disks, could be worked with."""
        try:
            await step(one)
        except (Retryable, NeedsHuman) as error:
            log.warning("release_waits", release=one.id, source=one.source, reason=str(error))
            part = error.part if isinstance(error, Away) else f"source:{one.source}"
            if isinstance(error, Away | NeedsHuman):
                await self._parts.trip(part, error)
            return False
        return True

    # ------------------------------------------------------------ whether anything may be done at all

    async def _is_timely(self) -> bool:
        """Nothing is released by a clock that is not to be believed (I13); the issue of the next row says so."""
        return (await self._database.read(lambda connection: timeline(connection, self._clock))).doubt() is None

    async def _is_sound(self, ready: list[Release]) -> bool:
        """A catalogue that is damaged, or that somebody changed, proves nothing (I12): then nothing at all is sent."""
        unsound = await self._database.read(lambda connection: self._unsoundness(connection, ready))
        if unsound is None:
            await self._issues.close(soundness.ISSUE, soundness.SUBJECT)
            return True
        await self._issues.open(soundness.issue_of(unsound))
        return False

    def _unsoundness(self, connection: sqlite3.Connection, ready: list[Release]) -> NeedsHuman | None:
        assessed = (found for one in ready if (found := self._assess(connection, one)) is not None)
        return soundness.unsoundness(connection, *self._heads()) or certify.contradiction(assessed)

    def _heads(self) -> list[Path]:
        home = self._database.path.parent
        return [head for each in self._volumes.values() for head in soundness.heads_of(home, each.root)]

    # ------------------------------------------------------------ releasing

    async def _release(self, one: Release) -> None:
        proved = await self._prove(one)
        state = await self._state_of(one)
        if not await self._intend(one, state, proved):
            return
        fp("release.intended")
        try:
            await self._sources[one.source].release(state)
        except Permanent as error:  # nothing was done there
            await self._end(one, ReleaseState.REFUSED, "release_refused", reason=error.text)
            return
        fp("release.sent")
        await self._end(one, ReleaseState.RELEASED, "released")
        fp("release.confirmed")

    async def _prove(self, one: Release) -> Proved:
        """Read every copy that can be read once more, past the cache. Raises Away, NeedsHuman."""
        found = await self._database.read(lambda connection: certify.copies_to_prove(connection, one.remote_asset_id))
        return [
            (copy, await asyncio.to_thread(_read_again, self._volumes[copy.volume], copy))
            for copy in found
            if copy.volume in self._volumes
        ]

    async def _state_of(self, one: Release) -> RemoteState:
        """How the asset stands at its source, now."""
        states = await self._sources[one.source].state_of((one.remote_id,))
        if one.remote_id not in states:
            raise Retryable(message("{source} gave no state for {name}", source=one.source, name=one.name))
        await self._parts.returned(f"source:{one.source}")
        return states[one.remote_id]

    async def _intend(self, one: Release, state: RemoteState, proved: Proved) -> bool:
        """Judge, certify and write the intent in one transaction. Whether it may be sent."""

        def work(connection: sqlite3.Connection) -> bool:
            now_ms = self._clock.wall_ms()
            record(connection, proved, now_ms=now_ms)
            current = releases.release(connection, one.id)
            if current is None or current.state is not ReleaseState.QUEUED:
                return False  # taken back while we read
            if not Allowance(connection, self._settings, now_ms=now_ms).take(one.source):
                return False  # today's limit: it waits
            assessment = self._assess(connection, current)
            reason = self._obstacle(connection, current, state, assessment, now_ms=now_ms)
            if assessment is None or reason is not None:
                _set(connection, one, ReleaseState.REFUSED, "release_refused", now_ms=now_ms, reason=reason)
                return False
            signed = certify.certify(connection, assessment, self._policy, signer=self._signer, now_ms=now_ms)
            written = canonical(signed)
            releases.intend(connection, one.id, certificate=written.decode(), at_ms=now_ms)
            journal.append(
                connection,
                "release_intended",
                at_ms=now_ms,
                asset_id=one.asset_id,
                release=one.id,
                source=one.source,
                certificate_sha256=sha256(written).hexdigest(),
            )
            return True

        return await self._database.write(work)

    def _assess(self, connection: sqlite3.Connection, one: Release) -> Assessment | None:
        """Only copies that can be read now count."""
        candidate = gate.candidate(connection, one.remote_asset_id)
        if candidate is None:
            return None
        time = timeline(connection, self._clock)
        return certify.assess(connection, candidate, self._policy, time=time, volumes=self._volumes)

    def _obstacle(
        self,
        connection: sqlite3.Connection,
        one: Release,
        state: RemoteState,
        assessment: Assessment | None,
        *,
        now_ms: int,
    ) -> Text | None:
        """Why it stays where it is, the surest reason first; None when nothing stands in the way."""
        order = releases.order(connection, one.order_id)
        if order is None or order.confirmed_at_ms is None or assessment is None:
            return message("nobody confirmed it")
        if not is_confirmed(connection, order) or releases.last_event(connection, one) not in (
            None,
            "release_not_done",
        ):
            return message("the journal has no record of its confirmation")
        if hash_of(releases.in_order(connection, one.order_id)) != order.set_hash:
            return message("the list is not the one that was confirmed")
        if not 0 <= now_ms - order.confirmed_at_ms <= CONFIRMED_GOOD_MS:
            return message("it was confirmed more than three days ago")
        return _changed(one, state, assessment) or next(iter(assessment.obstacles), None)

    # ------------------------------------------------------------ finding out

    async def _find_out(self, one: Release) -> None:
        """An intent without an end: ask what became of it. Sending it again is another decision."""
        if await self._database.read(lambda connection: releases.last_event(connection, one)) != "release_intended":
            await self._end(
                one, ReleaseState.REFUSED, "release_refused", reason=message("the journal has no record of the request")
            )
            return
        state = await self._state_of(one)
        if state.is_trashed or state.is_gone:
            await self._end(
                one, ReleaseState.RELEASED, "released", reason=message("its answer was lost; checked afterwards")
            )
        elif state.change_tag == one.change_tag and not await self._is_hopeless(one):
            await self._end(one, ReleaseState.QUEUED, "release_not_done")
        elif state.change_tag == one.change_tag:
            reason = message("its source did not remove it after {attempts:n} attempts", attempts=MOST_NOT_DONE)
            await self._end(one, ReleaseState.REFUSED, "release_refused", reason=reason)
        else:
            reason = message("it was changed at its source in the meantime")
            await self._end(one, ReleaseState.REFUSED, "release_refused", reason=reason)

    async def _is_hopeless(self, one: Release) -> bool:
        count = await self._database.read(lambda connection: releases.times_not_done(connection, one))
        return count + 1 >= MOST_NOT_DONE

    # ------------------------------------------------------------ bringing back

    async def _restore(self, one: Release) -> None:
        """Bring it back from the bin, or find it there already: asking comes first here too."""
        state = await self._state_of(one)
        if state.is_gone:
            await self._lost(one)
            return
        if state.is_trashed:
            await self._end(one, ReleaseState.RESTORING, "release_restoring")
            try:
                await self._sources[one.source].restore(state)
            except Permanent as error:
                raise Retryable(
                    message("{name} could not be restored: {reason}", name=one.name, reason=error.text)
                ) from error
        await self._end(one, ReleaseState.RESTORED, "release_restored")

    async def _lost(self, one: Release) -> None:
        await self._end(one, ReleaseState.LOST, "release_lost")
        await self._issues.open(
            Issue(
                key="release.lost",
                subject=one.name,
                severity=Severity.WARNING,
                message=message(
                    "{name} cannot be restored: Recently Deleted of {source} has been emptied.",
                    name=one.name,
                    source=one.source,
                ),
                remedy=message("It is in the archive (`mediabox where` shows where). Upload it again from there."),
            )
        )

    async def _end(self, one: Release, state: ReleaseState, event: str, *, reason: Text | None = None) -> None:
        now_ms = self._clock.wall_ms()
        await self._database.write(lambda connection: _set(connection, one, state, event, now_ms=now_ms, reason=reason))
        log.info(event, release=one.id, asset=one.asset_id, source=one.source)


def _set(
    connection: sqlite3.Connection, one: Release, state: ReleaseState, event: str, *, now_ms: int, reason: Text | None
) -> None:
    releases.set_state(connection, one.id, state, at_ms=now_ms, reason=reason)
    journal.append(
        connection,
        event,
        at_ms=now_ms,
        asset_id=one.asset_id,
        release=one.id,
        source=one.source,
        remote_id=one.remote_id,
        reason=reason,
    )


def _read_again(volume: Volume, copy: Copy) -> CopyState:
    return check(volume, copy.path, digest=copy.digest, size_bytes=copy.size_bytes).state


def _changed(one: Release, state: RemoteState, assessment: Assessment) -> Text | None:
    """How the source's asset differs from the one that was downloaded and confirmed."""
    if state.is_gone or state.is_trashed:
        return message("it is no longer at its source")
    if not state.change_tag == one.change_tag == assessment.candidate.change_tag:
        return message("it was changed at its source after it was downloaded")
    if state.obstacle is not None:
        return state.obstacle
    proved = {(proof.remote_id, proof.version) for proof in assessment.resources}
    missing = [each.name for each in state.resources if (each.remote_id, each.version) not in proved]
    if missing or not state.resources:
        return (
            message("not archived: {files}", files=", ".join(missing))
            if missing
            else message("none of its files is archived")
        )
    return None
