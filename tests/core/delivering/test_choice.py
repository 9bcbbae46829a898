"""What goes is chosen from the journal, once, whatever happens in between."""

import asyncio
import sqlite3

import msgspec
import pytest
from core.catalogue_of import NOW_MS, ScriptedSource
from core.delivering.wishing import (
    LATER_MS,
    PIXEL,
    Shelf,
    WishingDestination,
    clip,
    edit,
    film,
    still,
    wish_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediabox.core.delivering import choice, orders
from mediabox.core.delivering.names import free_name
from mediabox.destinations.pixel import rules
from mediabox.destinations.pixel.settings import Settings
from mediabox.model.asset import Kind, Membership, RemoteAlbum, RemoteAsset, Role
from mediabox.model.delivery import DeliveryState, Form
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.said import Said
from mediabox.store import assets, deliveries, examined, journal, planning
from mediabox.store.database import Database

FREED, STORED, DOUBTED = DeliveryState.FREED, DeliveryState.STORED, DeliveryState.DOUBTED


def pixel(rules_: str = "1", name: str = PIXEL, **settings: object) -> WishingDestination:
    """Chooses as the real one does."""
    chosen = Settings(**settings)
    return WishingDestination(
        name, lambda asset: rules.wishes(asset, chosen), rules=rules_, query=chosen.chosen, seen_by=chosen.seen_by
    )


async def names(shelf: Shelf, destination: str = PIXEL) -> list[str]:
    return [one.name for one in await shelf.all(destination)]


async def files_of(shelf: Shelf) -> list[tuple[str, str | None]]:
    """(first, clip) of each delivery, by name of their resources."""
    named = dict(await shelf.box.rows("SELECT id, name FROM resource"))
    return [(named[one.resource_id], named[one.clip_id] if one.clip_id else None) for one in await shelf.all()]


# ---------------------------------------------------------------- from the journal


async def test_a_destination_that_comes_later_chooses_from_the_whole_archive(shelf, anna) -> None:
    for number in range(450):  # more than two batches
        await shelf.put(f"p{number}", still(f"p{number}"))
    await shelf.plan(anna)

    late = WishingDestination("later")
    await shelf.plan(late)

    assert len(set(await names(shelf))) == 450
    assert await names(shelf, "later") == await names(shelf)


async def test_an_asset_is_looked_at_once_and_again_when_it_changes(shelf, anna) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan(anna)
    await shelf.plan(anna)

    assert len(anna.asked) == 1

    await shelf.note("told", "a/original")
    await shelf.plan(anna)

    assert len(anna.asked) == 2
    assert await names(shelf) == ["a.JPG"]


async def test_the_two_halves_of_a_live_photo_go_as_one_however_far_apart_they_are_archived(shelf, anna) -> None:
    await shelf.put("a", still("a"), clip("a"), archive=False)
    await shelf.archive("a/original")
    await shelf.plan(anna)
    assert await names(shelf) == []  # its clip is on its way

    await shelf.archive("a/live", now_ms=NOW_MS + 3_600_000)
    await shelf.plan(anna, now_ms=NOW_MS + 3_700_000)

    assert await files_of(shelf) == [("a.JPG", "a.MOV")]


async def test_what_changed_just_now_is_left_alone_for_a_while(shelf, anna) -> None:
    await shelf.put("a", still("a"))

    await shelf.plan(anna, now_ms=NOW_MS + choice.SETTLED_MS - 1)
    assert await names(shelf) == []

    await shelf.plan(anna, now_ms=NOW_MS + choice.SETTLED_MS)
    assert await names(shelf) == ["a.JPG"]


async def test_asks_for_another_round_only_where_one_may_find_more(shelf, anna) -> None:
    """A file that cannot be fetched for days must not have the box look every other second."""
    await shelf.put("a", still("a"), clip("a"), archive=False)
    await shelf.archive("a/original")
    await shelf.plan(anna)

    assert not await shelf.box.ask(lambda connection: planning.is_planning(connection, PIXEL))

    await shelf.put("b", still("b"))
    await shelf.plan(anna, now_ms=NOW_MS)

    assert await shelf.box.ask(lambda connection: planning.is_planning(connection, PIXEL))


async def test_a_crash_before_the_commit_repeats_the_batch_and_nothing_else(shelf, anna) -> None:
    for number in range(30):
        await shelf.put(f"p{number}", still(f"p{number}"))

    class PowerCut(Exception):
        pass

    def cut(connection: sqlite3.Connection) -> None:
        choice.plan(connection, anna, now_ms=LATER_MS)
        raise PowerCut

    with pytest.raises(PowerCut):
        await shelf.box.database.write(cut)
    assert await names(shelf) == []

    await shelf.plan(anna)
    await shelf.plan(anna)

    assert len(await names(shelf)) == 30


# ---------------------------------------------------------------- what comes late


async def test_a_clip_that_comes_when_its_still_has_gone_goes_alone_and_only_once(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"))
    await shelf.plan(anna)
    (first,) = await names(shelf)
    await shelf.accept(first)
    await shelf.show(first, FREED)

    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan(anna)
    assert await files_of(shelf) == [("a.JPG", None), ("a.MOV", None)]

    await shelf.accept((await names(shelf))[1])
    await shelf.note("told", "a/original")
    await shelf.plan(anna)

    assert await files_of(shelf) == [("a.JPG", None), ("a.MOV", None)]


async def test_a_clip_that_comes_while_its_still_waits_goes_with_it(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"))
    await shelf.plan(anna)

    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan(anna)

    assert await files_of(shelf) == [("a.JPG", "a.MOV")]


async def test_an_edit_that_comes_when_the_original_has_gone_with_the_clip_goes_without_one(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan(anna)
    await shelf.accept(*await names(shelf))

    await shelf.put("a", still("a"), clip("a"), edit("a"))
    await shelf.plan(anna)

    assert await files_of(shelf) == [("a.JPG", "a.MOV"), ("a_E.JPG", None)]
    assert (await shelf.all())[1].form is Form.ORIGINAL


async def test_two_assets_that_turn_out_to_be_one_are_planned_as_one(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"))
    await shelf.put("b", film("b"))
    await shelf.plan(anna)
    assert await files_of(shelf) == [("a.JPG", None), ("b.MOV", None)]

    await shelf.join("b/original", "a/original", Role.LIVE_VIDEO)
    await shelf.plan(anna)

    assert await files_of(shelf) == [("a.JPG", "b.MOV")]


@pytest.mark.parametrize("gone", ["still", "film", "both"])
async def test_two_assets_that_turn_out_to_be_one_when_one_has_gone_are_not_sent_again(shelf, gone: str) -> None:
    anna = pixel()
    await shelf.put("a", still("a"))
    await shelf.put("b", film("b"))
    await shelf.plan(anna)
    first, second = await names(shelf)
    await shelf.accept(*{"still": [first], "film": [second], "both": [first, second]}[gone])

    await shelf.join("b/original", "a/original", Role.LIVE_VIDEO)
    await shelf.plan(anna)

    assert sorted(await files_of(shelf), key=str) == [("a.JPG", None), ("b.MOV", None)]


async def test_an_asset_that_was_joined_away_costs_nothing(shelf, anna) -> None:
    await shelf.put("a", still("a"))
    await shelf.put("b", film("b"))
    await shelf.box.database.write(lambda connection: planning.note_changes(connection, PIXEL, "1", limit=100))
    await shelf.join("b/original", "a/original", Role.LIVE_VIDEO)

    await shelf.plan(anna)

    assert await files_of(shelf) == [("a.JPG", "b.MOV")]


# ---------------------------------------------------------------- what is wished otherwise


async def test_what_waits_is_wished_anew_and_what_has_gone_stays(shelf) -> None:
    await shelf.put("a", still("a"))
    await shelf.put("b", still("b"))
    await shelf.plan(pixel())
    first, _ = await names(shelf)
    await shelf.accept(first)

    await shelf.plan(pixel("2", query="is:favorite"))
    assert await names(shelf) == [first]

    await shelf.plan(pixel("3"))
    assert len(await names(shelf)) == 2


SUMMER = CaptureTime(local="2024-07-12T23:59:59", offset_min=-600, source=TimeSource.EXIF_OFFSET)


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({}, "abd"),  # what is hidden at its source stays at home
        ({"query": "is:hidden"}, ""),
        ({"query": "is:favorite"}, "b"),
        ({"query": "-is:favorite"}, "ad"),
        ({"query": "kind:video"}, "d"),
        ({"query": "kind:picture"}, "ab"),
        ({"query": "is:live OR is:favorite"}, "ab"),
        ({"query": 'album="Corsica"'}, "a"),  # in a folder of albums
        ({"query": 'album="Trips / Corsica"'}, "a"),
        ({"query": "album=trips"}, ""),
        ({"query": 'person="Ben"'}, "a"),
        ({"query": "date>=2024-07-12"}, "a"),  # by the wall clock there
        ({"query": "date>=2024-07-13"}, ""),
        ({"query": "date>=1900"}, "a"),  # what has no date is older than any
        ({"sources": ("*",)}, "abd"),
        ({"sources": ("cloud",)}, "abd"),
        ({"sources": ("bob",)}, ""),
        ({"sources": ("bob",), "query": "-source:bob"}, ""),
    ],
)
async def test_what_answers_the_query_goes_and_what_is_hidden_stays(
    shelf: Shelf, settings_: dict[str, object], expected: str
) -> None:
    shelf.facts["a/original"] = Facts(
        kind=Kind.PICTURE, media_type="image/jpeg", people=("Anna", "Ben"), capture_time=SUMMER
    )
    await shelf.put("a", still("a"), clip("a"))
    await shelf.put("b", still("b"), said=Said(is_favorite=True))
    await shelf.put("c", still("c"), said=Said(is_favorite=True, is_hidden=True))
    await shelf.put("d", film("d"))
    shelf.source.say(
        albums=(
            RemoteAlbum(remote_id="trips", name="Trips", is_folder=True),
            RemoteAlbum(remote_id="corsica", name="Corsica", folder_id="trips"),
        ),
        memberships=(Membership(album_id="corsica", asset_id="a"),),
    )
    assert await shelf.box.intake.list_once(shelf.source) is not None

    await shelf.plan(pixel(**settings_))

    assert {first[:1] for first, _ in await files_of(shelf)} == set(expected)


@pytest.mark.parametrize(
    ("whose", "is_hidden", "goes"), [("bob", False, True), ("bob", True, False), ("cloud", True, True)]
)
async def test_bytes_that_two_have_go_to_the_phone_of_each_that_does_not_hide_them(
    shelf: Shelf, whose: str, *, is_hidden: bool, goes: bool
) -> None:
    bob = ScriptedSource("bob")
    bob.say(
        RemoteAsset(
            remote_id="twin",
            resources=(msgspec.structs.replace(still("a"), remote_id="twin/original"),),
            said=Said(is_hidden=is_hidden),
        )
    )
    await shelf.put("a", still("a"))
    assert await shelf.box.intake.list_once(bob) is not None
    kept, twin = await shelf.box.file("a/original"), await shelf.box.file("twin/original")

    def same_bytes(connection: sqlite3.Connection) -> None:
        assets.set_duplicate(connection, twin.id, of=kept.id, digest=kept.digest or "", size_bytes=2)
        journal.append(connection, "duplicate", at_ms=NOW_MS, resource_id=twin.id, asset_id=twin.asset_id)

    await shelf.box.database.write(same_bytes)

    await shelf.plan(pixel(sources=(whose,)))

    assert bool(await names(shelf)) is goes


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"live": "still"}, [("a_E.JPG", "a.MOV")]),
        ({"live": "still"}, {}, [("a_E.JPG", None), ("a.MOV", None)]),
        ({}, {"versions": "original"}, [("a_E.JPG", "a.MOV"), ("a.JPG", None)]),
        ({"versions": "original"}, {}, [("a.JPG", "a.MOV"), ("a_E.JPG", None)]),
        ({"versions": "original"}, {"versions": "both"}, [("a.JPG", "a.MOV"), ("a_E.JPG", None)]),
        ({}, {"clips": "h264"}, [("a_E.JPG", "a.MOV")]),
        ({}, {"model": "pixel_3", "reduce": True}, [("a_E.JPG", "a.MOV")]),
        ({}, {"query": "kind:video"}, [("a_E.JPG", "a.MOV")]),
    ],
)
@pytest.mark.parametrize("state", [None, STORED, FREED, DOUBTED])
async def test_other_rules_send_nothing_twice(shelf, before, after, expected, state) -> None:
    await shelf.put("a", still("a"), clip("a"), edit("a"))
    await shelf.plan(pixel("before", **before))
    await shelf.accept(*await names(shelf))
    if state is not None:
        await shelf.show((await names(shelf))[0], state)

    await shelf.plan(pixel("after", **after))

    assert await files_of(shelf) == expected


async def test_what_is_wished_in_another_form_while_it_waits_is_made_so(shelf) -> None:
    shelf.facts["a/live"] = Facts(kind="video", media_type="video/quicktime", video_codec="hevc")
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan(pixel("1"))
    await shelf.plan(pixel("2", clips="h264"))

    assert [one.form for one in await shelf.all()] == [Form.MOTION_H264]


async def test_a_photo_that_is_hidden_while_it_waits_stays_at_home(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"), said=Said())
    await shelf.plan(anna)

    await shelf.put("a", still("a"), said=Said(is_hidden=True))
    await shelf.plan(anna)

    assert await names(shelf) == []


async def test_a_photo_that_goes_to_the_trash_while_it_waits_does_not_go_and_goes_when_it_comes_back(shelf) -> None:
    anna = pixel()
    await shelf.put("a", still("a"))
    await shelf.plan(anna)
    resource = await shelf.box.file("a/original")

    def set_state(connection: sqlite3.Connection, state: str) -> None:
        connection.execute("UPDATE resource SET state = ? WHERE id = ?", (state, resource.id))

    await shelf.box.database.write(lambda connection: set_state(connection, "trashed"))
    await shelf.note("trashed", "a/original")
    await shelf.plan(anna)
    assert await names(shelf) == []

    await shelf.box.database.write(lambda connection: set_state(connection, "archived"))
    await shelf.note("recovered", "a/original")
    await shelf.plan(anna)
    assert len(await names(shelf)) == 1


# ---------------------------------------------------------------- names


async def test_a_name_is_used_once_in_any_spelling(shelf, anna) -> None:
    for number, file in enumerate(["IMG_1.JPG", "img_1.jpg", "IMG_1.JPG", "Köln.MP.HEIC", "KÖLN.mp.heic", "a", "A"]):
        await shelf.put(f"p{number}", still(f"p{number}", file=file))

    await shelf.plan(anna)

    assert await names(shelf) == [
        "IMG_1.JPG",
        "img_1-2.jpg",
        "IMG_1-3.JPG",
        "Köln.MP.HEIC",
        "KÖLN.mp-2.heic",
        "a",
        "A-2",
    ]


async def test_a_number_stands_before_what_makes_a_motion_photo(shelf) -> None:
    taken = ["IMG_1.MP.HEIC", "IMG_1-2.MP.HEIC"]
    for number, name in enumerate(taken):
        await shelf.put(f"p{number}", still(f"p{number}", file=name))
    await shelf.plan(WishingDestination())

    free = await shelf.box.ask(lambda connection: free_name(connection, PIXEL, "img_1.MP.heic"))

    assert free == "img_1-3.MP.heic"


async def test_a_favourite_of_a_burst_is_one_though_only_its_source_says_so(shelf) -> None:
    anna = pixel(bursts="pick")
    for number in range(3):
        name = f"b{number}"
        shelf.facts[f"{name}/original"] = Facts(kind="picture", media_type="image/jpeg", burst_id="burst")
        await shelf.put(name, still(name), said=Said(is_favorite=number == 1))

    await shelf.plan(anna)

    assert [first for first, _ in await files_of(shelf)] == ["b1.JPG"]


# ---------------------------------------------------------------- any order of events

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["still", "clip", "edit", "plan", "accept", "free", "doubt", "told", "rules"]),
        st.integers(0, 2),
    ),
    max_size=25,
)
RULES = [{}, {"live": "still"}, {"versions": "both"}, {"versions": "original"}, {"bursts": "pick"}]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_in_whatever_order_things_come_no_file_is_sent_twice(tmp_path_factory, events) -> None:
    asyncio.run(_live(tmp_path_factory.mktemp("box") / "mediabox.db", events))


async def _live(path, events) -> None:
    async with Database(path) as database:
        shelf, have, rules_ = Shelf(database), {number: [] for number in range(3)}, 0
        for event, number in [*events, ("plan", 0)]:
            name = f"p{number}"
            match event:
                case "still" | "clip" | "edit":
                    file = {"still": still, "clip": clip, "edit": edit}[event](name)
                    if file not in have[number]:
                        have[number].append(file)
                    await shelf.put(name, *have[number])
                case "plan":
                    await shelf.plan(pixel(str(rules_), **RULES[rules_ % len(RULES)]))
                case "rules":
                    rules_ += 1
                case "told" if have[number]:
                    await shelf.note("told", have[number][0].remote_id)
                case "accept":
                    for one in [one for one in await shelf.all() if one.state is DeliveryState.QUEUED][:1]:
                        await shelf.accept(one.name)
                case "free" | "doubt":
                    for one in [
                        one for one in await shelf.all() if one.state in (DeliveryState.ACCEPTED, DeliveryState.STORED)
                    ][:1]:
                        await shelf.show(one.name, FREED if event == "free" else DOUBTED)
        sent = [each for one in await shelf.all() for each in (one.resource_id, one.clip_id) if each]
        assert len(sent) == len(set(sent))
        if RULES[rules_ % len(RULES)] == {"versions": "both"}:  # everything is wanted: everything goes
            archived = {row[0] for row in await shelf.box.rows("SELECT id FROM resource WHERE state = 'archived'")}
            assert set(sent) == archived - await _clips_alone(shelf)


async def _clips_alone(shelf: Shelf) -> set[int]:
    """Clips whose still has not come: they are nobody's film."""
    rows = await shelf.box.rows(
        "SELECT id FROM resource WHERE role = 'live_video' AND asset_id NOT IN "
        "(SELECT asset_id FROM resource WHERE role IN ('original', 'edited'))"
    )
    return {row[0] for row in rows}


# ---------------------------------------------------------------- a large catalogue


@pytest.mark.parametrize(
    "question",
    [
        lambda connection: deliveries.of_asset(connection, 7, destination=PIXEL),
        lambda connection: deliveries.of_asset(connection, 7),
        lambda connection: deliveries.in_state(connection, PIXEL, DeliveryState.ACCEPTED, DeliveryState.STORED),
        lambda connection: deliveries.has_stored(connection, PIXEL),
        lambda connection: deliveries.bytes_out(connection, PIXEL, since_ms=1),
        lambda connection: deliveries.by_name(connection, PIXEL, "x"),
        lambda connection: deliveries.in_state_count(connection, PIXEL, DeliveryState.DOUBTED),
        lambda connection: deliveries.to_withdraw(connection, PIXEL),
        lambda connection: planning.to_plan(connection, PIXEL, now_ms=1, settled_ms=1, limit=10),
        lambda connection: planning.is_planning(connection, PIXEL),
        lambda connection: examined.of_burst(connection, "key", limit=10),
    ],
)
async def test_no_question_reads_a_whole_table(shelf, question) -> None:
    assert not [step for step in await steps(shelf, question) if step.startswith("SCAN")]


@pytest.mark.parametrize(
    "question",
    [
        lambda connection: deliveries.queued(connection, PIXEL, since_ms=1, recent=True, limit=100),
        lambda connection: deliveries.queued(connection, PIXEL, since_ms=1, recent=False, limit=100),
        lambda connection: planning.note_changes(connection, PIXEL, "1", limit=10),
    ],
)
async def test_what_waits_and_what_is_new_comes_in_order_without_sorting_all_of_it(shelf, question) -> None:
    found = await steps(shelf, question)

    assert found
    assert not [step for step in found if step.startswith("SCAN") or "TEMP B-TREE" in step]
    assert not [step for step in found if step == "SEARCH journal USING INTEGER PRIMARY KEY (rowid>?)"]


async def steps(shelf: Shelf, question) -> list[str]:
    """What SQLite does for each SELECT of a question."""
    statements: list[str] = []

    def work(connection: sqlite3.Connection) -> list[str]:
        connection.set_trace_callback(statements.append)
        question(connection)
        connection.set_trace_callback(None)
        selects = [one for one in statements if one.startswith("SELECT")]
        return [row[3] for one in selects for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")]

    return await shelf.box.database.write(work)


async def test_what_is_wished_of_files_that_have_gone_is_left_out(shelf) -> None:
    """Whatever a destination's rules say: nothing goes twice (I2)."""
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan(WishingDestination(rules="1"))
    await shelf.accept("a.JPG")

    alone = WishingDestination(
        wishing=lambda asset: [
            wish for one in asset.members for wish in wish_of(type(asset)(asset_id=asset.asset_id, members=(one,)))
        ],
        rules="2",
    )
    await shelf.plan(alone)

    assert await files_of(shelf) == [("a.JPG", "a.MOV")]


@pytest.mark.parametrize("years", [-10, 10])
async def test_what_was_archived_while_the_clock_was_wrong_goes_all_the_same(shelf, anna, years: int) -> None:
    """A board without a battery behind its clock may have been in 2035 for a while."""
    await shelf.put("a", still("a"), archive=False)
    await shelf.archive("a/original", now_ms=NOW_MS + years * 365 * 86_400_000)

    await shelf.plan(anna)

    assert await names(shelf) == ["a.JPG"]


async def test_what_the_rules_refuse_is_listed_and_asked_again_when_they_change(shelf) -> None:
    shelf.facts["a/original"] = Facts(kind="picture", media_type="image/jpeg", width=100, height=100)
    await shelf.put("a", still("a"))
    await shelf.plan(pixel("1"))
    (refused,) = await shelf.all()
    assert refused.state is DeliveryState.REFUSED
    assert "this small" in refused.note

    await shelf.note("told", "a/original")
    await shelf.plan(pixel("1"))
    assert await shelf.all() == [refused]

    await shelf.plan(pixel("2", smallest_side=50))
    assert [one.state for one in await shelf.all()] == [DeliveryState.QUEUED]


async def test_what_could_not_be_made_is_not_tried_again_by_other_rules(shelf) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan(pixel("1"))
    (one,) = await shelf.all()
    await shelf.box.database.write(
        lambda connection: deliveries.set_state(
            connection, one.id, DeliveryState.REFUSED, at_ms=NOW_MS, note="no decoder takes it"
        )
    )

    await shelf.plan(pixel("2"))

    assert [each.state for each in await shelf.all()] == [DeliveryState.REFUSED]


async def test_what_a_person_sends_in_spite_of_the_rules_is_not_refused_again(shelf) -> None:
    shelf.facts["a/original"] = Facts(kind="picture", media_type="image/jpeg", width=100, height=100)
    await shelf.put("a", still("a"))
    await shelf.plan(pixel("1"))
    await shelf.box.database.write(lambda connection: orders.resend(connection, PIXEL, now_ms=NOW_MS))

    await shelf.note("told", "a/original")
    await shelf.plan(pixel("1"))

    assert sorted(one.state for one in await shelf.all()) == [DeliveryState.QUEUED, DeliveryState.WITHDRAWN]
