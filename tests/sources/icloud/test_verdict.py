"""What each of Apple's answers means, by itself."""

import msgspec
import pytest

from mediabox.sources.icloud.sign_in.messages import (
    Cooldown,
    Locked,
    NeedsTerms,
    RateLimited,
    Refused,
    TooManyCodes,
    WebAccessOff,
    WrongCode,
    WrongPassword,
    WrongRegion,
)
from mediabox.sources.icloud.sign_in.verdict import Seen, read_body, verdict


def seen(step: str, status: int, body: object = None, *, method: str = "POST", **headers: str) -> Seen:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Seen(method=method, step=step, status=status, headers=named, body=read_body(msgspec.json.encode(body)))


def errors(code: str | int) -> dict:
    return {"serviceErrors": [{"code": code, "message": "words that change"}], "hasError": True}


def flags(**given: bool) -> dict:
    return {"service_errors": [{"code": "-21669"}], "securityCode": {"length": 6, **given}}


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (seen("signin/init", 503, retry_after="30"), RateLimited(retry_after_s=30.0)),
        (seen("signin/init", 503), RateLimited()),
        (seen("validate", 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), RateLimited()),
        (seen("signin/init", 401, errors("-20101")), WrongPassword()),
        (seen("signin/complete", 401, errors(-20101)), WrongPassword()),
        (seen("signin/complete", 200, {}, x_apple_i_rscd="401", x_apple_i_ercd="-20101"), WrongPassword()),
        (seen("signin/complete", 403, errors("-20209")), Locked(account=True)),
        (seen("accountLogin", 403, errors("-20209")), Locked(account=True)),
        (seen("verify/phone/securitycode", 400, flags()), WrongCode()),
        (seen("verify/trusteddevice/securitycode", 400, None, x_apple_i_ercd="-21669"), WrongCode()),
        (seen("verify/phone/securitycode", 423, flags(securityCodeLocked=True)), Locked(account=False)),
        (seen("verify/phone/securitycode", 400, flags(tooManyCodesValidated=True)), TooManyCodes(sent=False)),
        (seen("verify/phone", 423, flags(tooManyCodesSent=True), method="PUT"), TooManyCodes(sent=True)),
        (seen("verify/phone", 423, flags(securityCodeCooldown=True), method="PUT"), Cooldown()),
        (
            seen("", 200, {"phoneNumberVerification": {"securityCode": {"securityCodeLocked": True}}}, method="GET"),
            Locked(account=False),
        ),
        (seen("accountLogin", 200, {"domainToUse": "iCloud.com.cn"}), WrongRegion(domain="iCloud.com.cn")),
        (seen("accountLogin", 302, {"domainToUse": "iCloud.com"}), WrongRegion(domain="iCloud.com")),
        (seen("accountLogin", 200, {"termsUpdateNeeded": True}), NeedsTerms()),
        (seen("validate", 200, {"dsInfo": {"isWebAccessAllowed": False}}), WebAccessOff()),
    ],
)
def test_is_told_apart(answer: Seen, meaning: object) -> None:
    assert verdict(answer) == meaning


@pytest.mark.parametrize(
    "answer",
    [
        seen("signin/complete", 200, {}, x_apple_i_rscd="401"),
        seen("signin/complete", 200, {}, x_apple_i_rscd="403"),
        seen("signin/init", 418, errors("-28404")),
        seen("verify/phone/securitycode", 404),
    ],
)
def test_what_is_not_known_says_which_step_and_which_code(answer: Seen) -> None:
    meaning = verdict(answer)

    assert isinstance(meaning, Refused)
    assert answer.step in meaning.detail
    assert "words that change" not in meaning.detail


@pytest.mark.parametrize(
    "answer",
    [
        seen("signin/init", 200, {"b": "x"}),
        seen("signin/complete", 409, {"authType": "hsa2"}, x_apple_i_rscd="409"),
        seen("signin/complete", 412),
        seen("accountLogin", 200, {"dsInfo": {"isWebAccessAllowed": True}, "termsUpdateNeeded": False}),
        seen("accountLogin", 421),
        seen("validate", 450),
        seen("verify/phone/securitycode", 409, {"securityCode": {"valid": True}}),
        seen("verify/trusteddevice/securitycode", 204),
        seen("requestWebAccessState", 200, {"isICDRSDisabled": True}),
        seen("", 200, "<html>"),
        seen("", 200, {"securityCode": {"length": "6", "securityCodeLocked": "false"}}),
    ],
)
def test_what_settles_nothing_is_left_to_the_client(answer: Seen) -> None:
    assert verdict(answer) is None


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"serviceErrors": 7}', b"\xff\xfe", b'{"dsInfo": null}'])
def test_any_body_can_be_read(content: bytes) -> None:
    assert read_body(content).codes == set()
