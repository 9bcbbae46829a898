"""The vote between what a file, its name and its folder say of when it was taken."""

import itertools
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from native.tags.conftest import FixedClock

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.model.place import Place
from mediabox.native.tags.capture_time import choose, is_clock_default

Of = TimeSource
MOVIE = datetime(2023, 12, 31, 23, 30, 5)  # noqa: DTZ001


def said(source: TimeSource, local: str, offset_min: int | None = None) -> CaptureTime:
    if source in (Of.MOVIE_HEADER, Of.GPS_UTC, Of.FILE_MODIFIED):
        offset_min = 0
    return CaptureTime(local=local, offset_min=offset_min, source=source)


def chosen(*candidates: CaptureTime, place: Place | None = None) -> CaptureTime | None:
    """The same in whatever order they come."""
    answers = {choose(order, clock=FixedClock(), place=place) for order in itertools.permutations(candidates)}
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize(
    "default",
    [
        "1970-01-01T00:00:00",
        "1970-01-01T01:00:00",
        "1980-01-01T00:00:00",
        "2000-01-01T00:14:00",
        "2001-01-01T00:00:00",
        "2002-12-08T12:00:00",
        "2007-01-01T00:00:00",
        "2036-02-07T06:28:15",
    ],
)
@pytest.mark.parametrize(
    "witness",
    [
        said(Of.FILE_NAME, "2018-07-25T16:34:23"),
        said(Of.FILE_NAME, "2018-07-25"),
        said(Of.GPS_UTC, "2018-07-25T14:34:23"),
        said(Of.EXIF_MODIFIED, "2018-07-25T16:34:23"),
        said(Of.XMP, "2018-07-25"),
        said(Of.FOLDER, "2018-07"),
    ],
)
@pytest.mark.parametrize("source", [Of.EXIF_OFFSET, Of.EXIF_LOCAL, Of.MOVIE_HEADER])
def test_a_clock_that_was_never_set_yields_to_whoever_knows(default, witness, source) -> None:
    assert chosen(said(source, default), witness).local == witness.local


@pytest.mark.parametrize("default", ["2000-01-01T00:14:00", "2002-12-08T12:00:00", "2024-01-01T00:00:00"])
def test_a_default_that_the_name_confirms_was_true(default: str) -> None:
    found = chosen(
        said(Of.EXIF_LOCAL, default), said(Of.FILE_NAME, default), said(Of.EXIF_MODIFIED, "2025-02-03T00:00:00")
    )

    assert (found.local, found.source) == (default, Of.EXIF_LOCAL)


@pytest.mark.parametrize(
    "hour", ["2005-01-01T00:04:03", "2017-01-01T00:00:05", "2008-01-01T12:00:09", "1999-12-31T23:59:59"]
)
def test_the_first_hour_of_a_new_year_is_believed_unless_an_independent_witness_says_another_day(hour: str) -> None:
    camera = said(Of.EXIF_LOCAL, hour)

    assert chosen(camera, said(Of.FILE_NAME, "2019-07-12T10:12:00")).local == "2019-07-12T10:12:00"
    assert chosen(camera, said(Of.GPS_UTC, "2019-07-12T10:12:00")).local == "2019-07-12T10:12:00"
    assert chosen(camera, said(Of.FOLDER, "2019-07")).local == "2019-07"
    assert chosen(camera, said(Of.EXIF_MODIFIED, "2019-07-12T10:12:00")) == camera  # an edit of the real one
    assert chosen(camera, said(Of.FILE_MODIFIED, "2019-07-12T10:12:00")) == camera


@pytest.mark.parametrize("folder", ["2011", "2011-12", "2011-12-31", "2012", "2012-01"])
def test_a_new_year_s_first_minutes_may_lie_in_the_old_year_s_folder(folder: str) -> None:
    fireworks = said(Of.EXIF_LOCAL, "2012-01-01T00:04:11")

    assert chosen(fireworks, said(Of.FOLDER, folder)) == fireworks


def test_google_s_instant_is_on_the_wall_clock_of_its_place() -> None:
    taken = said(Of.TAKEOUT, "2019-12-31T23:46:40", 0)

    assert chosen(taken, place=Place(latitude=35.7, longitude=139.7)).local == "2020-01-01T08:46:40"


def test_a_default_that_nobody_contradicts_stays_but_an_epoch_is_worth_less_than_the_file_s_own_time() -> None:
    written = said(Of.FILE_MODIFIED, "2018-07-25T16:34:23")

    assert chosen(said(Of.EXIF_LOCAL, "2002-12-08T12:00:00"), written).local == "2002-12-08T12:00:00"
    assert chosen(said(Of.EXIF_LOCAL, "1970-01-01T00:00:00"), written) == written


def test_a_satellite_and_a_name_that_agree_outvote_the_camera() -> None:
    wrong, fix = said(Of.EXIF_LOCAL, "2012-01-03T10:00:00"), said(Of.GPS_UTC, "2018-07-25T14:34:23")
    named = said(Of.FILE_NAME, "2018-07-25T16:34:23")

    assert chosen(wrong, fix, named).local == "2018-07-25T16:34:23"
    assert chosen(wrong, fix) == wrong
    assert chosen(wrong, named) == wrong


def test_headers_and_names_can_only_be_late() -> None:
    header, named = said(Of.MOVIE_HEADER, "2021-03-01T10:00:00"), said(Of.FILE_NAME, "2018-07-25T16:34:23")

    assert chosen(header, named).local == "2018-07-25T16:34:23"
    assert chosen(header, said(Of.FILE_NAME, "2022-01-01T10:00:00")) == header
    assert chosen(said(Of.EXIF_MODIFIED, "2021-03-01T10:00:00"), named) == named


@pytest.mark.parametrize(
    ("named", "local", "offset_min", "source"),
    [
        ("2024-01-01T00:30:00", "2024-01-01T00:30:05", 60, Of.MOVIE_HEADER),
        ("2023-12-31T18:30:04", "2023-12-31T18:30:05", -300, Of.MOVIE_HEADER),
        ("2024-01-01T05:15:00", "2024-01-01T05:15:05", 345, Of.MOVIE_HEADER),
        ("2024-01-01T00:23:00", "2024-01-01T00:23:00", None, Of.FILE_NAME),  # the header is written at the end
        ("2023-12-31T23:30:00", "2023-12-31T23:30:00", None, Of.MOVIE_HEADER),  # local time in a UTC header, or London
        ("2024-01-01", "2024-01-01", None, Of.FILE_NAME),
    ],
)
def test_a_clip_in_a_utc_header_is_filed_by_the_wall_clock_of_its_name(named, local, offset_min, source) -> None:
    found = chosen(said(Of.MOVIE_HEADER, "2023-12-31T23:30:05"), said(Of.FILE_NAME, named))

    assert (found.local, found.offset_min, found.source) == (local, offset_min, source)


def test_a_wall_clock_of_the_maker_gets_its_zone_from_the_header() -> None:
    found = chosen(said(Of.MOVIE_HEADER, "2023-12-31T23:30:05"), said(Of.QUICKTIME_DATE, "2024-01-01T00:30:05"))

    assert (found.local, found.offset_min, found.source) == ("2024-01-01T00:30:05", 60, Of.QUICKTIME_DATE)


def test_a_name_in_utc_says_nothing_of_the_wall_clock() -> None:
    header = said(Of.MOVIE_HEADER, "2023-12-31T23:30:05")

    assert chosen(header, said(Of.FILE_NAME, "2023-12-31T23:30:05", 0)) == header


def test_an_instant_alone_gets_the_zone_of_the_sun_where_it_was_taken() -> None:
    tokyo = Place(latitude=35.7, longitude=139.7)

    found = chosen(said(Of.MOVIE_HEADER, "2023-12-31T16:30:05"), place=tokyo)

    assert (found.local, found.offset_min) == ("2024-01-01T01:30:05", 540)


def test_a_period_is_narrowed_only_by_what_lies_in_it() -> None:
    folder = said(Of.FOLDER, "1998-07")

    assert chosen(folder, said(Of.FILE_MODIFIED, "1998-07-14T10:00:00")).local == "1998-07-14T10:00:00"
    assert chosen(folder, said(Of.FILE_MODIFIED, "2014-10-14T10:00:00")) == folder
    assert chosen(said(Of.XMP, "2021-11-20"), said(Of.MOVIE_HEADER, "2021-11-20T10:00:00")).local[10:] == "T10:00:00"


def test_a_folder_younger_than_the_file_in_it_is_a_backup_s() -> None:
    written = said(Of.FILE_MODIFIED, "2015-06-03T10:00:00")

    assert chosen(said(Of.FOLDER, "2019"), written) == written
    assert chosen(said(Of.FOLDER, "2019"), said(Of.FILE_MODIFIED, "1980-01-01T00:00:00")).local == "2019"


# ---------------------------------------------------------------- whatever is said

LOCALS = st.one_of(
    st.datetimes(min_value=datetime(1850, 1, 1), max_value=datetime(2090, 1, 1)).map(  # noqa: DTZ001
        lambda at: at.isoformat(timespec="seconds")
    ),
    st.sampled_from(["1970-01-01T00:00:00", "2000-01-01T00:00:00", "1987", "1987-06", "2020-02-29"]),
)
CANDIDATES = st.lists(
    st.builds(said, st.sampled_from(list(TimeSource)), LOCALS, st.sampled_from([None, 0, 60, -570])),
    max_size=6,
    unique_by=lambda each: each.source,
)


@given(CANDIDATES)
def test_the_answer_is_sane_the_same_in_any_order_and_near_what_somebody_said(candidates: list[CaptureTime]) -> None:
    found = choose(candidates, clock=FixedClock())

    assert found == choose(candidates[::-1], clock=FixedClock())
    if found is None:
        assert all(not "1900" <= each.local <= "2026-06-03T00:00:00" or each.source is Of.FOLDER for each in candidates)
        return
    at = datetime.fromisoformat(found.begins)
    said_times = [datetime.fromisoformat(each.begins) for each in candidates]
    assert min(abs((at - each).total_seconds()) for each in said_times) <= 14 * 3600
    assert found.source in {each.source for each in candidates}


@given(CANDIDATES, LOCALS)
def test_what_only_the_file_s_own_time_says_never_overrules_a_moment(candidates, local: str) -> None:
    others = [each for each in candidates if each.source not in (Of.FILE_MODIFIED, Of.FOLDER)]
    before = choose(others, clock=FixedClock())

    after = choose([*others, said(Of.FILE_MODIFIED, local)], clock=FixedClock())

    if before is not None and not before.is_partial and not is_clock_default(before.local):
        assert after == before


@given(CANDIDATES)
def test_nobody_is_believed_who_speaks_of_the_future(candidates: list[CaptureTime]) -> None:
    future = said(Of.EXIF_OFFSET, "2036-05-05T10:00:00", 0)
    others = [each for each in candidates if each.source is not Of.EXIF_OFFSET]

    assert choose([future, *others], clock=FixedClock()) == choose(others, clock=FixedClock())
