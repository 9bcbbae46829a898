"""The real pyicloud signs in to the simulator: every way in, and every way it can be turned down."""

import asyncio
import secrets
from typing import Any

import pytest
from aiohttp import web

from mediabox.model.sign_in import AcceptTerms, Method, RequestCode, RequestConsent, SubmitCode
from mediabox.simulate.icloud.auth import Auth
from mediabox.simulate.icloud.directory import CodeFlags
from mediabox.simulate.icloud.directory import Phone as SimulatedPhone
from mediabox.simulate.icloud.faults import Dropped, Fault, Status
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.srp import Verifier
from mediabox.sources.icloud.endpoints import Endpoints
from mediabox.sources.icloud.session import Protection, first_to_expire
from mediabox.sources.icloud.sign_in.conversation import Conversation
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    Cooldown,
    Depth,
    Locked,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsRepair,
    NeedsSecurityKey,
    NeedsTerms,
    RateLimited,
    Refused,
    Request,
    SignedIn,
    Start,
    TooManyCodes,
    Unreachable,
    Validate,
    WebAccessOff,
    WrongCode,
    WrongPassword,
    WrongRegion,
)
from sources.icloud.conftest import APPLE_ID, PASSWORD

DEVICE, SMS = RequestCode(method=Method.DEVICE), RequestCode(method=Method.SMS)
SRP = ("auth.init", "auth.complete")
PUSHES = ("auth.device.push", "auth.phone.push", "auth.bridge")


class Person:
    """Speaks to one conversation after the other, as the daemon would: the browser's memory goes along."""

    def __init__(self, icloud: Simulator, endpoints: Endpoints) -> None:
        self.icloud, self.endpoints = icloud, endpoints
        self.conversation = Conversation()
        self.browser = None

    async def say(self, request: Request) -> Answer:
        reply = await asyncio.to_thread(self.conversation.reply, request)
        self.browser = reply.browser
        return reply.answer

    async def start(self, *, password: str | None = PASSWORD, depth: Depth = Depth.VALIDATE) -> Answer:
        self.conversation = Conversation()
        self.icloud.calls.clear()
        return await self.say(
            Start(
                apple_id=APPLE_ID,
                endpoints=self.endpoints,
                browser=self.browser,
                password=password,
                depth=depth,
            )
        )

    async def sign_in(self) -> SignedIn:
        answers = [await self.start(), await self.say(DEVICE)]
        assert self.icloud.pushes, answers
        answer = await self.say(SubmitCode(code=self.icloud.code()))
        assert isinstance(answer, SignedIn), answer
        return answer

    def calls(self, *names: str) -> int:
        return sum(self.icloud.calls[name] for name in names)


@pytest.fixture
def anna(icloud: Simulator, endpoints: Endpoints) -> Person:
    return Person(icloud, endpoints)


@pytest.fixture
def account(icloud: Simulator):
    return icloud.account()


# ---------------------------------------------------------------- the ways in


@pytest.mark.parametrize("protocol", ["s2k", "s2k_fo"])
async def test_signs_in_with_a_code_shown_on_a_device(anna: Person, account, protocol: str) -> None:
    account.protocol = protocol

    wants = await anna.start()
    sent = await anna.say(DEVICE)
    answer = await anna.say(SubmitCode(code=anna.icloud.code()))

    assert isinstance(wants, NeedsCode)
    assert (wants.methods, wants.sent, wants.digits) == ((Method.DEVICE, Method.SMS), None, 6)
    assert isinstance(sent, NeedsCode)
    assert sent.sent is Method.DEVICE
    assert isinstance(answer, SignedIn)
    session = answer.session
    assert session.is_trusted
    assert session.dsid == account.dsid
    assert session.photos_url == anna.icloud.hosts.database
    assert session.upload_url == anna.icloud.hosts.upload
    assert session.country == "FRA"
    assert session.protection is Protection.STANDARD
    assert first_to_expire(session).name == "X-APPLE-WEBAUTH-USER"
    assert {"trust_token", "session_token", "scnt"} <= set(session.browser.echoes)


async def test_an_account_whose_salt_begins_with_zero_signs_in(anna: Person, account) -> None:
    account._verifier = Verifier(
        APPLE_ID, PASSWORD, protocol="s2k", salt=b"\0" + secrets.token_bytes(15), iterations=20_000
    )

    assert isinstance(await anna.start(), NeedsCode)


async def test_signs_in_with_a_code_texted_to_the_chosen_phone(anna: Person, account) -> None:
    account.phones = [SimulatedPhone(id=1), SimulatedPhone(id=4, number="+49 151 98765432")]

    wants = await anna.start()
    await anna.say(RequestCode(method=Method.SMS, phone="4"))
    answer = await anna.say(SubmitCode(code=anna.icloud.code()))

    assert [phone.id for phone in wants.phones] == ["1", "4"]
    assert wants.phones[1].masked.endswith("32")
    assert "98765" not in wants.phones[1].masked
    assert [push.phone for push in anna.icloud.pushes] == [4]
    assert isinstance(answer, SignedIn)


@pytest.mark.parametrize("route", ["auth/verify/phone", "auth/bridge/step", "auth/verify/trusteddevice"])
async def test_no_code_is_sent_before_somebody_asks_and_then_exactly_one(anna: Person, account, route: str) -> None:
    account.initial_route = route

    await anna.start()
    assert anna.calls(*PUSHES) == 0
    await anna.say(DEVICE)
    assert (anna.calls(*PUSHES), [push.way for push in anna.icloud.pushes]) == (1, ["device"])
    await anna.say(SMS)
    assert (anna.calls(*PUSHES), [push.way for push in anna.icloud.pushes]) == (2, ["device", "sms"])

    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)


async def test_offers_only_sms_when_no_device_is_trusted(anna: Person, account) -> None:
    account.has_trusted_devices = False

    assert (await anna.start()).methods == (Method.SMS,)
    assert isinstance(await anna.say(DEVICE), Refused)
    assert anna.icloud.pushes == []


async def test_a_good_session_costs_two_calls(anna: Person) -> None:
    await anna.sign_in()

    answer = await anna.start()

    assert isinstance(answer, SignedIn)
    assert dict(anna.icloud.calls) == {"setup.validate": 1, "setup.web_access": 1}


async def test_tokens_renew_an_ended_session_without_password_or_code(anna: Person) -> None:
    first = await anna.sign_in()
    anna.icloud.directory.sessions.clear()

    answer = await anna.start(password=None)

    assert isinstance(answer, SignedIn)
    assert answer.session.cookies != first.session.cookies
    assert anna.calls(*SRP) == 0


async def test_a_trusted_browser_needs_the_password_only(anna: Person) -> None:
    await anna.sign_in()
    anna.icloud.directory.forget_sessions()

    assert isinstance(await anna.start(), SignedIn)
    assert [anna.calls(name) for name in SRP] == [1, 1]
    assert len(anna.icloud.pushes) == 1


async def test_an_ended_trust_asks_for_a_code_again_and_goes_on(anna: Person) -> None:
    await anna.sign_in()
    anna.icloud.directory.forget_trust()

    assert isinstance(await anna.start(), NeedsCode)
    await anna.say(SMS)
    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)


async def test_looks_deeper_only_as_far_as_told(anna: Person) -> None:
    await anna.sign_in()

    await anna.start(depth=Depth.TOKEN)
    assert (anna.calls("setup.validate"), anna.calls("setup.login"), anna.calls(*SRP)) == (0, 1, 0)
    await anna.start(depth=Depth.PASSWORD)
    assert (anna.calls("setup.validate"), anna.calls("setup.login"), anna.calls(*SRP)) == (0, 1, 2)


async def test_without_a_password_nothing_but_the_tokens_is_tried(anna: Person) -> None:
    await anna.sign_in()
    anna.icloud.directory.forget_sessions()

    assert await anna.start(password=None) == NeedsPassword()
    assert anna.calls(*SRP) == 0


async def test_an_account_apple_wants_repaired_signs_in(anna: Person, account) -> None:
    await anna.sign_in()
    anna.icloud.directory.forget_sessions()
    account.needs_repair = True

    assert isinstance(await anna.start(), SignedIn)
    assert anna.calls("auth.repair") == 1


async def test_an_account_to_be_repaired_may_also_want_a_code(anna: Person, account) -> None:
    account.needs_repair = True

    assert isinstance(await anna.start(), NeedsCode)
    await anna.say(DEVICE)
    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)


@pytest.mark.parametrize("body", [{"securityCode": {"valid": True}, "trustedDeviceCount": 1}, {}], ids=str)
async def test_a_code_that_is_answered_with_412_is_taken_and_what_apple_wants_repaired_is_skipped(
    anna: Person, monkeypatch: pytest.MonkeyPatch, body: dict[str, object]
) -> None:
    """The answer of icloudpd #1026, whose password and code were right."""
    code = Auth._code

    async def precondition(self: Auth, request: web.Request, way: Any) -> web.Response:
        found = await code(self, request, way)
        return found if found.status >= 400 else web.json_response(body, status=412, headers=found.headers)

    monkeypatch.setattr(Auth, "_code", precondition)
    await anna.start()
    await anna.say(DEVICE)

    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)
    assert anna.calls("auth.repair") == 1


async def test_a_code_of_another_number_is_answered_with_412_and_another_one_may_be_tried(anna: Person) -> None:
    await anna.start()
    await anna.say(DEVICE)
    anna.icloud.faults.add(Fault("auth.device.code", Status(412)))

    assert await anna.say(SubmitCode(code=anna.icloud.code())) == WrongCode()
    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)


@pytest.mark.parametrize("endpoint", ["auth.init", "auth.device.push", "setup.login", "auth.repair"])
async def test_what_has_to_be_looked_after_first_is_no_refusal(anna: Person, account, endpoint: str) -> None:
    account.needs_repair = endpoint == "auth.repair"
    anna.icloud.faults.add(Fault(endpoint, Status(412), times=None))

    answer = await anna.start()
    if isinstance(answer, NeedsCode):
        answer = await anna.say(DEVICE)
    if isinstance(answer, NeedsCode):
        answer = await anna.say(SubmitCode(code=anna.icloud.code()))

    assert answer == NeedsRepair()


# ---------------------------------------------------------------- turned down


async def test_a_wrong_password_is_tried_once(anna: Person) -> None:
    assert await anna.start(password="not it") == WrongPassword()
    assert [anna.calls(name) for name in SRP] == [1, 1]
    assert anna.calls("setup.login") == 0


async def test_a_wrong_code_then_the_right_one(anna: Person) -> None:
    await anna.start()
    await anna.say(DEVICE)

    assert await anna.say(SubmitCode(code="000000" if anna.icloud.code() != "000000" else "1")) == WrongCode()
    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)
    assert anna.calls(*PUSHES) == 1


async def test_a_wrong_texted_code_then_the_right_one(anna: Person) -> None:
    await anna.start()
    await anna.say(SMS)

    assert await anna.say(SubmitCode(code="x")) == WrongCode()
    assert isinstance(await anna.say(SubmitCode(code=anna.icloud.code())), SignedIn)


async def test_too_many_wrong_codes_a_cooldown_and_a_lock_are_told_apart(anna: Person) -> None:
    await anna.start()
    await anna.say(DEVICE)
    first = [await anna.say(SubmitCode(code="x")) for _ in range(4)]
    during = await anna.start()
    anna.icloud.clock.advance(600)
    await anna.start()
    later = [await anna.say(SubmitCode(code="x")) for _ in range(2)]

    assert first == [WrongCode(), WrongCode(), TooManyCodes(sent=False), Cooldown()]
    assert during == Cooldown()
    assert later == [WrongCode(), Locked(account=False)]
    assert await anna.start() == Locked(account=False)
    assert len(anna.icloud.pushes) == 1


async def test_too_many_codes_asked_for_is_told_and_ends(anna: Person) -> None:
    await anna.start()

    answers = [await anna.say(DEVICE) for _ in range(6)]

    assert [type(each) for each in answers[:5]] == [NeedsCode] * 5
    assert answers[5] == TooManyCodes(sent=True)
    assert await anna.start() == TooManyCodes(sent=True)


@pytest.mark.parametrize(
    ("flags", "meaning"),
    [
        (CodeFlags(security_code_cooldown=True), Cooldown()),
        (CodeFlags(security_code_locked=True, too_many_codes_validated=True), Locked(account=False)),
        (CodeFlags(too_many_codes_sent=True), TooManyCodes(sent=True)),
    ],
)
@pytest.mark.parametrize("request_", [DEVICE, SMS, SubmitCode(code="123456")])
async def test_what_apple_says_of_codes_is_understood_at_every_step(
    anna: Person, account, flags: CodeFlags, meaning: Answer, request_: Request
) -> None:
    await anna.start()
    account.forced_flags = flags

    answer = await anna.say(request_)

    # an answer is taken even when no more codes are sent
    assert answer == meaning or (flags.too_many_codes_sent and isinstance(request_, SubmitCode))
    assert anna.icloud.pushes == []


async def test_a_locked_account_is_told_from_a_wrong_password(anna: Person, account) -> None:
    account.is_locked = True

    assert await anna.start() == Locked(account=True)
    assert [anna.calls(name) for name in SRP] == [1, 1]


@pytest.mark.parametrize("retry_after_s", [None, 30])
async def test_busy_at_the_door_is_not_tried_again(anna: Person, retry_after_s: int | None) -> None:
    anna.icloud.faults.add(Fault("auth.init", Status(503, retry_after_s=retry_after_s), times=None))

    assert await anna.start() == RateLimited(retry_after_s=retry_after_s)
    assert (anna.calls("auth.init"), anna.calls("auth.complete")) == (1, 0)


@pytest.mark.parametrize("where", ["setup.validate", "setup.login", "auth.authorize", "setup.web_access"])
async def test_busy_anywhere_ends_there(anna: Person, where: str) -> None:
    await anna.sign_in()
    if where != "setup.validate":
        anna.icloud.directory.sessions.clear()
    if where == "auth.authorize":
        anna.icloud.directory.forget_sessions()
    anna.icloud.faults.add(Fault(where, Status(429, retry_after_s=9), times=None))

    assert await anna.start() == RateLimited(retry_after_s=9)
    assert anna.calls(*SRP) == 0


async def test_tells_whether_the_password_s_turn_had_come(anna: Person) -> None:
    await anna.sign_in()
    said = []

    for forget in (lambda: None, anna.icloud.directory.sessions.clear, anna.icloud.directory.forget_sessions):
        forget()
        start = Start(apple_id=APPLE_ID, endpoints=anna.endpoints, browser=anna.browser, password=PASSWORD)
        said.append(await asyncio.to_thread(Conversation().reply, start))

    assert [reply.used_password for reply in said] == [False, False, True]


@pytest.mark.parametrize("where", ["setup.validate", "auth.init", "auth.complete", "auth.page"])
async def test_a_cut_line_says_nothing_of_the_account(anna: Person, where: str) -> None:
    if where == "setup.validate":
        await anna.sign_in()
    anna.icloud.faults.add(Fault(where, Dropped(), times=None))

    answer = await anna.start()

    assert isinstance(answer, Unreachable)
    assert anna.calls(where) == 1


@pytest.mark.parametrize("code", ["401", "403"])
async def test_a_refusal_hidden_in_a_200_is_found(anna: Person, code: str) -> None:
    hidden = Status(200, "{}", headers={"X-Apple-I-Rscd": code}, content_type="application/json")
    anna.icloud.faults.add(Fault("auth.complete", hidden))

    answer = await anna.start()

    assert isinstance(answer, Refused)
    assert code in answer.detail
    assert anna.calls("setup.login") == 0


@pytest.mark.parametrize("body", ["", "{}", "<html>", '{"salt": 7}'])
async def test_an_answer_of_another_shape_is_a_refusal_not_a_crash(anna: Person, body: str) -> None:
    anna.icloud.faults.add(Fault("auth.init", Status(200, body, content_type="application/json")))

    assert isinstance(await anna.start(), Refused)


@pytest.mark.parametrize("where", ["auth.authorize", "auth.init", "auth.complete", "auth.page"])
async def test_trouble_at_apples_door_is_no_refusal_of_the_person(anna: Person, where: str) -> None:
    anna.icloud.faults.add(Fault(where, Status(500), times=None))

    assert await anna.start() == RateLimited()
    assert anna.calls(where) == 1


@pytest.mark.parametrize("status", [401, 403, 421, 450, 500])
async def test_a_session_that_is_over_is_renewed_by_the_tokens_whatever_says_so(anna: Person, status: int) -> None:
    """450: "sign in again", as kei and icloudpd read it."""
    await anna.sign_in()
    anna.icloud.faults.add(Fault("setup.validate", Status(status)))

    assert isinstance(await anna.start(password=None), SignedIn)


@pytest.mark.parametrize("where", ["setup.validate", "setup.login", "setup.web_access"])
@pytest.mark.parametrize("body", ["[]", "null", "7", "<html>"])
async def test_an_account_of_another_shape_is_no_crash(anna: Person, where: str, body: str) -> None:
    await anna.sign_in()
    if where == "setup.login":
        anna.icloud.directory.sessions.clear()
    anna.icloud.faults.add(Fault(where, Status(200, body, content_type="application/json"), times=None))

    assert isinstance(await anna.start(password=None), SignedIn | Refused | NeedsPassword)


@pytest.mark.parametrize("url", ["7", "null", '""', '"nowhere"', "[]"])
async def test_photos_without_an_address_are_a_refusal_not_a_crash(anna: Person, url: str) -> None:
    await anna.sign_in()
    body = '{"dsInfo": {"dsid": "1", "hsaVersion": 2}, "hsaTrustedBrowser": true, "webservices": {"ckdatabasews": '
    answer = Status(200, f'{body}{{"url": {url}}}}}}}', content_type="application/json")
    anna.icloud.faults.add(Fault("setup.validate", answer))

    assert isinstance(await anna.start(password=None), Refused)


async def test_an_account_of_another_region_says_which(anna: Person, account) -> None:
    account.region = ".cn"
    await anna.start()
    await anna.say(DEVICE)

    assert await anna.say(SubmitCode(code=anna.icloud.code())) == WrongRegion(domain="iCloud.com.cn")


async def test_a_security_key_is_named_and_no_code_sent(anna: Person, account) -> None:
    account.security_keys = ["blue key"]

    assert await anna.start() == NeedsSecurityKey(names=("blue key",))
    assert anna.calls(*PUSHES) == 0


async def test_web_access_switched_off_is_told_from_an_ended_session(anna: Person, account) -> None:
    await anna.sign_in()
    account.has_web_access = False

    assert await anna.start() == WebAccessOff()
    account.has_web_access = True
    assert isinstance(await anna.start(password=None), SignedIn)


# ---------------------------------------------------------------- terms, and Advanced Data Protection


async def test_new_terms_wait_for_the_owner(anna: Person, account) -> None:
    await anna.sign_in()
    account.pending_terms = 7

    assert await anna.start() == NeedsTerms()
    assert account.pending_terms == 7
    assert isinstance(await anna.say(AcceptTerms()), SignedIn)
    assert account.pending_terms is None


async def test_advanced_protection_opens_with_a_tap(anna: Person, account) -> None:
    account.has_advanced_protection = True
    await anna.start()
    await anna.say(DEVICE)

    assert await anna.say(SubmitCode(code=anna.icloud.code())) == NeedsAdpConsent(consent=Consent.NOT_ASKED)
    assert anna.calls("setup.consent") == 0
    assert await anna.say(RequestConsent()) == NeedsAdpConsent(consent=Consent.ASKED)
    assert await anna.say(Validate()) == NeedsAdpConsent(consent=Consent.ASKED)
    anna.icloud.consent(account)
    account.are_device_cookies_there = False
    assert await anna.say(Validate()) == NeedsAdpConsent(consent=Consent.GIVEN)
    account.are_device_cookies_there = True
    answer = await anna.say(Validate())

    assert isinstance(answer, SignedIn)
    assert answer.session.protection is Protection.CONSENTED
    assert "X-APPLE-WEBAUTH-PCS-Photos" in {cookie.name for cookie in answer.session.cookies}
    assert anna.calls("setup.consent") == 1


async def test_consent_that_has_run_out_is_asked_for_again(anna: Person, account) -> None:
    account.has_advanced_protection = True
    anna.icloud.consent(account)
    await anna.sign_in()
    anna.icloud.clock.advance(3700)

    assert await anna.start() == NeedsAdpConsent(consent=Consent.NOT_ASKED)
