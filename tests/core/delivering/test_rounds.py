"""How many rounds of Free up space are still to come, and how many days by the pace of late."""

from core.catalogue_of import NOW_MS
from core.delivering.test_deliveries import service  # noqa: F401 - a fixture
from core.delivering.wishing import LATER_MS, PIXEL, Shelf, still

from mediabox.cli.pixel_words import rounds_words
from mediabox.core.delivering.rounds import DAY_MS, Rounds, rounds_of
from mediabox.model.delivery import Room

SIZE = 100


async def rounds(shelf: Shelf, *, window_bytes: int, now_ms: int) -> Rounds:
    return await shelf.box.ask(
        lambda connection: rounds_of(connection, PIXEL, window_bytes=window_bytes, now_ms=now_ms)
    )


async def test_what_waits_and_what_is_there_make_the_rounds_and_the_pace_the_days(shelf: Shelf, service, anna) -> None:  # noqa: F811
    for number in range(5):
        await shelf.put(f"p{number}", still(f"p{number}", size_bytes=SIZE, taken_at_ms=NOW_MS - number))

    anna.has_room = Room(most_bytes=250)
    before = await rounds(shelf, window_bytes=250, now_ms=LATER_MS)
    await service.look(anna)
    after = await rounds(shelf, window_bytes=250, now_ms=LATER_MS)

    assert before == Rounds(taps=0, waiting_bytes=0)
    assert after == Rounds(taps=2, waiting_bytes=5 * SIZE - 2 * SIZE)


async def test_the_pace_is_that_of_the_last_days(shelf: Shelf, service, anna) -> None:  # noqa: F811
    for number in range(5):
        await shelf.put(f"p{number}", still(f"p{number}", size_bytes=SIZE, taken_at_ms=NOW_MS - number))
    anna.has_room = Room(most_bytes=250)
    await service.look(anna)
    arrived_ms = LATER_MS
    await shelf.box.database.write(
        lambda connection: connection.execute(
            "UPDATE delivery SET state = 'stored', stored_at_ms = ? WHERE state = 'admitted'", (arrived_ms,)
        )
    )

    found = await rounds(shelf, window_bytes=250, now_ms=arrived_ms + 2 * DAY_MS)

    assert found.days == 3  # 200 bytes in two days, 300 wait


def test_the_words_say_what_is_known() -> None:
    assert rounds_words(Rounds(taps=1, waiting_bytes=0)) == "1 round of Free up space still to tap; nothing more waits"
    words = rounds_words(Rounds(taps=3, waiting_bytes=12_300_000_000, days=9))
    assert words.startswith("3 rounds of Free up space still to tap; 12.3 GB wait, about 9 days")
