"""When Apple is asked, how often, and what a person hears: against children that say what a test scripted."""

import asyncio

import msgspec
import pytest

from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.model.sign_in import (
    AcceptTerms,
    Method,
    RequestCode,
    RequestConsent,
    SignInStep,
    SignOut,
    SubmitCode,
    step_of,
)
from mediabox.sources.icloud.endpoints import endpoints
from mediabox.sources.icloud.session import Browser
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    Cooldown,
    Depth,
    Locked,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsSecurityKey,
    NeedsTerms,
    RateLimited,
    Refused,
    Reply,
    Start,
    TooManyCodes,
    Unreachable,
    Validate,
    WebAccessOff,
    WrongCode,
    WrongPassword,
    WrongRegion,
)
from mediabox.sources.icloud.sign_in.results import result_of
from mediabox.sources.icloud.sign_in.vault import Account
from sources.icloud.scripted_apple import Household, session, signed_in

CODE = NeedsCode(methods=(Method.DEVICE, Method.SMS))
SENT = NeedsCode(methods=(Method.DEVICE, Method.SMS), sent=Method.DEVICE)


async def refusal(sign_in: SignIn) -> Exception:
    with pytest.raises((NeedsHuman, Retryable)) as caught:
        await sign_in.session()
    return caught.value


async def test_validates_once_each_start_and_then_asks_nothing() -> None:
    house = Household(signed_in(), password="p")

    sessions = await asyncio.gather(*(house.sign_in.session() for _ in range(5)))

    assert len({id(each) for each in sessions}) == 1
    assert [request.depth for request in house.apple.asked] == [Depth.VALIDATE]
    assert house.apple.alive == 0


@pytest.mark.parametrize(
    ("answer", "issue"),
    [
        (NeedsPassword(), "icloud.password"),
        (WrongPassword(), "icloud.password"),
        (CODE, "icloud.code"),
        (TooManyCodes(sent=True), "icloud.too_many_codes"),
        (Locked(account=True), "icloud.locked"),
        (Locked(account=False), "icloud.locked"),
        (Cooldown(), "icloud.cooldown"),
        (WrongRegion(domain="iCloud.com.cn"), "icloud.region"),
        (NeedsTerms(), "icloud.terms"),
        (NeedsAdpConsent(consent=Consent.NOT_ASKED), "icloud.adp"),
        (WebAccessOff(), "icloud.web_access"),
        (NeedsSecurityKey(names=("blue",)), "icloud.security_key"),
        (Refused(detail="signin/complete answered 418"), "icloud.refused"),
    ],
)
async def test_each_thing_only_a_person_can_do_has_its_issue_and_is_never_tried_again(answer, issue: str) -> None:
    kept = {"browser": Browser(client_id="c")} if isinstance(answer, NeedsPassword) else {"password": "p"}
    house = Household(answer, **kept)

    first = await refusal(house.sign_in)
    again = await refusal(house.sign_in)
    after_a_restart = await refusal(house.restarted())

    assert isinstance(first, NeedsHuman)
    assert {first.issue, again.issue, after_a_restart.issue} == {issue}
    assert list(house.issues.open) == [issue]
    assert house.issues.open[issue].remedy
    assert len(house.apple.asked) == 1
    assert house.apple.alive == 0


async def test_a_refused_password_is_forgotten() -> None:
    house = Household(WrongPassword(), NeedsPassword(), password="p")
    await refusal(house.sign_in)

    await house.sign_in.begin()

    assert house.vault.kept.password is None
    assert house.apple.asked[1].password is None


async def test_what_a_person_is_asked_closes_when_they_have_done_it() -> None:
    house = Household(CODE, CODE, SENT, WrongCode(), signed_in(), password="p")
    await refusal(house.sign_in)

    await house.sign_in.send_again(Method.DEVICE)
    assert isinstance(await house.sign_in.answer("000000"), WrongCode)
    await house.sign_in.answer("123456")

    assert house.issues.open == {}
    assert [type(each) for each in house.apple.asked] == [Start, Start, RequestCode, SubmitCode, SubmitCode]
    assert house.apple.alive == 0
    assert await house.sign_in.session()


async def test_a_second_request_for_a_code_signs_in_no_second_time() -> None:
    house = Household(CODE, SENT, SENT, password="p")

    await house.sign_in.send_again(Method.DEVICE)
    await house.sign_in.send_again(Method.SMS, phone="2")

    assert [type(each) for each in house.apple.asked] == [Start, RequestCode, RequestCode]
    assert house.apple.asked[2] == RequestCode(method=Method.SMS, phone="2")


async def test_a_code_read_off_a_device_needs_no_push() -> None:
    house = Household(CODE, signed_in(), password="p")

    await house.sign_in.answer_to(step_of("123 456"))

    assert house.apple.asked[1:] == [SubmitCode(code="123456")]


async def test_a_texted_code_of_an_earlier_conversation_is_not_tried() -> None:
    only_sms = NeedsCode(methods=(Method.SMS,))
    house = Household(only_sms, password="p")

    answer = await house.sign_in.answer_to(step_of("123456"))

    assert answer == only_sms
    assert len(house.apple.asked) == 1


@pytest.mark.parametrize("text", ["", "hello", "12", "sms:1:2", "rm -rf", "1234567890123", "١٢٣٤٥٦"])
def test_words_that_are_no_step_mean_nothing(text: str) -> None:
    assert step_of(text) is None


async def test_signed_out_nothing_can_sign_in_until_a_person_does() -> None:
    house = Household(signed_in(), password="p")
    assert await house.sign_in.session()

    result = await house.sign_in.take(SignOut())

    assert result.is_done
    assert not result.is_signed_in
    kept = house.vault.load()
    assert (kept.password, kept.session, kept.browser) == (None, None, None)
    assert list(house.issues.open) == ["icloud.signed_out"]
    assert (await refusal(house.sign_in)).issue == "icloud.signed_out"
    assert len(house.apple.asked) == 1


@pytest.mark.parametrize(
    ("step", "answer", "is_done"),
    [
        (RequestCode(method=Method.SMS), NeedsCode(methods=(Method.SMS,), sent=Method.SMS), True),
        (RequestCode(method=Method.SMS), NeedsCode(methods=(Method.SMS,), sent=None), False),
        (RequestCode(method=Method.SMS), TooManyCodes(sent=True), False),
        (SubmitCode(code="123456"), WrongCode(), False),
        (SubmitCode(code="123456"), NeedsTerms(), True),
        (SubmitCode(code="123456"), NeedsCode(methods=(Method.SMS,)), False),
        (AcceptTerms(), NeedsTerms(), False),
        (RequestConsent(), NeedsAdpConsent(consent=Consent.ASKED), True),
        (RequestConsent(), NeedsAdpConsent(consent=Consent.NOT_SENT), False),
    ],
)
def test_each_step_says_whether_it_did_what_it_is_for(step: SignInStep, answer: Answer, is_done: bool) -> None:
    account = Account(name="anna", apple_id="anna@example.com", endpoints=endpoints("world"))

    result = result_of(step, answer, account, now_ms=0)

    assert result.is_done == is_done
    assert result.message
    assert not result.is_signed_in


async def test_patience_apple_asks_for_survives_a_restart_and_holds_for_people_too() -> None:
    house = Household(RateLimited(retry_after_s=120.0), signed_in(), password="p")
    first = await refusal(house.sign_in)

    house.clock.advance(hours=1 / 60)
    second = await refusal(house.restarted())
    third = await house.sign_in.begin()

    assert (first.retry_after_s, second.retry_after_s) == (120.0, 60.0)
    assert third == RateLimited(retry_after_s=60.0)
    assert len(house.apple.asked) == 1
    assert house.issues.history == []
    house.clock.advance(hours=1 / 60)
    assert isinstance(await house.sign_in.begin(), type(signed_in()))


async def test_no_network_is_away_and_asks_nobody() -> None:
    house = Household(Unreachable(detail="ConnectTimeout"), signed_in(), password="p")

    with pytest.raises(Away, match="ConnectTimeout") as caught:
        await house.sign_in.session()

    assert caught.value.part == "source:anna"
    assert house.issues.history == []


async def test_does_not_wait_with_a_password_that_was_never_tried() -> None:
    untried = Reply(answer=Unreachable(detail="no route"))
    house = Household(untried, Unreachable(detail="cut"), password="p")
    await refusal(house.sign_in)
    await refusal(house.sign_in)
    house.apple.answers.append(NeedsPassword())

    assert isinstance(await refusal(house.sign_in), Retryable)

    assert [bool(each.password) for each in house.apple.asked] == [True, True, False]


async def test_signs_in_with_the_password_at_most_once_an_hour_by_itself() -> None:
    house = Household(Retryable("the child died"), NeedsPassword(), NeedsPassword(), signed_in(), password="p")
    house.vault.kept = msgspec.structs.replace(house.vault.kept, browser=Browser(client_id="c"))
    await refusal(house.sign_in)

    for _ in range(2):
        error = await refusal(house.restarted())
        assert 3000 < error.retry_after_s <= 3600
    house.clock.advance(hours=1)
    await house.sign_in.session()

    assert [bool(each.password) for each in house.apple.asked] == [True, False, False, True]


async def test_a_session_turned_away_is_looked_into_deeper_each_time_and_then_left_to_a_person() -> None:
    house = Household(*[signed_in() for _ in range(5)], password="p")

    for _ in range(4):
        current = await house.sign_in.session()
        house.sign_in.expired(current)
        house.sign_in.expired(current)  # a second lane reports the same one
        house.clock.advance(hours=0.3)

    assert [each.depth for each in house.apple.asked] == [Depth.VALIDATE, Depth.VALIDATE, Depth.TOKEN, Depth.PASSWORD]
    error = await refusal(house.sign_in)
    assert error.issue == "icloud.refused"
    house.clock.advance(hours=1.1)
    house.sign_in.expired(await house.sign_in.session())
    await refusal(house.sign_in)
    assert len(house.apple.asked) == 5


async def test_a_session_that_held_for_hours_starts_anew() -> None:
    house = Household(*[signed_in() for _ in range(4)], password="p")

    for _ in range(4):
        current = await house.sign_in.session()
        house.clock.advance(hours=2)
        house.sign_in.expired(current)

    assert {each.depth for each in house.apple.asked} == {Depth.VALIDATE}


async def test_looks_by_itself_whether_terms_are_accepted_without_using_the_password() -> None:
    house = Household(NeedsTerms(), NeedsTerms(), signed_in(), password="p")
    await refusal(house.sign_in)

    house.clock.advance(hours=1.1)
    await refusal(house.sign_in)
    await refusal(house.sign_in)
    house.clock.advance(hours=1.1)
    await house.sign_in.session()

    assert [bool(each.password) for each in house.apple.asked] == [True, False, False]
    assert house.issues.open == {}


async def test_goes_on_with_the_password_when_the_tokens_end_while_a_person_takes_their_time() -> None:
    house = Household(WebAccessOff(), NeedsPassword(), signed_in(), password="p")
    await refusal(house.sign_in)

    house.clock.advance(hours=30)
    assert isinstance(await refusal(house.sign_in), Retryable)
    await house.sign_in.session()

    assert bool(house.apple.asked[2].password)
    assert house.issues.open == {}


async def test_consent_is_asked_once_and_then_only_looked_for() -> None:
    wants, asked = NeedsAdpConsent(consent=Consent.NOT_ASKED), NeedsAdpConsent(consent=Consent.ASKED)
    house = Household(wants, wants, asked, wants, signed_in(), password="p")
    await refusal(house.sign_in)

    await house.sign_in.answer_to(step_of("consent"))
    assert "Allow Access" in str(house.issues.open["icloud.adp"].remedy)
    await house.sign_in.close()
    house.clock.advance(hours=0.1)
    await refusal(house.sign_in)
    assert "Tap 'Allow Access' in the notification" in str(house.issues.open["icloud.adp"].remedy)
    house.clock.advance(hours=0.1)
    await house.sign_in.session()

    assert [type(each) for each in house.apple.asked].count(RequestConsent) == 1
    assert house.issues.open == {}


async def test_a_person_who_has_consented_can_say_so() -> None:
    wants, asked = NeedsAdpConsent(consent=Consent.NOT_ASKED), NeedsAdpConsent(consent=Consent.ASKED)
    house = Household(wants, asked, signed_in(), password="p")
    await house.sign_in.ask_consent()

    await house.sign_in.look_again()

    assert house.apple.asked[-1] == Validate()


async def test_foretells_the_end_21_7_and_1_days_ahead_once_each() -> None:
    refusals = [NeedsPassword() for _ in range(3)]
    house = Household(signed_in(days=30), *refusals, password="p")
    told = []

    for _ in range(30 * 4):
        await house.sign_in.session()
        house.clock.advance(hours=6)
        told.append(house.issues.history.count("icloud.expires_soon"))

    days_left = [30 - told.index(count) / 4 for count in (1, 2, 3)]
    assert days_left == [21.0, 7.0, 1.0]
    assert told[-1] == 3
    assert "within a day" in str(house.issues.open["icloud.expires_soon"].message)
    assert all(each.password is None for each in house.apple.asked[1:])


async def test_foretells_the_end_of_the_trust_which_no_cookie_tells() -> None:
    house = Household(CODE, signed_in(days=400), password="p")
    await house.sign_in.answer("123456")
    house.apple.answers = [signed_in(days=400, now_ms=house.clock.now_ms)] * 3
    told = []

    for _ in range(61):
        await house.sign_in.session()
        house.clock.advance(hours=24)
        told.append(house.issues.history.count("icloud.expires_soon"))

    assert [60 - told.index(count) for count in (1, 2, 3)] == [21, 7, 1]


async def test_renews_at_a_time_that_suits_and_keeps_the_old_session_until_then() -> None:
    house = Household(signed_in(days=10), NeedsPassword(), password="p")
    await house.sign_in.session()
    old = await house.sign_in.session()
    assert list(house.issues.open) == ["icloud.expires_soon"]

    house.apple.answers = [CODE, SENT]
    await house.sign_in.answer_to(step_of("renew"))
    await house.sign_in.answer_to(step_of("device"))
    await house.sign_in.close()  # the person went away
    assert await house.sign_in.session() is old
    assert (house.vault.kept.need, house.vault.kept.browser) == (None, old.browser)

    house.apple.answers = [CODE, SENT, WrongCode(), signed_in(days=30)]
    await house.sign_in.answer_to(step_of("renew"))
    await house.sign_in.answer_to(step_of("device"))
    await house.sign_in.answer_to(step_of("000000"))
    await house.sign_in.answer_to(step_of("123456"))
    assert (await house.sign_in.session()).cookies != old.cookies
    assert house.issues.open == {}
    renewals = [each for each in house.apple.asked if isinstance(each, Start) and each.depth is Depth.PASSWORD]
    assert [each.browser for each in renewals] == [None, None]


async def test_starts_no_child_with_nothing_to_sign_in_with() -> None:
    house = Household()

    assert (await refusal(house.sign_in)).issue == "icloud.password"
    assert house.apple.children == []


async def test_a_session_that_can_be_renewed_silently_troubles_nobody() -> None:
    house = Household(signed_in(days=30), password="p")
    await house.sign_in.session()
    house.clock.advance(hours=24 * 10)
    house.apple.answers.append(signed_in(days=30, now_ms=house.clock.now_ms))

    renewed = await house.sign_in.session()

    assert renewed.cookies[0].expires_at_ms > house.clock.now_ms + 29 * 86_400_000
    assert house.issues.history == []
    assert house.apple.asked[1].depth is Depth.TOKEN


async def test_foretells_nothing_by_a_clock_nobody_set() -> None:
    house = Household(signed_in(days=5), password="p")
    house.clock.is_sure = False

    await house.sign_in.session()
    await house.sign_in.session()

    assert house.issues.history == []


async def test_takes_over_what_another_process_has_done() -> None:
    house = Household(CODE, signed_in(), password="p")
    await refusal(house.sign_in)
    house.vault.kept = Household(session=session(), password="p").vault.kept

    await house.sign_in.answer_to(step_of("reload"))

    assert await house.sign_in.session()
