"""Calls that sources count are found in the status, though the daemon alone has made them."""

from collections.abc import Sequence

import msgspec

from mediabox.core.tally import Tally
from mediabox.model.status import Calls
from mediabox.store import figures
from mediabox.store.database import Database

LOOKED_UP = Calls(source="cloud", endpoint="records/lookup", calls=3, errors=1, refusals=1, waited_s=2.5)


class Quiet:
    """A source that asks no server anything."""


class Talkative:
    def __init__(self, *counted: Calls) -> None:
        self.counted: Sequence[Calls] = counted

    def figures(self) -> Sequence[Calls]:
        return self.counted


async def told(database: Database) -> tuple[Calls, ...]:
    return (await database.read(lambda connection: figures.status(connection, now_ms=0))).calls


async def changes(database: Database) -> int:
    return await database.write(lambda connection: connection.total_changes)


async def test_the_status_has_every_source_s_figures(database: Database) -> None:
    other = msgspec.structs.replace(LOOKED_UP, source="ben")

    await Tally(database, [Talkative(LOOKED_UP), Quiet(), Talkative(other)]).write()

    assert await told(database) == (LOOKED_UP, other)


async def test_what_has_not_changed_is_not_written_again(database: Database) -> None:
    source = Talkative(LOOKED_UP)
    tally = Tally(database, [source])
    await tally.write()
    before = await changes(database)

    await tally.write()
    assert await changes(database) == before

    source.counted = [msgspec.structs.replace(LOOKED_UP, calls=4)]
    await tally.write()
    assert [calls.calls for calls in await told(database)] == [4]


async def test_a_box_that_asks_no_server_anything_writes_nothing(database: Database) -> None:
    before = await changes(database)

    await Tally(database, [Quiet()]).write()

    assert await changes(database) == before


async def test_figures_of_a_source_that_was_taken_out_go_with_it(database: Database) -> None:
    await Tally(database, [Talkative(LOOKED_UP)]).write()

    await Tally(database, [Quiet()]).write()

    assert await told(database) == ()
