"""Apple's photo database, asked over HTTP. Every call goes through the budget; every error is translated here.

Raises Away (unreachable, busy, being signed in), NeedsHuman (from the sign-in, or when the
photos are closed to us), and of the two below, LibraryGone and TokenRefused.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.sources.icloud import questions, tolerant
from mediabox.sources.icloud.answers import (
    ChangesAnswer,
    DatabaseAnswer,
    Record,
    RecordsAnswer,
    Trouble,
    Zone,
    read_records,
)
from mediabox.sources.icloud.connection import AppleConnection, Unreachable
from mediabox.sources.icloud.endpoints import CLIENT_BUILD, CLIENT_MASTERING
from mediabox.sources.icloud.questions import LibraryZone, Question, Scope
from mediabox.sources.icloud.refusals import Remedy, retry_after_s, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.clock import Clock
    from mediabox.sources.icloud.budget import Budget, Call
    from mediabox.sources.icloud.session import Session

log = get_logger(__name__)

PATH = "/database/1/com.apple.photos.cloud/production"
ANSWER_S = 120.0  # a page of 200 records takes one to five seconds
LOOKUP_NAMES = 50
MOST_REFUSED = 3  # times a record may keep its page waiting
RECORD_REST_S = 60.0  # when a record is throttled, which says nothing of how long

CLOSED = message(
    "On an iPhone, open Settings, your name, iCloud, and turn on 'Access iCloud Data on the Web'. With Advanced Data "
    "Protection, allow access when a notification asks for it."
)

A = TypeVar("A")


class LibraryGone(Away):
    """Apple says that there is no such zone: a shared library that was left, or trouble that passes."""


class TokenRefused(Retryable):
    """Apple does not know the sync token (any more): everything has to be listed again."""


class SessionRefused(Retryable):
    """Within this module: sign in anew, then ask again."""


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """Records of an answer. `unreadable`: names of those Apple or we could make nothing of."""

    records: tuple[Record, ...]
    missing: tuple[str, ...] = ()  # names of what is gone
    unreadable: tuple[str, ...] = ()
    sync_token: str | None = None
    more_coming: bool = False
    marker: str | None = None  # a query: Apple knows of more


class CloudKit:
    """One account's photo database."""

    def __init__(self, connection: AppleConnection, *, budget: Budget, clock: Clock) -> None:
        self._connection = connection
        self._budget = budget
        self._clock = clock
        self._refused: Counter[str] = Counter()  # by name of a record

    async def zones(self, scope: Scope) -> list[Zone]:
        """All zones there are now."""
        answer = await self._ask(scope, "zones/list", questions.database(None), DatabaseAnswer)
        return answer.zones

    async def changes_database(self, scope: Scope, token: str | None) -> DatabaseAnswer:
        """Which zones changed since `token`; all of them without one."""
        return await self._ask(scope, "changes/database", questions.database(token), DatabaseAnswer)

    async def changes_zone(self, library: LibraryZone, token: str | None) -> Records:
        """A page of what changed since `token`, or ever. It may be empty and more still be coming."""
        answer = await self._ask_of(library, "changes/zone", questions.changes(library, token), ChangesAnswer)
        names = (None, library.name)
        zone = next((one for one in answer.zones if (one.zone_id and one.zone_id.zone_name) in names), None)
        if zone is None:
            raise Retryable(message("iCloud returned no changes for {library}", library=library.name))
        return self._read(zone.records, sync_token=zone.sync_token, more_coming=bool(zone.more_coming))

    async def query(self, library: LibraryZone, question: Question) -> Records:
        """A page of an index."""
        answer = await self._ask_of(library, "records/query", question, RecordsAnswer)
        page = self._read(answer.records, sync_token=answer.sync_token)
        return msgspec.structs.replace(page, marker=answer.continuation_marker)

    async def lookup(self, library: LibraryZone, names: Iterable[str]) -> tuple[dict[str, Record], set[str]]:
        """(records by name, names of which Apple said nothing). What is gone is in neither. Asks for 50 at a time."""
        found: dict[str, Record] = {}
        wanted = list(dict.fromkeys(names))
        unsaid = set(wanted)
        for start in range(0, len(wanted), LOOKUP_NAMES):
            question = questions.lookup(library, wanted[start : start + LOOKUP_NAMES])
            page = self._read((await self._ask_of(library, "records/lookup", question, RecordsAnswer)).records)
            found |= {record.record_name: record for record in page.records if not record.is_tombstone}
            unsaid -= {*(record.record_name for record in page.records), *page.missing}
        return found, unsaid

    async def modify(self, library: LibraryZone, question: Question) -> Records:
        """Change records, all or none. What became of each is in its record, errors too."""
        answer = await self._ask_of(library, "records/modify", question, RecordsAnswer)
        records, unreadable = read_records(answer.records)
        return Records(records=records, unreadable=unreadable, sync_token=answer.sync_token)

    def _read(self, raws: list[msgspec.Raw], *, sync_token: str | None = None, more_coming: bool = False) -> Records:
        """Take out what is no record.

        A refusal that stands in for one is a refusal of the whole page; but a record that is refused again and
        again is that record's trouble, and the others are not kept waiting for it.
        """
        records, unreadable = read_records(raws)
        good, missing = [], []
        for record in records:
            if record.server_error_code is None:
                good.append(record)
            elif record.server_error_code in ("NOT_FOUND", "UNKNOWN_ITEM"):
                missing.append(record.record_name)
            else:
                self._judge(record)
                unreadable = (*unreadable, record.record_name)
        return Records(
            records=tuple(good), missing=tuple(missing), unreadable=unreadable,
            sync_token=sync_token, more_coming=more_coming,
        )  # fmt: skip

    def _judge(self, record: Record) -> None:
        """Raises Away for a refusal that may pass."""
        trouble = Trouble(server_error_code=record.server_error_code, reason=record.reason)
        verdict = verdict_on(200, trouble)
        if verdict not in (Remedy.BUSY, Remedy.EXPIRED, Remedy.CLOSED):
            return
        self._refused[record.record_name] += 1
        if self._refused[record.record_name] > MOST_REFUSED:
            return
        if verdict is not Remedy.BUSY:
            self._connection.expired()
        raise Away(
            message("iCloud answered {answer} for a record", answer=_summary(200, trouble)),
            part=self._connection.part,
            retry_after_s=RECORD_REST_S,
        )

    # -- one call

    async def _ask_of(self, library: LibraryZone, path: str, question: Question, kind: type[A]) -> A:
        """Ask about one library. Raises LibraryGone, which lets that library alone rest."""
        try:
            return await self._ask(library.scope, path, question, kind)
        except LibraryGone as err:
            raise LibraryGone(err.text, part=f"{self._connection.part}/{library.name}") from err

    async def _ask(self, scope: Scope, path: str, question: Question, kind: type[A]) -> A:
        """Ask, and once more after signing in anew if the session was refused."""
        body = msgspec.json.encode(question)
        session = await self._connection.session()
        try:
            return await self._once(session, scope, path, body, kind)
        except SessionRefused:
            log.info("icloud_session_refused", source=self._connection.name, endpoint=path)
            self._connection.expired(session)
        session = await self._connection.session()
        try:
            return await self._once(session, scope, path, body, kind)
        except SessionRefused as err:
            self._connection.expired(session)
            raise Away(
                message("{reason}, also after signing in again", reason=err.text),
                part=self._connection.part,
                retry_after_s=60.0,
            ) from err

    async def _once(self, session: Session, scope: Scope, path: str, body: bytes, kind: type[A]) -> A:
        http = await self._connection.http()
        url = f"{session.photos_url}{PATH}/{scope}/{path}"
        headers = self._connection.headers_for(url, {"Content-Type": "text/plain"})
        async with self._budget.call(path, account=self._connection.name) as call:
            try:
                async with (
                    asyncio.timeout(ANSWER_S),
                    http.post(url, data=body, params=_params(session), headers=headers, allow_redirects=False) as got,
                ):
                    content = await got.read()
                    status = got.status
                    set_cookies = got.headers.getall("Set-Cookie", ())
                    asked_s = retry_after_s(got.headers, now_ms=self._clock.wall_ms())
            except Unreachable as err:
                raise self._connection.away(err, path) from err
            trouble = _trouble_in(content, status, asked_s)
            self._refuse(status, trouble, call, session, path)
            self._connection.received(session, url, set_cookies)
            answer = self._decode(content, kind, path, call)
            for zone in answer.zones if isinstance(answer, ChangesAnswer) else ():
                self._refuse(200, zone, call, session, path)  # an error under its zone inside a 200
            return answer

    def _decode(self, content: bytes, kind: type[A], path: str, call: Call) -> A:
        try:
            return tolerant.decode(content, kind)
        except msgspec.DecodeError as err:
            call.fail()
            start = content[:40].decode("ascii", "replace")
            what = message(
                "iCloud sent an unreadable answer to {path} ({size:bytes}, {start}: {reason})",
                path=path,
                size=len(content),
                start=repr(start),
                reason=str(err),
            )
            raise Away(what, part=self._connection.part) from err

    def _refuse(self, status: int, trouble: Trouble, call: Call, session: Session, path: str) -> None:
        """Tell the budget, and raise what a refusal means; nothing for what is none."""
        verdict = verdict_on(status, trouble)
        if verdict is None:
            return
        what = message("iCloud answered {answer} to {path}", answer=_summary(status, trouble), path=path)
        part, asked_s = self._connection.part, trouble.retry_after
        match verdict:
            case Remedy.BUSY:
                call.refuse(retry_after_s=asked_s)
                raise Away(what, part=part, retry_after_s=asked_s)
            case Remedy.EXPIRED:
                call.refuse_account()
                raise SessionRefused(what)
            case Remedy.CLOSED:
                call.refuse_account()
                self._connection.expired(session)  # the sign-in finds out which of the two it is, and says so better
                raise NeedsHuman(what, issue="icloud.closed", subject=self._connection.name, remedy=CLOSED)
            case Remedy.ZONE_GONE:
                raise LibraryGone(what, part=part)
            case Remedy.BAD_TOKEN:
                raise TokenRefused(what)
            case Remedy.UNKNOWN if path.startswith("changes/") and trouble.server_error_code == "BAD_REQUEST":
                raise TokenRefused(what)  # all else that is asked there is as it ever was
            case Remedy.UNKNOWN:
                call.fail()
                raise Retryable(what)


def _params(session: Session) -> dict[str, str]:
    return {
        "clientBuildNumber": CLIENT_BUILD,
        "clientMasteringNumber": CLIENT_MASTERING,
        "clientId": session.client_id,
        "dsid": session.dsid,
        "remapEnums": "True",
        "getCurrentSyncToken": "True",  # no token comes without it
    }


def _trouble_in(content: bytes, status: int, asked_s: float | None) -> Trouble:
    """What the body says of an error, with the wait its header asked for."""
    if status == 200 and b"serverErrorCode" not in content and b'"error"' not in content:
        return Trouble()
    try:
        trouble = tolerant.decode(content, Trouble)
    except msgspec.DecodeError:
        trouble = Trouble()
    return msgspec.structs.replace(trouble, retry_after=asked_s if asked_s is not None else trouble.retry_after)


def _summary(status: int, trouble: Trouble) -> str:
    """An answer in a few words for a message: never more of the body."""
    words = [str(status), trouble.server_error_code or "", (trouble.reason or "")[:80]]
    return " ".join(word for word in words if word)
