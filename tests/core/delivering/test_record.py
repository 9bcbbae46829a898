"""What became of a delivery: each step once, in order, with its rows in the journal and its copies in the ledger."""

import hashlib

import msgspec
import pytest
from core.catalogue_of import NOW_MS
from core.delivering.wishing import PIXEL, Shelf, clip, delivered, still

from mediabox.contracts import Capabilities, Outcome, Setback, Undeliverable, Work
from mediabox.core.delivering import record
from mediabox.model.delivery import Delivery, DeliveryState, Form, Sighting
from mediabox.model.job import Job
from mediabox.model.ledger import Evidence
from mediabox.store import deliveries, journal

Q, AD, AC = DeliveryState.QUEUED, DeliveryState.ADMITTED, DeliveryState.ACCEPTED
S, F, D, R = DeliveryState.STORED, DeliveryState.FREED, DeliveryState.DOUBTED, DeliveryState.REFUSED
SEEN = (S, F, D)


def work_of(delivery: Delivery) -> Work:
    return Work(job=Job(id=1, **msgspec.structs.asdict(record.job_of(delivery))))


async def ended(shelf: Shelf, delivery: Delivery, outcome: Outcome) -> list:
    return await shelf.box.database.write(
        lambda connection: record.ended(connection, work_of(delivery), outcome, now_ms=NOW_MS)
    )


async def state_of(shelf: Shelf, name: str = "a.JPG") -> DeliveryState:
    return (await shelf.the(name)).state


async def story(shelf: Shelf, remote_id: str = "a/original") -> list[str]:
    """What the journal says of one file's deliveries."""
    resource = await shelf.box.file(remote_id)
    entries = await shelf.box.ask(journal.of_resource, resource.id)
    return [one.event for one in entries if one.event.startswith("delivery")]


async def bring_to(shelf: Shelf, state: DeliveryState) -> None:
    """One delivery, `a.JPG`, as far as that."""
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    one = await shelf.the("a.JPG")

    def work(connection) -> None:
        deliveries.set_state(connection, one.id, state, at_ms=NOW_MS)

    await shelf.box.database.write(work)


@pytest.mark.parametrize("shown", SEEN)
@pytest.mark.parametrize("now", list(DeliveryState))
async def test_what_is_shown_only_ever_leads_on(shelf, now, shown) -> None:
    await bring_to(shelf, now)

    changed = await shelf.show("a.JPG", shown)

    may = {AC: {S, F, D}, S: {F, D}}.get(now, set())
    assert await state_of(shelf) is (shown if shown in may else now)
    assert [one.state for one in changed] == ([shown] if shown in may else [])


async def test_what_is_shown_twice_is_written_down_once(shelf) -> None:
    await bring_to(shelf, AC)
    for shown in (S, S, F, F, S, D):
        await shelf.show("a.JPG", shown)

    assert await state_of(shelf) is F
    assert await story(shelf) == ["delivery_stored", "delivery_freed"]


async def test_what_was_freed_before_anybody_looked_was_there(shelf) -> None:
    await bring_to(shelf, AC)

    await shelf.show("a.JPG", F)

    one = await shelf.the("a.JPG")
    assert await story(shelf) == ["delivery_stored", "delivery_freed"]
    assert one.stored_at_ms == one.freed_at_ms == NOW_MS


async def test_the_still_and_the_clip_have_each_their_story(shelf) -> None:
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan_all()
    await shelf.admit("a.JPG")
    one = await shelf.the("a.JPG")
    await ended(shelf, one, delivered(one))
    await shelf.show("a.JPG", S)

    for remote_id in ("a/original", "a/live"):
        resource = await shelf.box.file(remote_id)
        entries = await shelf.box.ask(journal.of_resource, resource.id)
        told = [entry for entry in entries if entry.event.startswith("delivery")]
        assert [entry.event for entry in told] == ["delivery_accepted", "delivery_stored"]
        assert told[0].fields["sha256"] == delivered(one).digest
        assert told[1].fields["proof"] == "proof of stored"
        assert {entry.fields["volume"] for entry in told} == {PIXEL}


@pytest.mark.parametrize(
    ("form", "stills", "clips"),
    [
        (Form.MOTION, True, True),
        (Form.MOTION_H264, True, False),
        (Form.ORIGINAL, True, False),  # the fallback: the still alone
        (Form.TAGGED, True, False),
        (Form.CONVERTED, False, False),
        (Form.REDUCED, False, False),
    ],
)
async def test_only_what_kept_its_bytes_is_a_copy(shelf, form, stills, clips) -> None:
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan_all()
    await shelf.accept("a.JPG", form=form)
    await shelf.show("a.JPG", S)

    for remote_id, expected in (("a/original", stills), ("a/live", clips)):
        copies = await shelf.copies(remote_id)
        assert [copy.evidence for copy in copies] == [Evidence.PEER] * expected

    await shelf.show("a.JPG", F)

    for remote_id, expected in (("a/original", stills), ("a/live", clips)):
        resource = await shelf.box.file(remote_id)
        copies = await shelf.copies(remote_id)
        assert [copy.evidence for copy in copies] == [Evidence.FREED] * expected
        for copy in copies:
            assert (copy.digest, copy.size_bytes) == (resource.digest, resource.size_bytes)
            assert copy.path == "a.JPG"


@pytest.mark.parametrize("form", list(Form))
async def test_a_phone_that_keeps_less_than_the_original_has_no_copy(shelf, form) -> None:
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan_all()
    await shelf.accept("a.JPG", form=form)

    await shelf.show("a.JPG", S, keeps_originals=False)
    await shelf.show("a.JPG", F, keeps_originals=False)

    assert await state_of(shelf) is F
    assert await shelf.copies("a/original") == await shelf.copies("a/live") == []


@pytest.mark.parametrize(
    ("form", "hashes", "evidence", "expected"),
    [
        (Form.ORIGINAL, {"sha256"}, Evidence.VERIFIED, Evidence.VERIFIED),
        (Form.ORIGINAL, {"md5"}, Evidence.VERIFIED, Evidence.PEER),  # no strong hash
        (Form.ORIGINAL, set(), Evidence.VERIFIED, Evidence.PEER),
        (Form.TAGGED, {"sha256"}, Evidence.VERIFIED, Evidence.PEER),  # its digest is not the original's
        (Form.ORIGINAL, {"sha256"}, Evidence.REREAD, Evidence.PEER),  # nobody but us re-reads
        (Form.ORIGINAL, {"sha256"}, Evidence.SENT, Evidence.SENT),
    ],
)
async def test_a_copy_is_as_sure_as_the_store_shows_and_never_surer(shelf, form, hashes, evidence, expected) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    await shelf.accept("a.JPG", form=form)

    await shelf.show("a.JPG", S, evidence=evidence, hashes=frozenset(hashes))

    assert [copy.evidence for copy in await shelf.copies("a/original")] == [expected]


async def test_another_digest_than_the_one_sent_verifies_nothing(shelf) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    await shelf.accept("a.JPG", form=Form.ORIGINAL)
    one = await shelf.the("a.JPG")
    sighting = Sighting(delivery_id=one.id, state=S, proof="etag", evidence=Evidence.VERIFIED, digest="0" * 64)

    able = Capabilities(hashes=frozenset({"sha256"}))
    await shelf.box.database.write(
        lambda connection: record.seen(connection, [sighting], now_ms=NOW_MS, capabilities=able)
    )

    assert [copy.evidence for copy in await shelf.copies("a/original")] == [Evidence.PEER]


async def test_a_doubt_proves_nothing(shelf) -> None:
    await bring_to(shelf, AC)

    await shelf.show("a.JPG", D)

    assert await shelf.copies("a/original") == []


async def test_several_sightings_of_one_round_are_taken_in_their_order(shelf) -> None:
    await bring_to(shelf, AC)
    one = await shelf.the("a.JPG")
    sightings = [Sighting(delivery_id=one.id, state=state, proof=state) for state in (F, S, D)]
    strange = Sighting(delivery_id=10_000, state=F, proof="of nobody")

    changed = await shelf.box.database.write(
        lambda connection: record.seen(connection, [strange, *sightings], now_ms=NOW_MS, capabilities=Capabilities())
    )

    assert [each.state for each in changed] == [F]
    assert (await shelf.the("a.JPG")).proof == F


# ---------------------------------------------------------------- the step `deliver`


async def test_what_was_made_is_written_down_as_it_was_made(shelf) -> None:
    await bring_to(shelf, AD)
    one = await shelf.the("a.JPG")
    made = msgspec.structs.replace(delivered(one, Form.TAGGED), size_bytes=4711, note="place added")

    assert await ended(shelf, one, made) == []

    now = await shelf.the("a.JPG")
    assert (now.state, now.form, now.size_bytes, now.digest, now.note, now.accepted_at_ms) == (
        AC,
        Form.TAGGED,
        4711,
        hashlib.sha256(b"a.JPG").hexdigest(),
        "place added",
        NOW_MS,
    )


@pytest.mark.parametrize("state", [state for state in DeliveryState if state is not AD])
@pytest.mark.parametrize("what", ["delivered", "undeliverable", "setback"])
async def test_a_step_run_twice_changes_nothing_more(shelf, state, what) -> None:
    await bring_to(shelf, state)
    one = await shelf.the("a.JPG")
    outcome = {
        "delivered": delivered(one, Form.REDUCED),
        "undeliverable": Undeliverable("it cannot"),
        "setback": Setback.OBSTRUCTED,
    }[what]

    assert await ended(shelf, one, outcome) == []
    assert await shelf.the("a.JPG") == one


async def test_what_cannot_be_delivered_says_why(shelf) -> None:
    await bring_to(shelf, AD)

    await ended(shelf, await shelf.the("a.JPG"), Undeliverable("no decoder takes it"))

    one = await shelf.the("a.JPG")
    assert (one.state, one.note) == (R, "no decoder takes it")
    assert await story(shelf) == ["delivery_refused"]


async def test_a_strangers_file_under_its_name_costs_it_the_name_alone(shelf) -> None:
    await bring_to(shelf, AD)
    one = await shelf.the("a.JPG")

    requests = await ended(shelf, one, Setback.OBSTRUCTED)

    (now,) = await shelf.all()
    assert (now.id, now.name, now.state) == (one.id, "a-2.JPG", AD)
    assert requests == [record.job_of(now)]


async def test_the_admission_is_a_state_and_a_job(shelf) -> None:
    await bring_to(shelf, Q)
    one = await shelf.the("a.JPG")

    request = await shelf.box.database.write(lambda connection: record.admitted(connection, one, now_ms=NOW_MS))

    assert await state_of(shelf) is AD
    assert (request.step, request.subject) == ("deliver", f"{PIXEL}/{one.id}")
    assert record.delivery_id(work_of(one)) == one.id
