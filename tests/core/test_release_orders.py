"""Lists of what may be freed, and the code that confirms exactly one of them: I19, decided on rows alone."""

from collections.abc import Sequence

import msgspec
import pytest
from core.catalogue_of import DAY_MS, NOW_MS, Catalogued, ScriptedSource, original, photo

from mediabox.config.sections import Release as Settings
from mediabox.core import release_orders
from mediabox.core.certify import Assessment
from mediabox.core.release_orders import CODE_GOOD_MS, Confirmation, Plan
from mediabox.store import gate, releases
from mediabox.store.releases import ReleaseState

EASY = Settings(enabled=True, copies=1, domains=1, daily_percent=5)
SECOND_MS = 1000


class Orders:
    """A library whose photos are safe to free unless a test says what stands in the way."""

    def __init__(self, box: Catalogued) -> None:
        self.box, self.settings, self.now_ms = box, EASY, NOW_MS
        self.obstacles: dict[str, tuple[str, ...]] = {}  # by remote id

    def assessed(self, connection) -> Sequence[Assessment]:
        return [
            Assessment(
                candidate=one,
                name=one.remote_id,
                size_bytes=10,
                resources=(),
                obstacles=self.obstacles.get(one.remote_id, ()),
            )
            for one in gate.candidates(connection, "cloud")
        ]

    async def plan(self) -> Plan:
        return await self.box.database.write(
            lambda connection: release_orders.plan(
                connection, self.assessed(connection), self.settings, now_ms=self.now_ms
            )
        )

    async def confirm(self, code: str | None) -> Confirmation:
        assert code is not None
        return await self.box.database.write(
            lambda connection: release_orders.confirm(connection, code, self.assessed(connection), now_ms=self.now_ms)
        )

    async def undo(self, what: str) -> list[str]:
        concerned = await self.box.database.write(
            lambda connection: release_orders.undo(connection, what, now_ms=self.now_ms)
        )
        return [one.remote_id for one in concerned]

    async def set_state(self, state: ReleaseState, **more: object) -> None:
        ((release_id,),) = await self.box.rows("SELECT max(id) FROM release")
        await self.box.database.write(
            lambda connection: releases.set_state(connection, release_id, state, at_ms=self.now_ms)
        )
        for column, value in more.items():
            await self.box.database.write(
                lambda connection, column=column, value=value: connection.execute(
                    f"UPDATE release SET {column} = ? WHERE id = ?", (value, release_id)
                )
            )

    async def states(self) -> list[str]:
        return [row[0] for row in await self.box.rows("SELECT state FROM release ORDER BY id")]

    async def events(self) -> list[str]:
        return [
            row[0] for row in await self.box.rows("SELECT event FROM journal WHERE event GLOB 'release*' ORDER BY seq")
        ]


@pytest.fixture
async def orders(box: Catalogued, cloud: ScriptedSource) -> Orders:
    cloud.say(*(photo(f"P/{number:02}", original(f"P/{number:02}", version=f"v{number}")) for number in range(40)))
    assert await box.intake.list_once(cloud) is not None
    return Orders(box)


async def test_a_list_holds_what_may_go_today_and_says_how_much_is_left_for_later(orders: Orders) -> None:
    plan = await orders.plan()

    assert (len(plan.listed), plan.safe, plan.held_back, plan.size_bytes) == (2, 40, 38, 20)  # 5 % of 40
    assert await orders.events() == ["release_planned"]


@pytest.mark.parametrize(("percent", "limit", "listed"), [(1, 200, 1), (5, 200, 2), (100, 3, 3)])
async def test_the_days_limits_are_the_owners(orders: Orders, percent: int, limit: int, listed: int) -> None:
    orders.settings = msgspec.structs.replace(EASY, daily_percent=percent, daily_limit=limit)

    assert len((await orders.plan()).listed) == listed


async def test_what_is_not_safe_is_on_no_list_and_nothing_safe_makes_no_code(orders: Orders) -> None:
    orders.obstacles = {f"P/{number:02}": ("one copy only",) for number in range(40) if number != 7}
    plan = await orders.plan()
    assert [one.remote_id for one in plan.listed] == ["P/07"]

    orders.obstacles["P/07"] = ("not read again",)
    empty = await orders.plan()
    assert (empty.code, empty.listed) == (None, ())


async def test_its_code_queues_exactly_the_list_once(orders: Orders) -> None:
    plan = await orders.plan()

    done = await orders.confirm(f" {plan.code.lower()} ")

    assert (done.refusal, done.count, done.size_bytes) == (None, 2, 20)
    assert await orders.states() == ["queued", "queued"]
    assert (await orders.confirm(plan.code)).refusal is not None
    assert await orders.events() == ["release_planned", "release_confirmed"]


async def test_what_waits_counts_towards_the_day_and_is_listed_by_no_other(orders: Orders) -> None:
    await orders.confirm((await orders.plan()).code)

    again = await orders.plan()

    assert (again.code, again.safe) == (None, 38)


async def test_a_wrong_code_is_refused_and_the_third_ends_the_list(orders: Orders) -> None:
    plan = await orders.plan()

    refusals = [(await orders.confirm("AAAAAAAA")).refusal for _ in range(3)]

    assert all(refusals)
    assert (await orders.confirm(plan.code)).refusal is not None
    assert set(await orders.states()) == {"listed"}
    assert (await orders.events()).count("release_mistyped") == 3


async def test_two_wrong_codes_leave_the_right_one_good(orders: Orders) -> None:
    plan = await orders.plan()
    for _ in range(2):
        await orders.confirm("AAAAAAAA")

    assert (await orders.confirm(plan.code)).refusal is None


@pytest.mark.parametrize(
    ("later_ms", "is_good"), [(CODE_GOOD_MS, True), (CODE_GOOD_MS + SECOND_MS, False), (-SECOND_MS, False)]
)
async def test_a_code_is_good_for_five_minutes_and_not_before_it_was_made(
    orders: Orders, later_ms: int, is_good: bool
) -> None:
    plan = await orders.plan()
    orders.now_ms += later_ms

    assert ((await orders.confirm(plan.code)).refusal is None) == is_good


async def test_an_older_lists_code_does_not_confirm_the_newer(orders: Orders) -> None:
    first, second = await orders.plan(), await orders.plan()

    assert (await orders.confirm(first.code)).refusal is not None
    assert (await orders.confirm(second.code)).refusal is None


async def test_what_is_not_safe_any_more_is_not_confirmed(orders: Orders) -> None:
    plan = await orders.plan()
    orders.obstacles[plan.listed[0].remote_id] = ("a copy is damaged",)

    assert (await orders.confirm(plan.code)).refusal is not None
    assert set(await orders.states()) == {"listed"}


async def test_a_list_that_was_changed_in_the_catalogue_is_not_confirmed(orders: Orders) -> None:
    plan = await orders.plan()
    other = await orders.box.rows("SELECT id FROM remote_asset ORDER BY id DESC LIMIT 1")
    await orders.box.database.write(
        lambda connection: connection.execute(
            "UPDATE release SET remote_asset_id = ? WHERE id = (SELECT min(id) FROM release)", other[0]
        )
    )

    assert (await orders.confirm(plan.code)).refusal is not None


async def test_without_a_list_no_code_means_anything(orders: Orders) -> None:
    assert (await orders.confirm("AAAAAAAA")).refusal is not None
    assert await orders.events() == []


async def test_what_waits_is_cancelled_and_what_went_is_to_be_brought_back(orders: Orders) -> None:
    await orders.confirm((await orders.plan()).code)
    await orders.set_state(ReleaseState.RELEASED, released_at_ms=NOW_MS)

    assert len(await orders.undo("all")) == 2

    assert await orders.states() == ["cancelled", "undoing"]
    assert (await orders.events())[-2:] == ["release_undone"] * 2


async def test_only_what_is_named_is_taken_back(orders: Orders) -> None:
    plan = await orders.plan()
    await orders.confirm(plan.code)

    assert await orders.undo(plan.listed[1].remote_id) == [plan.listed[1].remote_id]
    assert await orders.undo("of nobody") == []

    assert await orders.states() == ["queued", "cancelled"]


@pytest.mark.parametrize(("days", "state"), [(30, "undoing"), (31, "released")])
async def test_what_apple_has_emptied_by_now_is_promised_to_nobody(orders: Orders, days: int, state: str) -> None:
    await orders.confirm((await orders.plan()).code)
    await orders.set_state(ReleaseState.RELEASED, released_at_ms=NOW_MS)
    orders.now_ms += days * DAY_MS

    await orders.undo("all")

    assert (await orders.states())[1] == state
