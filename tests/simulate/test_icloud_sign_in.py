"""The real pyicloud signs in, or is told why not."""

import base64
from pathlib import Path

import pytest
from pyicloud.exceptions import (
    PyiCloudAcceptTermsException,
    PyiCloudAccountLockedException,
    PyiCloudAPIResponseException,
    PyiCloudFailedLoginException,
    PyiCloudServiceUnavailable,
)

from mediabox.simulate.icloud.directory import CodeFlags
from mediabox.simulate.icloud.faults import Fault, Status, hidden_refusal, throttled
from mediabox.simulate.icloud.lives import DAY_S, HOUR_S, MINUTE_S
from mediabox.simulate.icloud.simulator import Simulator
from simulate.icloud_fixtures import APPLE_ID, PASSWORD, pyicloud_of, trusted_pyicloud


def auth(api, method: str, path: str, **body):
    """A call to the sign-in host that pyicloud has no method for."""
    headers = api._get_auth_headers({"Accept": "application/json"})
    url = f"{api._auth_endpoint}/{path}".rstrip("/")
    return api.session.request_raw(method, url, headers=headers, json=body or None)


def flags(api) -> dict[str, bool]:
    shown = auth(api, "GET", "").json()["securityCode"]
    return {name for name, value in shown.items() if value is True}


def test_signs_in_with_a_code_by_sms(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    assert api.requires_2fa
    assert threaded_icloud.pushes[-1].way == "sms"

    accepted = api.validate_2fa_code(threaded_icloud.code())

    assert accepted
    assert api.is_trusted_session
    assert not api.requires_2fa


def test_signs_in_with_a_code_on_a_device_that_comes_only_when_asked_for(
    threaded_icloud: Simulator, tmp_path: Path
) -> None:
    threaded_icloud.account().phones.clear()
    api = pyicloud_of(threaded_icloud, tmp_path)
    assert threaded_icloud.pushes == []

    assert auth(api, "PUT", "verify/trusteddevice/securitycode").status_code == 202
    api.use_existing_trusted_device_code()

    assert threaded_icloud.pushes[-1].way == "device"
    assert api.validate_2fa_code(threaded_icloud.code())
    assert api.is_trusted_session


def test_signs_in_by_the_other_protocol(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().protocol = "s2k_fo"

    assert trusted_pyicloud(threaded_icloud, tmp_path).is_trusted_session


def test_refuses_a_wrong_password(threaded_icloud: Simulator, tmp_path: Path) -> None:
    with pytest.raises(PyiCloudFailedLoginException, match="email/password"):
        pyicloud_of(threaded_icloud, tmp_path, password="wrong")

    assert threaded_icloud.pushes == []


def test_refuses_an_account_nobody_has(threaded_icloud: Simulator, tmp_path: Path) -> None:
    with pytest.raises(PyiCloudFailedLoginException):
        pyicloud_of(threaded_icloud, tmp_path, apple_id="nobody@example.com")


def test_says_when_the_account_is_locked(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().is_locked = True

    with pytest.raises(PyiCloudAccountLockedException):
        pyicloud_of(threaded_icloud, tmp_path)


def test_refuses_a_wrong_code_then_takes_the_right_one(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    right = threaded_icloud.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    assert not api.validate_2fa_code(wrong)
    assert api.session.data["apple_ercd"] == "-21669"
    assert api.validate_2fa_code(right)


def test_the_page_is_html_unless_json_is_asked_for(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    types = []
    for accept in (None, "text/html", "*/*", "application/json"):  # icloudpd sends none at all
        headers = {**api._get_auth_headers(), "Accept": accept}
        page = api.session.request_raw("GET", api._auth_endpoint, headers=headers)
        types.append(page.headers["Content-Type"].partition(";")[0])

    assert types == ["text/html", "text/html", "text/html", "application/json"]


def test_the_first_answer_is_json_that_calls_itself_html(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    body = {"a": "Ag==", "accountName": APPLE_ID, "protocols": ["s2k"]}

    answered = auth(api, "POST", "signin/init", **body)

    assert answered.headers["Content-Type"].startswith("text/html")
    assert answered.json().keys() == {"iteration", "salt", "protocol", "version", "b", "c"}
    assert "X-Apple-ID-Session-Id" not in answered.headers


def test_a_code_is_good_once_and_for_ten_minutes(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    code = threaded_icloud.code()

    threaded_icloud.clock.advance(10 * MINUTE_S + 1)

    assert not api.validate_2fa_code(code)


def test_too_many_wrong_codes_cool_down_then_lock(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)
    code = {"phoneNumber": {"id": 1}, "securityCode": {"code": "x"}, "mode": "sms"}
    answers = [auth(api, "POST", "verify/phone/securitycode", **code) for _ in range(4)]
    assert [each.status_code for each in answers] == [400, 400, 423, 423]
    assert answers[2].json()["securityCode"]["tooManyCodesValidated"]
    assert answers[3].json()["securityCode"]["securityCodeCooldown"]
    assert flags(api) == {"securityCodeCooldown"}
    threaded_icloud.clock.advance(5 * MINUTE_S)
    assert flags(api) == set()

    for _ in range(2):
        auth(api, "POST", "verify/phone/securitycode", **code)

    assert flags(api) == {"securityCodeLocked"}
    assert auth(api, "PUT", "verify/phone", phoneNumber={"id": 1}, mode="sms").status_code == 423
    threaded_icloud.directory.unlock(threaded_icloud.account())
    assert flags(api) == set()


def test_too_many_codes_asked_for_are_not_sent(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = pyicloud_of(threaded_icloud, tmp_path)  # asks for the first
    asked = [auth(api, "PUT", "verify/phone", phoneNumber={"id": 1}, mode="sms").status_code for _ in range(5)]

    assert asked == [200, 200, 200, 200, 423]
    assert len(threaded_icloud.pushes) == 5
    assert flags(api) == {"tooManyCodesSent"}


def test_any_flag_can_be_forced(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().forced_flags = CodeFlags(security_code_locked=True)

    assert flags(pyicloud_of(threaded_icloud, tmp_path)) == {"securityCodeLocked"}


def test_a_trusted_browser_signs_in_again_without_a_code(threaded_icloud: Simulator, tmp_path: Path) -> None:
    trusted_pyicloud(threaded_icloud, tmp_path)
    sent = len(threaded_icloud.pushes)

    again = pyicloud_of(threaded_icloud, tmp_path)  # its cookie is good: validate is enough
    threaded_icloud.directory.forget_sessions()
    after_forgetting = pyicloud_of(threaded_icloud, tmp_path)  # password and trust token

    assert again.is_trusted_session
    assert after_forgetting.is_trusted_session
    assert len(threaded_icloud.pushes) == sent
    assert threaded_icloud.calls["auth.complete"] == 2


def test_trust_ends_after_its_days(threaded_icloud: Simulator, tmp_path: Path) -> None:
    trusted_pyicloud(threaded_icloud, tmp_path)

    threaded_icloud.clock.advance(61 * DAY_S)

    assert pyicloud_of(threaded_icloud, tmp_path).requires_2fa


def test_the_cookie_ends_before_the_trust(threaded_icloud: Simulator, tmp_path: Path) -> None:
    trusted_pyicloud(threaded_icloud, tmp_path)
    before = threaded_icloud.calls["auth.complete"]

    threaded_icloud.clock.advance(35 * DAY_S)

    assert pyicloud_of(threaded_icloud, tmp_path).is_trusted_session
    assert threaded_icloud.calls["auth.complete"] == before + 1


def test_logging_out_ends_session_and_trust(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = trusted_pyicloud(threaded_icloud, tmp_path)

    assert api.logout()["remote_logout_confirmed"]

    assert pyicloud_of(threaded_icloud, tmp_path).requires_2fa


def test_sign_in_survives_what_the_account_wants_repaired(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().needs_repair = True
    with pytest.raises(PyiCloudFailedLoginException):  # pyicloud knows no 412
        pyicloud_of(threaded_icloud, tmp_path)
    api = pyicloud_of(threaded_icloud, tmp_path, authenticate=False)

    repaired = auth(api, "POST", "repair/complete")

    assert repaired.status_code == 409  # as without repair: now the second factor
    assert "X-Apple-Session-Token" in repaired.headers


def test_terms_have_to_be_accepted(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().pending_terms = 20261
    with pytest.raises(PyiCloudAcceptTermsException):
        trusted_pyicloud(threaded_icloud, tmp_path)
    api = pyicloud_of(threaded_icloud, tmp_path, authenticate=False)
    api._accept_terms = True

    api.authenticate(force_refresh=True)

    assert threaded_icloud.account().pending_terms is None


def test_the_wrong_region_says_where_to_go(icloud_home: Path, tmp_path: Path, threaded_icloud: Simulator) -> None:
    threaded_icloud.account().region = ".cn"
    api = pyicloud_of(threaded_icloud, tmp_path)
    api.validate_2fa_code(threaded_icloud.code())

    assert api.data == {"domainToUse": "iCloud.com.cn"}


def test_security_keys_are_asked_for(threaded_icloud: Simulator, tmp_path: Path) -> None:
    threaded_icloud.account().security_keys = ["YubiKey"]

    api = pyicloud_of(threaded_icloud, tmp_path)

    assert api.two_factor_delivery_method == "security_key"
    assert api.security_key_names == ["YubiKey"]
    assert base64.urlsafe_b64decode(api._auth_data["fsaChallenge"]["challenge"])
    assert threaded_icloud.pushes == []


def test_advanced_data_protection_wants_a_tap_each_hour(
    threaded_icloud: Simulator, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("pyicloud.base.PCS_SLEEP_TIME", 0)
    monkeypatch.setattr("pyicloud.base.PCS_MAX_RETRIES", 2)
    account = threaded_icloud.account()
    account.has_advanced_protection = True
    account.library.add(Path(__file__))
    api = trusted_pyicloud(threaded_icloud, tmp_path)
    with pytest.raises(PyiCloudAPIResponseException):
        _ = api.photos
    assert threaded_icloud.calls["setup.consent"] == 1
    threaded_icloud.consent(account)
    account.are_device_cookies_there = False
    with pytest.raises(PyiCloudAPIResponseException):
        _ = api.photos
    account.are_device_cookies_there = True

    assert len(api.photos.all) == 1

    threaded_icloud.clock.advance(HOUR_S + 1)
    with pytest.raises(PyiCloudAPIResponseException):
        _ = api.photos


def test_web_access_turned_off_ends_in_421(threaded_icloud: Simulator, tmp_path: Path) -> None:
    api = trusted_pyicloud(threaded_icloud, tmp_path)
    threaded_icloud.account().has_web_access = False

    with pytest.raises(PyiCloudServiceUnavailable) as failure:
        _ = api.photos

    assert failure.value.__cause__.code == 421
    assert api._validate_token()["dsInfo"]["isWebAccessAllowed"] is False


def test_two_people_have_two_libraries(threaded_icloud: Simulator, tmp_path: Path) -> None:
    other = threaded_icloud.add_account("other@example.com", "secret")
    other.library.add(Path(__file__))
    api = pyicloud_of(threaded_icloud, tmp_path / "b", apple_id="other@example.com", password="secret")
    api.validate_2fa_code(threaded_icloud.code())

    assert len(api.photos.all) == 1
    assert len(trusted_pyicloud(threaded_icloud, tmp_path / "a").photos.all) == 0


@pytest.mark.parametrize(
    ("where", "what", "expected"),
    [
        ("auth.init", throttled(), PyiCloudFailedLoginException),
        ("auth.complete", Status(403), PyiCloudFailedLoginException),
        ("auth.complete", hidden_refusal(403), PyiCloudFailedLoginException),
        ("setup.login", Status(421), PyiCloudFailedLoginException),
    ],
)
def test_a_refusal_on_the_way_ends_the_sign_in(
    threaded_icloud: Simulator, tmp_path: Path, where: str, what: Status, expected
) -> None:
    trusted_pyicloud(threaded_icloud, tmp_path)
    threaded_icloud.directory.forget_sessions()
    threaded_icloud.faults.add(Fault(where, what, times=None))

    with pytest.raises(expected):
        pyicloud_of(threaded_icloud, tmp_path)

    assert threaded_icloud.faults.fired[where]


def test_the_names_in_the_fixtures_are_the_accounts(threaded_icloud: Simulator) -> None:
    account = threaded_icloud.account(APPLE_ID)

    assert (account.apple_id, account.password) == (APPLE_ID, PASSWORD)
