"""The file's own time first, then the source's word, then guesses."""

import pytest

from mediabox.core.informed import informed, said_time
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.place import Place
from mediabox.model.said import Said

SAID = Said(taken_at_ms=1_715_551_402_000, offset_min=120, place=Place(latitude=48.0, longitude=2.0))  # 22:03:22Z
SOURCES = CaptureTime(local="2024-05-13T00:03:22", offset_min=120, source=TimeSource.SOURCE)


def facts(source: TimeSource | None, local: str = "2001-01-01T00:00:00", offset_min: int | None = None) -> Facts:
    time = None if source is None else CaptureTime(local=local, offset_min=offset_min, source=source)
    return Facts(kind=Kind.PICTURE, media_type="image/jpeg", capture_time=time)


@pytest.mark.parametrize(
    "own", [TimeSource.EXIF_OFFSET, TimeSource.QUICKTIME_DATE, TimeSource.EXIF_LOCAL, TimeSource.XMP]
)
def test_the_files_own_wall_clock_comes_first(own: TimeSource) -> None:
    assert informed(facts(own), SAID).capture_time == facts(own).capture_time


@pytest.mark.parametrize(
    "guess", [None, TimeSource.MOVIE_HEADER, TimeSource.EXIF_MODIFIED, TimeSource.FILE_NAME, TimeSource.FILE_MODIFIED]
)
def test_the_sources_word_comes_before_guesses_and_gives_the_day_where_it_was_taken(guess: TimeSource | None) -> None:
    assert informed(facts(guess), SAID).capture_time == SOURCES


def test_the_source_adds_the_zone_a_camera_left_out() -> None:
    own = facts(TimeSource.EXIF_LOCAL, "2024-05-13T00:03:22.120")

    assert informed(own, SAID).capture_time == CaptureTime(
        local="2024-05-13T00:03:22.120", offset_min=120, source=TimeSource.EXIF_LOCAL
    )


def test_the_place_is_the_files_own_or_else_the_sources() -> None:
    own = Place(latitude=1.0, longitude=1.0)
    with_place = Facts(kind=Kind.PICTURE, media_type="image/jpeg", place=own)

    assert informed(with_place, SAID).place == own
    assert informed(facts(None), SAID).place == SAID.place


@pytest.mark.parametrize("taken_at_ms", [None, -(10**17), 10**17, -4_000_000_000_000])
def test_a_time_no_calendar_holds_is_none(taken_at_ms: int | None) -> None:
    assert said_time(Said(taken_at_ms=taken_at_ms)) is None


def test_a_source_that_says_nothing_changes_nothing() -> None:
    assert informed(facts(TimeSource.FILE_NAME), None) == facts(TimeSource.FILE_NAME)
