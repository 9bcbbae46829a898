"""Every way the photo database can fail: nothing is lost, nothing is told wrong, and we ask less, not more."""

import random
from collections.abc import AsyncIterator

import pytest

from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import Dropped, Fault, Refused, Status
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.budget import Budget, CallRate
from mediabox.sources.icloud.session import Session
from sources.icloud.signed_in import Reader, SimulatedKeeper, calls_of, give_stock, source_of

CLOSED = '{"serverErrorCode":"ACCESS_DENIED","reason":"private db access disabled for this account"}'
THROTTLE = '{"serverErrorCode":"ACCESS_DENIED","reason":"try later"}'
ENDPOINTS = ("changes.database", "changes.zone", "records.query", "records.lookup")
PASSING = {
    "503": Status(503),
    "503 and when": Status(503, retry_after_s=5),
    "429": Status(429, retry_after_s=30),
    "500": Status(500, "general auth"),
    "502 page": Status(502, "<html>bad gateway</html>", content_type="text/html"),
    "throttle": Status(403, THROTTLE, content_type="application/json"),
    "no JSON": Status(200, "<html>hello</html>", content_type="text/html"),
    "half JSON": Status(200, '{"records":[{"recordName":"A', content_type="application/json"),
    "no connection": Dropped(),
    "refused inside": Refused("TRY_AGAIN_LATER"),
    "lock": Refused("CAS_OP_LOCK"),
}


@pytest.fixture
async def reader(icloud: Simulator) -> AsyncIterator[Reader]:
    source = source_of(icloud)
    yield Reader(source)
    await source.close()


async def until_done(icloud: Simulator, reader: Reader) -> list[str]:
    """Look, and again as late as told, until a look is complete. What it was told of meanwhile."""
    told: list[str] = []
    for _ in range(12):
        reader.pages = []
        try:
            await reader.look()
        except Retryable as later:
            icloud.clock.advance(max(later.retry_after_s or 0, 3600))
            continue
        finally:
            told += [asset.remote_id for asset in reader.told]
        return told
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("where", ENDPOINTS)
@pytest.mark.parametrize("what", PASSING.values(), ids=PASSING)
async def test_a_passing_fault_loses_nothing(icloud: Simulator, reader: Reader, where: str, what: object) -> None:
    library = give_stock(icloud, 150, live=0.3)
    reader.pages = []
    for after in (0, 1, 2):
        icloud.faults.add(Fault(where, what, after=after))
    await until_done(icloud, reader)
    names = [asset.name for asset in library.assets()]
    library.favorite(names[0])  # its original has to be looked up
    library.add(of_bytes(b"new"), file_name="IMG_9001.JPG")
    library.trash(names[1])

    await until_done(icloud, reader)

    assert len(reader.assets) == 151
    assert reader.assets[f"PrimarySync/{names[0]}"].said.is_favorite
    assert icloud.faults.fired[where] >= 1


@pytest.mark.parametrize("status", [401, 403, 421, 450])
async def test_a_session_that_is_refused_is_renewed_once(icloud: Simulator, status: int) -> None:
    give_stock(icloud, 30)
    keeper = SimulatedKeeper(icloud)
    reader = Reader(source_of(icloud, keeper=keeper, budget=quick(icloud)))
    icloud.faults.add(Fault("records.query", Status(status)))

    await reader.look()

    assert len(reader.assets) == 30
    assert keeper.sign_ins == 2
    await reader.source.close()


async def test_a_session_that_is_always_refused_costs_two_calls_and_a_pause(icloud: Simulator) -> None:
    give_stock(icloud, 30)
    keeper = SimulatedKeeper(icloud)
    reader = Reader(source_of(icloud, keeper=keeper, budget=quick(icloud)))
    icloud.faults.add(Fault("*", Status(421), times=None))

    with pytest.raises(Away, match="also after signing in again"):
        await reader.look()

    assert calls_of(icloud) == 2
    assert reader.source.budget.is_open("cloud")
    await reader.source.close()


async def test_photos_that_are_closed_to_the_web_need_a_person(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 30)
    icloud.faults.add(Fault("changes.database", Status(403, CLOSED, content_type="application/json")))

    with pytest.raises(NeedsHuman) as person:
        await reader.look()

    assert person.value.issue == "icloud.closed"
    assert "Access iCloud Data on the Web" in str(person.value.remedy)


async def test_under_advanced_protection_without_keys_the_account_is_closed(icloud: Simulator, reader: Reader) -> None:
    icloud.account().has_advanced_protection = True

    with pytest.raises(NeedsHuman):
        await reader.look()


async def test_a_sign_in_that_wants_patience_is_nobodys_fault(icloud: Simulator) -> None:
    class Patient(SimulatedKeeper):
        async def session(self) -> Session:
            raise Retryable("Apple wants a pause between sign-ins", retry_after_s=90)

    reader = Reader(source_of(icloud, keeper=Patient(icloud)))

    with pytest.raises(Away) as away:
        await reader.look()

    assert (away.value.part, away.value.retry_after_s) == ("source:cloud", 90)


async def test_a_look_that_failed_is_not_repeated_at_once(icloud: Simulator, reader: Reader) -> None:
    icloud.faults.add(Fault("changes.database", Dropped()))
    with pytest.raises(Away):
        await reader.look()

    assert not await reader.source.wait(0.01)
    icloud.clock.advance(61)
    assert await reader.source.wait(0.01)


async def test_a_shared_library_without_albums_is_read_all_the_same(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    shared = library.start_sharing()
    library.add(of_bytes(b"ours"), file_name="IMG_0001.JPG", zone=shared)
    icloud.faults.add(Fault("records.query", Refused("BAD_REQUEST", "unknown index", 400), times=None, only="CPLAlbum"))
    icloud.faults.add(Fault("records.query", Refused("BAD_REQUEST", "?", 400), times=None, only="MasterHidden"))
    source = source_of(icloud, personal=False)
    reader = Reader(source)

    await reader.look()

    assert len(reader.assets) == 1
    await source.close()


async def test_a_server_in_trouble_is_left_alone(icloud: Simulator) -> None:
    """Twenty looks in a row, as a broken caller might, and two calls reach Apple."""
    give_stock(icloud, 30)
    reader = Reader(source_of(icloud, budget=Budget(clock=icloud.clock, limits=CallRate(), dice=random.Random(1))))
    icloud.faults.add(Fault("*", Status(503, retry_after_s=600), times=None))

    for _ in range(20):
        with pytest.raises(Away) as away:
            await reader.look()
        assert 500 < (away.value.retry_after_s or 0) <= 600

    assert calls_of(icloud) == 1
    icloud.clock.advance(601)
    with pytest.raises(Away):
        await reader.look()
    assert calls_of(icloud) == 2
    await reader.source.close()


async def test_counts_tell_of_every_endpoint(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 30)
    icloud.faults.add(Fault("records.query", Status(503)))
    await until_done(icloud, reader)

    counts = {count.endpoint: count for count in reader.source.budget.counts()}

    assert counts["records/query"].errors == counts["records/query"].refusals == 1
    assert counts["changes/database"].errors == 0
    assert sum(count.calls for count in counts.values()) == calls_of(icloud)


def quick(icloud: Simulator) -> Budget:
    """A budget whose shortest pause is taken each time."""

    class Lowest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return min(a, b)

    limits = CallRate(records_per_s=1000, records_burst=1000, contents_per_s=1000, contents_burst=1000)
    return Budget(clock=icloud.clock, limits=limits, dice=Lowest())
