"""What people say of deliveries: it is there, send it again, take it off the phone."""

import pytest
from core.catalogue_of import NOW_MS
from core.delivering.wishing import Shelf, WishingDestination, clip, still

from mediabox.core import switches
from mediabox.core.delivering import orders
from mediabox.errors import Permanent
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


async def order(shelf: Shelf, what, *photos: str, **more: int) -> int:
    return await shelf.box.database.write(lambda connection: what(connection, "anna", *photos, now_ms=NOW_MS, **more))


async def states(shelf: Shelf) -> dict[str, DeliveryState]:
    return {one.name: one.state for one in await shelf.all()}


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


async def test_a_photo_that_is_named_is_taken_off_once_the_phone_has_shown_to_have_it(shelf) -> None:
    await laid_out(shelf)

    with pytest.raises(Permanent, match=r"has not shown to have d\.JPG"):
        await order(shelf, orders.withdraw, "b.JPG", "d.JPG")
    assert (await states(shelf))["b.JPG"] is DeliveryState.STORED  # all that were named, or none

    assert await order(shelf, orders.withdraw, "b.JPG", "b.JPG") == 1

    assert (await states(shelf))["b.JPG"] is DeliveryState.WITHDRAWN


async def test_what_was_taken_off_is_not_sent_again_by_itself(shelf) -> None:
    await laid_out(shelf)
    await order(shelf, orders.clear, older_than_ms=NOW_MS)

    await shelf.plan(WishingDestination(rules="other"))

    assert len(await shelf.all()) == 4


async def test_the_daemon_takes_out_once_what_people_decided(shelf, anna) -> None:
    await laid_out(shelf)
    await order(shelf, orders.clear, older_than_ms=NOW_MS)
    await order(shelf, orders.resend)

    await shelf.deliveries().look(anna)
    await shelf.deliveries().look(anna)

    assert sorted(anna.withdrew) == ["a.JPG", "b.JPG"]


async def test_one_photo_may_be_confirmed_or_sent_again_also_after_it_has_left(shelf) -> None:
    await laid_out(shelf)

    assert await order(shelf, orders.believe, "c.JPG") == 1
    assert (await states(shelf))["a.JPG"] is DOUBTED
    assert await order(shelf, orders.resend, "c.JPG") == 1  # and think better of it
    assert await order(shelf, orders.resend, "A.jpg") == 1

    found = await states(shelf)
    assert (found["c-2.JPG"], found["a-2.JPG"]) == (DeliveryState.QUEUED, DeliveryState.QUEUED)


async def test_a_photo_is_named_as_it_was_delivered_or_as_it_was_shot(shelf) -> None:
    await shelf.put("x", still("x", file="IMG_1.JPG"))
    await shelf.put("y", still("y", file="IMG_1.JPG"))
    await shelf.put("z", still("z", file="z.JPG"))
    await shelf.plan_all()
    names = [one.name for one in await shelf.all()]
    await shelf.accept(*names)
    for name in names:
        await shelf.show(name, FREED)

    digest = (await shelf.box.file("z/original")).digest
    assert await order(shelf, orders.resend, digest) == 1
    assert await order(shelf, orders.resend, names[1]) == 1
    with pytest.raises(Permanent, match="nothing that went to anna"):
        await order(shelf, orders.resend, "unknown.JPG")


@pytest.mark.parametrize("name", ["b.JPG", "d.JPG"])
@pytest.mark.parametrize("what", [orders.believe, orders.resend])
async def test_what_is_on_its_way_or_there_is_neither_confirmed_nor_sent_again(shelf, what, name) -> None:
    await laid_out(shelf)
    before = await states(shelf)

    with pytest.raises(Permanent, match="neither unverified nor gone"):
        await order(shelf, what, "a.JPG", name)

    assert await states(shelf) == before


async def test_a_word_without_names_leaves_what_has_left_alone(shelf) -> None:
    await laid_out(shelf)

    await order(shelf, orders.believe)
    await order(shelf, orders.resend)

    assert (await states(shelf))["c.JPG"] is FREED


@pytest.mark.parametrize(("shown", "is_equal"), [(1, True), (0, False), (2, False)])
async def test_the_number_on_the_phones_screen_is_kept_beside_ours(shelf, shown, is_equal) -> None:
    await laid_out(shelf)

    await order(shelf, orders.count, shown)

    kept = await shelf.box.ask(lambda connection: switches.count_of(connection, "anna"))
    assert (kept.shown == kept.on_phone) is is_equal
    assert (kept.on_phone, kept.at_ms) == (1, NOW_MS)
