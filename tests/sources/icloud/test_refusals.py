import pytest

from mediabox.sources.icloud.answers import Trouble
from mediabox.sources.icloud.refusals import Remedy, retry_after_s, verdict_on


@pytest.mark.parametrize(
    ("status", "code", "reason", "verdict"),
    [
        (200, None, None, None),
        (421, None, None, Remedy.EXPIRED),
        (450, None, None, Remedy.EXPIRED),
        (401, None, None, Remedy.EXPIRED),
        (403, None, None, Remedy.EXPIRED),
        (421, "AUTHENTICATION_FAILED", "no auth method found", Remedy.EXPIRED),
        (200, None, "Invalid global session", Remedy.EXPIRED),
        (403, "ACCESS_DENIED", "private db access disabled for this account", Remedy.CLOSED),
        (403, "ACCESS_DENIED", "", Remedy.BUSY),
        (429, None, None, Remedy.BUSY),
        (503, None, None, Remedy.BUSY),
        (500, None, None, Remedy.BUSY),
        (200, "THROTTLED", "", Remedy.BUSY),
        (200, "TRY_AGAIN_LATER", "", Remedy.BUSY),
        (200, "CAS_OP_LOCK", "", Remedy.BUSY),
        (200, "ZONE_NOT_FOUND", "Zone does not exist", Remedy.ZONE_GONE),
        (200, "BAD_REQUEST", "Unknown sync continuation type", Remedy.BAD_TOKEN),
        (400, "BAD_REQUEST", "Invalid continuation format", Remedy.BAD_TOKEN),
        (400, "BAD_REQUEST", "something else", Remedy.UNKNOWN),
        (404, None, None, Remedy.UNKNOWN),
        (302, None, None, Remedy.UNKNOWN),
    ],
)
def test_every_refusal_has_its_verdict(status: int, code: str, reason: str, verdict: Remedy | None) -> None:
    assert verdict_on(status, Trouble(server_error_code=code, reason=reason)) is verdict or (
        # a reason alone is only looked at beside an error
        verdict is Remedy.EXPIRED and verdict_on(status, Trouble(error=reason)) is verdict
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
