"""The one door for commands: who may, what is written, by whom, and what a refusal or a crash leaves."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from core.catalogue_of import NOW_MS, Catalogued

from mediabox import failpoints
from mediabox.core import access, switches
from mediabox.core.commands import dispatch
from mediabox.core.commands.contract import Command, Context, Danger, Refused
from mediabox.core.commands.control import Pause, Paused
from mediabox.core.commands.registry import COMMANDS, Registry
from mediabox.errors import NeedsHuman, Permanent, Retryable
from mediabox.model.actor import Actor, ActorKind, Role
from mediabox.store import journal, volumes
from mediabox.store.database import Database, open_beside

ANNA = Actor(kind=ActorKind.CONSOLE, name="anna", role=Role.ADMIN)


# sha256sum of 32 NULs and `1 1000 paused None None {"until_ms":null}` with a NUL for each space
BEFORE = "436ec7bbf3b0dfec76233c71c700d5d06154e2528bc691b37728920d5b31ce26"


class Greeted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    words: str


class Greet(Command[Greeted], frozen=True, kw_only=True):
    """A command nobody knew of before."""

    name: ClassVar[str] = "greet"
    role: ClassVar[Role] = Role.UPLOADER
    secrets: ClassVar[tuple[str, ...]] = ("password",)

    whom: str
    password: str = ""
    ends: str = "well"

    def run(self, context: Context) -> Greeted | Refused:
        volumes.set_switch(context.connection, "greeted", self.whom)
        context.record("greeted", whom=self.whom)
        match self.ends:
            case "refused":
                return Refused(reason="not today", remedy="come again")
            case "permanent":
                raise Permanent("never")
            case "person":
                raise NeedsHuman("a person", issue="greeting.person", remedy="ask one")
            case "later":
                raise Retryable("later")
            case "bug":
                raise ZeroDivisionError
        return Greeted(words=f"Hello {self.whom}")


class Destroy(Command[None], frozen=True, kw_only=True):
    name: ClassVar[str] = "destroy"
    danger: ClassVar[Danger] = Danger.FOR_GOOD


def actor(role: Role, kind: ActorKind = ActorKind.PERSON) -> Actor:
    return Actor(kind=kind, name="someone", role=role)


# ---------------------------------------------------------------- who may

MAY = {  # written out, so that a change of the table is seen
    Role.ADMIN: {Role.ADMIN, Role.FAMILY, Role.UPLOADER, Role.VIEWER},
    Role.FAMILY: {Role.FAMILY, Role.UPLOADER, Role.VIEWER},
    Role.UPLOADER: {Role.UPLOADER},
    Role.VIEWER: {Role.VIEWER},
}
WHOSE = {
    "pause": Role.FAMILY,
    "resume": Role.FAMILY,
    "retry": Role.FAMILY,
    "scan": Role.FAMILY,
    "allow_deletions": Role.ADMIN,
    "sign_in": Role.FAMILY,
    "sign_out": Role.ADMIN,
    "delivery_confirm": Role.ADMIN,
    "delivery_resend": Role.FAMILY,
    "delivery_withdraw": Role.ADMIN,
    "delivery_count": Role.FAMILY,
    "device_report": Role.UPLOADER,
    "release_plan": Role.ADMIN,
    "release_confirm": Role.ADMIN,
    "release_undo": Role.ADMIN,
    "setting_set": Role.ADMIN,
    "setting_unset": Role.ADMIN,
    "erase_plan": Role.ADMIN,
    "erase_confirm": Role.ADMIN,
    "erase_lift": Role.ADMIN,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_role_may_give_its_own_commands_and_no_other(role: Role, command: type[Command]) -> None:
    assert access.may(actor(role), command) == (WHOSE[command.name] in MAY[role])


@pytest.mark.parametrize("kind", ActorKind)
def test_what_can_do_harm_is_for_people_at_the_page_or_the_console(kind: ActorKind) -> None:
    may = access.may(actor(Role.ADMIN, kind), Destroy)

    assert may == (kind in (ActorKind.PERSON, ActorKind.CONSOLE))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_says_what_it_is(command: type[Command]) -> None:
    assert command.name.replace("_", "").isalpha()
    assert command.danger is Danger.NONE or command.confirm
    assert set(command.secrets) <= set(command.__struct_fields__)
    assert command.run is not Command.run


async def test_who_may_not_changes_nothing_and_wakes_nobody(box: Catalogued) -> None:
    woken: list[int] = []

    refused = await dispatch.execute_in(
        box.database, Pause(), actor(Role.VIEWER), now_ms=NOW_MS, wake=lambda: woken.append(1)
    )

    assert isinstance(refused, Refused)
    assert "family" in refused.reason
    assert "someone" in refused.reason
    assert await box.ask(lambda connection: switches.rest_at(connection, now_ms=NOW_MS)) is None
    assert (await box.ask(journal.last))[0] == 0
    assert woken == []


# ---------------------------------------------------------------- what is written


async def test_a_command_is_in_the_journal_with_who_gave_it(box: Catalogued) -> None:
    done = await dispatch.execute_in(box.database, Pause(until_ms=NOW_MS + 1), ANNA, now_ms=NOW_MS)

    assert done == Paused(until_ms=NOW_MS + 1)
    assert [(event, json.loads(fields)) for event, fields in await box.rows("SELECT event, fields FROM journal")] == [
        ("paused", {"until_ms": NOW_MS + 1, "actor": "console:anna"})
    ]


async def test_what_the_box_writes_by_itself_afterwards_has_no_actor(box: Catalogued) -> None:
    await dispatch.execute_in(box.database, Pause(), ANNA, now_ms=NOW_MS)
    with pytest.raises(ZeroDivisionError):
        await dispatch.execute_in(box.database, Greet(whom="ben", ends="bug"), ANNA, now_ms=NOW_MS)
    await box.database.write(lambda connection: journal.append(connection, "own", at_ms=NOW_MS))

    fields = [json.loads(row[0]) for row in await box.rows("SELECT fields FROM journal ORDER BY seq")]
    assert [one.get("actor") for one in fields] == ["console:anna", None]


async def test_the_chain_holds_over_rows_with_and_without_an_actor_and_shows_a_changed_one(box: Catalogued) -> None:
    await box.database.write(lambda connection: journal.append(connection, "before", at_ms=NOW_MS, count=1))
    await dispatch.execute_in(box.database, Pause(), ANNA, now_ms=NOW_MS)
    await box.database.write(lambda connection: journal.append(connection, "after", at_ms=NOW_MS))
    assert await box.ask(journal.first_broken_link) is None

    await box.database.write(
        lambda connection: connection.execute("UPDATE journal SET fields = replace(fields, 'anna', 'ben ')")
    )

    assert await box.ask(journal.first_broken_link) == 2


def test_a_row_of_before_there_were_actors_has_the_hash_it_always_had() -> None:
    row = (1, 1000, "paused", None, None, '{"until_ms":null}')

    assert journal.chain(journal.GENESIS, row).hex() == BEFORE


# ---------------------------------------------------------------- refusals, crashes


@pytest.mark.parametrize(
    ("ends", "refused"),
    [
        ("permanent", Refused(reason="never")),
        ("person", Refused(reason="a person", remedy="ask one", issue="greeting.person")),
        ("later", Refused(reason="later", is_for_later=True)),
    ],
)
async def test_a_handler_that_raises_refuses_and_leaves_no_trace(box: Catalogued, ends: str, refused: Refused) -> None:
    assert await dispatch.execute_in(box.database, Greet(whom="ben", ends=ends), ANNA, now_ms=NOW_MS) == refused

    assert await box.ask(volumes.switch, "greeted") is None
    assert (await box.ask(journal.last))[0] == 0


async def test_a_refusal_that_is_returned_keeps_what_it_counted(box: Catalogued) -> None:
    refused = await dispatch.execute_in(box.database, Greet(whom="ben", ends="refused"), ANNA, now_ms=NOW_MS)

    assert refused == Refused(reason="not today", remedy="come again")
    assert await box.ask(volumes.switch, "greeted") == "ben"


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (Refused(reason="r"), Permanent),
        (Refused(reason="r", is_for_later=True), Retryable),
        (Refused(reason="r", issue="a.b"), NeedsHuman),
    ],
)
def test_a_refusal_is_an_error_for_who_would_rather_catch_it(refused: Refused, kind: type[Exception]) -> None:
    assert type(refused.error()) is kind


def test_beside_a_daemon_it_is_the_same_door(tmp_path: Path) -> None:
    woken: list[int] = []
    with closing(opened(tmp_path)) as connection:
        done = dispatch.execute(connection, Pause(), ANNA, now_ms=NOW_MS, wake=lambda: woken.append(1))
        refused = dispatch.execute(
            connection, Greet(whom="ben", ends="permanent"), ANNA, now_ms=NOW_MS, wake=lambda: woken.append(2)
        )

        assert (done, refused) == (Paused(until_ms=None), Refused(reason="never"))
        assert [one.fields["actor"] for one in journal_rows(connection)] == ["console:anna"]
    assert woken == [1]


@pytest.mark.parametrize(("point", "is_kept"), [("journal.before_commit", False), ("journal.committed", True)])
def test_a_crash_leaves_all_of_a_command_or_nothing(tmp_path: Path, point: str, is_kept: bool) -> None:
    opened(tmp_path).close()
    child = os.fork()
    if child == 0:
        failpoints._ARMED, failpoints._left = point, 1
        try:
            asyncio.run(_pause(tmp_path))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)

    with closing(open_beside(tmp_path / "mediabox.db")) as connection:
        assert (switches.rest_at(connection, now_ms=NOW_MS) is not None) == is_kept
        assert [one.event for one in journal_rows(connection)] == (["paused"] if is_kept else [])
        assert journal.first_broken_link(connection) is None


async def _pause(home: Path) -> None:
    async with Database(home / "mediabox.db") as database:
        await dispatch.execute_in(database, Pause(), ANNA, now_ms=NOW_MS)


# ---------------------------------------------------------------- a command that is new


async def test_a_new_command_is_one_class_that_is_handed_to_the_registry(box: Catalogued) -> None:
    registry = Registry((*COMMANDS, Greet))

    command = registry.parse("greet", {"whom": "ben", "password": "hunter2"})
    done = await dispatch.execute_in(box.database, command, actor(Role.UPLOADER), now_ms=NOW_MS)

    assert done == Greeted(words="Hello ben")
    assert "hunter2" not in repr(command)
    assert "hunter2" not in str(await box.rows("SELECT * FROM journal"))


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("greet", {"whom": "ben"}, "there is no command 'greet'"),
        ("pause", {"until": 3}, "unknown field"),
        ("pause", {"until_ms": "soon"}, "until_ms"),
        ("scan", {}, "sources"),
    ],
)
def test_words_that_mean_no_command_are_refused(name: str, parameters: dict, words: str) -> None:
    with pytest.raises(Permanent, match=words):
        Registry().parse(name, parameters)


def opened(home: Path) -> sqlite3.Connection:
    async def make() -> None:
        async with Database(home / "mediabox.db"):
            pass

    asyncio.run(make())
    return open_beside(home / "mediabox.db", write=True)


def journal_rows(connection: sqlite3.Connection) -> list[journal.Entry]:
    return [journal._entry(row[:6]) for row in journal._all(connection)]
