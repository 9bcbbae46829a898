"""What people say of deliveries: it is there, send it again, take it off the phone."""

from core.catalogue_of import NOW_MS
from core.delivering.wishing import Shelf, WishingDestination, clip, still

from mediabox.core.delivering import orders
from mediabox.core.delivering.deliveries import Deliveries
from mediabox.model.delivery import DeliveryState
from mediabox.store import deliveries

ACCEPTED, STORED, FREED, DOUBTED = (
    DeliveryState.ACCEPTED,
    DeliveryState.STORED,
    DeliveryState.FREED,
    DeliveryState.DOUBTED,
)


async def laid_out(shelf: Shelf) -> None:
    """One of each state a person may have to do with: a doubted, b stored, c freed, d accepted."""
    for name in "abcd":
        await shelf.put(name, still(name), clip(name))
    await shelf.plan_all()
    await shelf.accept(*(f"{name}.JPG" for name in "abcd"))
    for name, state in (("a", DOUBTED), ("b", STORED), ("c", FREED)):
        await shelf.show(f"{name}.JPG", state)


async def order(shelf: Shelf, what, **more: int) -> int:
    return await shelf.box.database.write(lambda connection: what(connection, "anna", now_ms=NOW_MS, **more))


async def states(shelf: Shelf) -> dict[str, DeliveryState]:
    return {one.name: one.state for one in await shelf.all()}


def service(shelf: Shelf) -> Deliveries:
    box = shelf.box
    return Deliveries(
        database=box.database,
        pipeline=box._pipeline(),
        parts=box.parts,
        issues=box.issues,
        bus=box.bus,
        clock=box.clock,
    )


async def test_a_word_ends_the_doubt_and_proves_nothing(shelf) -> None:
    await laid_out(shelf)

    assert await order(shelf, orders.believe) == 1

    assert (await states(shelf))["a.JPG"] is DeliveryState.BELIEVED
    assert await shelf.copies("a/original") == []
    assert await order(shelf, orders.believe) == 0


async def test_what_is_sent_again_goes_under_a_name_of_its_own_and_once(shelf, anna) -> None:
    await laid_out(shelf)

    assert await order(shelf, orders.resend) == 1
    assert await order(shelf, orders.resend) == 0

    found = await states(shelf)
    assert (found["a.JPG"], found["a-2.JPG"]) == (DeliveryState.WITHDRAWN, DeliveryState.QUEUED)
    again = await shelf.the("a-2.JPG")
    assert again.clip_id is not None


async def test_what_is_sent_again_still_goes_when_its_asset_is_looked_at_anew(shelf, anna) -> None:
    await laid_out(shelf)
    await order(shelf, orders.resend)

    await shelf.note("told", "a/original")
    await shelf.plan(anna)
    await shelf.plan(WishingDestination(rules="other"))

    assert (await states(shelf))["a-2.JPG"] is DeliveryState.QUEUED
    assert len(await shelf.all()) == 5


async def test_what_was_refused_goes_once_more(shelf, anna) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    one = await shelf.the("a.JPG")
    await shelf.box.database.write(
        lambda connection: deliveries.set_state(connection, one.id, DeliveryState.REFUSED, at_ms=NOW_MS)
    )

    assert await order(shelf, orders.resend) == 1

    assert (await states(shelf))["a-2.JPG"] is DeliveryState.QUEUED


async def test_only_what_the_phone_has_shown_to_have_is_taken_off_it(shelf) -> None:
    await laid_out(shelf)

    assert await order(shelf, orders.clear, older_than_ms=NOW_MS - 1) == 0
    assert await order(shelf, orders.clear, older_than_ms=NOW_MS) == 1

    found = await states(shelf)
    assert found["b.JPG"] is DeliveryState.WITHDRAWN
    assert found["d.JPG"] is ACCEPTED


async def test_what_was_taken_off_is_not_sent_again_by_itself(shelf) -> None:
    await laid_out(shelf)
    await order(shelf, orders.clear, older_than_ms=NOW_MS)

    await shelf.plan(WishingDestination(rules="other"))

    assert len(await shelf.all()) == 4


async def test_the_daemon_takes_out_once_what_people_decided(shelf, anna) -> None:
    await laid_out(shelf)
    await order(shelf, orders.clear, older_than_ms=NOW_MS)
    await order(shelf, orders.resend)

    await service(shelf).look(anna)
    await service(shelf).look(anna)

    assert sorted(anna.withdrew) == ["a.JPG", "b.JPG"]
