"""How files write a moment: what is understood, what is kept as a period, what is no date."""

import pytest

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.native.tags.dates import candidate, moment, movie_instant


def read(text: str) -> tuple[str, int | None] | None:
    found = moment(text)
    taken = None if found is None else candidate(found, TimeSource.XMP)
    return None if taken is None else (taken.local, taken.offset_min)


@pytest.mark.parametrize(
    ("text", "local", "offset_min"),
    [
        ("2021:11:20 15:32:10", "2021-11-20T15:32:10", None),
        ("2021:11:20 3:32:10 PM", "2021-11-20T15:32:10", None),
        ("2021:11:20 03:32:10 p.m.", "2021-11-20T15:32:10", None),
        ("2021:11:20 PM 3:32:10", "2021-11-20T15:32:10", None),
        ("2021:11:20 12:04:20 AM", "2021-11-20T00:04:20", None),
        ("2021:11:20 12:04:20 pm", "2021-11-20T12:04:20", None),
        ("2021:11:20 下午 3:32:10", "2021-11-20T15:32:10", None),
        ("2021:11:20 下午3:32:10", "2021-11-20T15:32:10", None),
        ("2021:11:20 上午 3:32:10", "2021-11-20T03:32:10", None),
        ("2021:11:20 오후 3:32:10", "2021-11-20T15:32:10", None),
        ("下午".encode("gb2312").decode("latin-1").join(("2021:11:20 ", "3:32:10")), "2021-11-20T15:32:10", None),
        ("2021:11:20 24:04:20", "2021-11-20T00:04:20", None),
        ("2021:11:20 15:32: 2", "2021-11-20T15:32:02", None),
        ("2021:11: 2 15:32:10", "2021-11-02T15:32:10", None),
        ("2021: 1: 2 15:32:10", "2021-01-02T15:32:10", None),
        ("2021-11-20T15:32:10.25+05:30", "2021-11-20T15:32:10.250", 330),
        ("2021-11-20T15:32+0200", "2021-11-20T15:32:00", 120),
        ("2021-11-20T15:32:60Z", "2021-11-20T15:32:59", 0),
        ("Sat Mar  5 12:34:56 2005", "2005-03-05T12:34:56", None),
        ("SAT MAR 05 12:34:56 2005", "2005-03-05T12:34:56", None),
        ("Sat, 05 Mar 2005 12:34:56 +0100", "2005-03-05T12:34:56", 60),
        ("5 March 2005 12:34:56 GMT", "2005-03-05T12:34:56", 0),
        ("1987", "1987", None),
        ("1987-06", "1987-06", None),
        ("1987-06-15", "1987-06-15", None),
        ("1987-00-00", "1987", None),
        ("1987-06-00", "1987-06", None),
        ("1987:00:00 00:00:00", "1987", None),
        ("1987:06:00 00:00:00", "1987-06", None),
        ("1987:  :     :  :  ", "1987", None),
        ("1987:06:15   :  :  ", "1987-06-15", None),
        ("2021:11:20 77:04:20", "2021-11-20", None),
        ("20211120", "2021-11-20", None),
        ("20211120 153210", "2021-11-20T15:32:10", None),
        ("20211120T153210Z", "2021-11-20T15:32:10", 0),
        ("20211100", "2021-11", None),
        ("2021:11:20:15:32:10", "2021-11-20T15:32:10", None),
        ("2021-11-20-15.32.10", "2021-11-20T15:32:10", None),
        ("2021-11-20-07:00", "2021-11-20", None),
        ("2021年11月20日 15時32分10秒", "2021-11-20T15:32:10", None),
        ("2021년 11월 20일 오후 3:32:10", "2021-11-20T15:32:10", None),
        ("٢٠٢١:١١:٢٠ ١٥:٣٢:١٠", "2021-11-20T15:32:10", None),
        ("20.11.2021 15:32:10", "2021-11-20T15:32:10", None),
        ("03.04.2021", "2021-04-03", None),
        ("20/11/2021 15:32:10", "2021-11-20T15:32:10", None),
        ("11/20/2021 15:32:10", "2021-11-20T15:32:10", None),
        ("03/04/2021 15:32:10", "2021", None),  # American or not: only the year is sure
        ("2564:11:20 15:32:10", "2021-11-20T15:32:10", None),  # a phone set to Thai
        ("2555:02:29 15:32:10", "2012-02-29T15:32:10", None),
        ("2564-11-20T15:32:10", "2564-11-20T15:32:10", None),  # ISO 8601 knows one calendar; our sidecars write it
        ('"2021:11:20 15:32:10"', "2021-11-20T15:32:10", None),
    ],
)
def test_a_date_is_read_as_far_as_it_is_known(text: str, local: str, offset_min: int | None) -> None:
    assert read(text) == (local, offset_min)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "0000",
        "2021:13:01 10:00:00",
        "2021-02-30",
        "20211",
        "20211320",
        "1234567890",
        "30.02.2021",
        "9999:99:99 99:99:99",
        "May be",
        "PM",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read(text) is None


def test_a_period_is_filed_by_its_first_day_and_given_as_a_moment_only_when_it_is_a_day() -> None:
    year, month, day, exact = (
        CaptureTime(local=local, source=TimeSource.XMP)
        for local in ("1987", "1987-06", "1987-06-15", "1987-06-15T08:00:00")
    )

    assert [time.begins for time in (year, month, day, exact)] == [
        "1987-01-01T12:00:00", "1987-06-01T12:00:00", "1987-06-15T12:00:00", "1987-06-15T08:00:00",
    ]  # fmt: skip
    assert [time.middle[:10] for time in (year, month, day)] == ["1987-07-16", "1987-06-16", "1987-06-15"]
    assert (year.as_moment(), month.as_moment()) == (None, None)
    assert day.as_moment() == CaptureTime(local="1987-06-15T12:00:00", source=TimeSource.XMP)
    assert exact.as_moment() is exact


def test_a_movie_clock_that_began_in_1970_is_found_out() -> None:
    unix = 1_373_133_600  # 2013-07-06T18:00:00Z
    assert movie_instant(unix).isoformat() == "2013-07-06T18:00:00+00:00"
    assert movie_instant(unix + 2_082_844_800).isoformat() == "2013-07-06T18:00:00+00:00"
    assert movie_instant(0) is None
