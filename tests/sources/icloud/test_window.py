"""Ranks move while an index is read: nothing that stays may be missed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.sources.icloud.answers import ZoneID
from mediabox.sources.icloud.cursor import LibraryCursor, beginning
from mediabox.sources.icloud.window import advance, start_of

FULL = 10


def read(index: list[str], meanwhile: list[tuple[str, int]], *, has_markers: bool = True) -> set[str]:
    """Read an index to its end; before each page, one thing happens to it."""
    progress: LibraryCursor = beginning("private", ZoneID(zone_name="PrimarySync"))
    seen: set[str] = set()
    happenings = iter(meanwhile)
    for _ in range(2000):
        happening = next(happenings, None)
        match happening:
            case ("delete", at) if index:
                for _ in range(1 + at % 23):
                    if index:
                        del index[at % len(index)]
            case ("add", at):
                index[0:0] = [f"new {at} {number} {len(index)}" for number in range(1 + at % 23)]
        start = start_of(progress, full=FULL)
        names = index[start : start + FULL]
        before = progress
        marker = "m" if has_markers and start + len(names) < len(index) else None
        progress, is_end = advance(progress, names, full=FULL, marker=marker)
        if is_end or progress.rank >= before.rank:
            seen.update(names)
        if is_end:
            return seen
    raise AssertionError("it never ended")


@settings(max_examples=300, deadline=None)
@given(
    count=st.integers(0, 120),
    meanwhile=st.lists(st.tuples(st.sampled_from(["delete", "add", "rest"]), st.integers(0, 150)), max_size=12),
    has_markers=st.booleans(),
)
def test_nothing_that_stays_is_missed(count: int, meanwhile: list[tuple[str, int]], has_markers: bool) -> None:
    index = [f"photo {number}" for number in range(count)]
    before = set(index)

    seen = read(index, meanwhile, has_markers=has_markers)

    assert before & set(index) <= seen


def test_a_quiet_index_is_read_once() -> None:
    progress = beginning("private", ZoneID(zone_name="PrimarySync"))
    index = [str(number) for number in range(95)]
    pages = 0
    is_end = False
    while not is_end:
        start = start_of(progress, full=FULL)
        progress, is_end = advance(progress, index[start : start + FULL], full=FULL, marker=None)
        pages += 1

    assert pages == 18  # six new ones on each page but the first, and twice nothing behind the last
