import pytest

from mediabox.sources.icloud.answers import Trouble
from mediabox.sources.icloud.refusals import Verdict, retry_after_s, verdict_on


@pytest.mark.parametrize(
    ("status", "code", "reason", "verdict"),
    [
        (200, None, None, None),
        (421, None, None, Verdict.EXPIRED),
        (450, None, None, Verdict.EXPIRED),
        (401, None, None, Verdict.EXPIRED),
        (403, None, None, Verdict.EXPIRED),
        (421, "AUTHENTICATION_FAILED", "no auth method found", Verdict.EXPIRED),
        (200, None, "Invalid global session", Verdict.EXPIRED),
        (403, "ACCESS_DENIED", "private db access disabled for this account", Verdict.CLOSED),
        (403, "ACCESS_DENIED", "", Verdict.BUSY),
        (429, None, None, Verdict.BUSY),
        (503, None, None, Verdict.BUSY),
        (500, None, None, Verdict.BUSY),
        (200, "THROTTLED", "", Verdict.BUSY),
        (200, "TRY_AGAIN_LATER", "", Verdict.BUSY),
        (200, "CAS_OP_LOCK", "", Verdict.BUSY),
        (200, "ZONE_NOT_FOUND", "Zone does not exist", Verdict.ZONE_GONE),
        (200, "BAD_REQUEST", "Unknown sync continuation type", Verdict.BAD_TOKEN),
        (400, "BAD_REQUEST", "Invalid continuation format", Verdict.BAD_TOKEN),
        (400, "BAD_REQUEST", "something else", Verdict.UNKNOWN),
        (404, None, None, Verdict.UNKNOWN),
        (302, None, None, Verdict.UNKNOWN),
    ],
)
def test_every_refusal_has_its_verdict(status: int, code: str, reason: str, verdict: Verdict | None) -> None:
    assert verdict_on(status, Trouble(server_error_code=code, reason=reason)) is verdict or (
        # a reason alone is only looked at beside an error
        verdict is Verdict.EXPIRED and verdict_on(status, Trouble(error=reason)) is verdict
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("7", 7.0), (" 120 ", 120.0), ("soon", None), ("-3", None), ("99999999999999", 999999999.0)],
)
def test_reads_the_seconds_of_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": text}, now_ms=0) == seconds


def test_reads_the_date_of_retry_after() -> None:
    headers = {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}

    assert retry_after_s(headers, now_ms=784_111_767_000) == 10.0
    assert retry_after_s(headers, now_ms=784_111_888_000) == 0.0
