"""What is away rests as a whole, is reported once, and is closed by the first success."""

import pytest

from mediabox.contracts import Needs, Work
from mediabox.core.parts import ARCHIVE, LONGEST_REST_S, RECONNECT, WAIT, Parts, issue_of, part_of, parts_of
from mediabox.errors import Away, NeedsHuman
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.issue import Issue
from mediabox.model.job import Job

MISSING = Away("the archive is not mounted", part=ARCHIVE)


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic_s(self) -> float:
        return self.now_s


class Book:
    def __init__(self) -> None:
        self.open_now: dict[tuple[str, str], Issue] = {}

    async def open(self, issue: Issue) -> None:
        self.open_now[issue.key, issue.subject] = issue

    async def close(self, key: str, subject: str) -> None:
        self.open_now.pop((key, subject), None)


def work(
    step: str = "fetch", source: str = "card", *, job: int = 1, size_bytes: int | None = None, tree: str = "t"
) -> Work:
    resource = Resource(
        id=job,
        asset_id=1,
        source=source,
        remote_id=f"{tree}/a.jpg",
        version="1",
        name="a.jpg",
        kind=Kind.PICTURE,
        role=Role.ORIGINAL,
        state=ResourceState.SEEN,
        size_bytes=size_bytes,
    )
    needs = Needs(source=step in ("fetch", "remove"))
    return Work(job=Job(id=job, step=step, subject=str(job)), resource=resource, needs=needs)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book() -> Book:
    return Book()


async def test_a_missing_archive_rests_every_step_and_is_said_once(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    for _ in range(5):
        await parts.trip(ARCHIVE, MISSING)

    assert [parts.resting(work(step)) for step in ("fetch", "examine", "file", "describe")] == [ARCHIVE] * 4
    assert list(book.open_now) == [("volume.missing", "archive")]


async def test_an_absent_card_rests_its_own_files_only(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    await parts.trip("source:card", Away("the card is out", part="source:card"))

    assert parts.resting(work(source="card")) == "source:card"
    assert parts.resting(work(source="disk")) is None
    assert parts.resting(work("file", source="card")) is None
    assert parts.resting_sources() == ["card"]


async def test_an_absent_tree_leaves_the_source_s_other_trees_at_work(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    away = Away("the stick is out", part="source:disks/stick")
    await parts.trip(part_of(work(source="disks", tree="stick"), away), away)

    assert parts.resting(work(source="disks", tree="stick")) == "source:disks/stick"
    assert parts.resting(work(source="disks", tree="album")) is None
    assert parts.resting_sources() == ["disks/stick"]
    assert parts.is_troubled("source:disks")
    assert not parts.is_troubled("source:disk")

    await parts.succeeded([work(source="disks", tree="album")])
    assert list(book.open_now) == [("source.missing", "disks/stick")]
    await parts.succeeded([work(source="disks", tree="stick")])
    assert not book.open_now


async def test_another_job_with_the_number_of_what_had_no_room_says_nothing_of_room(
    clock: FakeClock, book: Book
) -> None:
    parts = Parts(clock, book)
    full = NeedsHuman("the disk is full", issue="volume.full", subject="archive")
    await parts.trip(ARCHIVE, full, work=work("file", size_bytes=9_000))

    await parts.succeeded([work("describe", size_bytes=10)])  # job 1 again, of another step
    await parts.given_up(work("describe", size_bytes=10))

    assert list(book.open_now) == [("volume.full", "archive")]


async def test_a_whole_listing_closes_what_it_reached(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    for tree in ("a", "b"):
        await parts.trip(f"source:disks/{tree}", Away("out", part=f"source:disks/{tree}"))
    await parts.trip("source:diskette", Away("out", part="source:diskette"))

    await parts.returned("source:disks", without={"source:disks/b"})

    assert set(book.open_now) == {("source.missing", "disks/b"), ("source.missing", "diskette")}


@pytest.mark.parametrize(
    ("away", "remedy"),
    [
        (MISSING, RECONNECT),
        (Away("no answer", part="source:cloud"), WAIT),
        (Away("no answer", part="source:cloud", remedy="See whether the box is online."), "See whether"),
    ],
)
def test_a_person_is_told_what_helps_with_this_part(away: Away, remedy: str) -> None:
    assert str(issue_of(away.part, away).remedy).startswith(str(remedy))


async def test_rests_grow_longer_but_never_over_a_minute(clock: FakeClock, book: Book) -> None:
    parts, lengths = Parts(clock, book), []
    for _ in range(10):
        await parts.trip(ARCHIVE, MISSING)
        start = clock.now_s
        while parts.is_resting(ARCHIVE):
            clock.now_s += 0.5
        lengths.append(clock.now_s - start)

    assert lengths[0] <= 2.0
    assert lengths == sorted(lengths)
    assert lengths[-1] == LONGEST_REST_S


async def test_the_first_success_closes_the_issue(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    await parts.trip(ARCHIVE, NeedsHuman("read-only", issue="volume.read_only", subject="archive"))
    clock.now_s += 10

    assert parts.is_troubled(ARCHIVE)
    await parts.succeeded([work("file")])

    assert book.open_now == {}
    assert not parts.is_troubled(ARCHIVE)


FULL = NeedsHuman("full", issue="volume.full", subject="archive", remedy="free space")
FILM = work(job=7, size_bytes=4_000)


@pytest.mark.parametrize("success", [FILM, work(job=8, size_bytes=4_000), work(job=8, size_bytes=9_000)])
async def test_a_full_disk_has_room_again_once_as_much_as_was_refused_fits(
    success: Work, clock: FakeClock, book: Book
) -> None:
    parts = Parts(clock, book)
    await parts.trip(ARCHIVE, FULL, work=FILM)
    await parts.trip(ARCHIVE, FULL, work=work(job=9, size_bytes=10))
    await parts.trip(ARCHIVE, MISSING)

    too_little = [work(job=2, size_bytes=3_999), work(job=2), work("examine", job=3, size_bytes=5_000)]
    for small in too_little:
        await parts.succeeded([small])

        assert list(book.open_now) == [("volume.full", "archive")]
        assert parts.resting(small) is None, "what fits need not wait"
    await parts.succeeded([success])
    assert book.open_now == {}
    assert not parts.is_troubled(ARCHIVE)


async def test_a_refused_file_of_unknown_size_has_to_fit_itself(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    await parts.trip(ARCHIVE, FULL, work=work(job=7))

    await parts.succeeded([work(job=8, size_bytes=1 << 40)])
    assert book.open_now
    await parts.succeeded([work(job=7, size_bytes=1)])
    assert not book.open_now


async def test_a_decoder_that_does_not_start_is_not_cured_by_what_another_decodes(clock: FakeClock, book: Book) -> None:
    parts, film = Parts(clock, book), work("examine", job=7, size_bytes=10)
    error = NeedsHuman("no PyAV", issue="sandbox.unavailable", subject="movie")
    await parts.trip(part_of(film, error), error, work=film)

    await parts.succeeded([work("examine", job=8, size_bytes=9_000)])
    assert list(book.open_now) == [("sandbox.unavailable", "movie")]
    assert parts.resting(work("examine", job=9)) is None
    await parts.succeeded([film])
    assert not book.open_now


async def test_nothing_waits_for_a_file_that_was_given_up(clock: FakeClock, book: Book) -> None:
    parts = Parts(clock, book)
    await parts.trip(ARCHIVE, FULL, work=FILM)

    await parts.given_up(work(job=8))
    assert book.open_now
    await parts.given_up(FILM)
    assert not book.open_now


def test_an_error_is_blamed_on_the_part_it_speaks_of() -> None:
    assert part_of(work(), Away("x", part="source:card")) == "source:card"
    assert part_of(work(), NeedsHuman("x", issue="volume.full")) == ARCHIVE
    assert part_of(work(), NeedsHuman("x", issue="source.refused")) == "source:card"
    assert part_of(work("examine"), NeedsHuman("x", issue="sandbox.missing")) == "step:examine"
    assert parts_of(work("describe")) == ("step:describe", ARCHIVE)
