"""Cookies as a browser keeps them; the lines have the shape of icloudpd's recordings of 2023."""

import pytest

from mediabox.sources.icloud.cookies import Cookies
from mediabox.sources.icloud.session import Cookie
from sources.icloud.scripted_apple import Household, signed_in

DATABASE = "https://p61-ckdatabasews.icloud.com:443/database/1/com.apple.photos.cloud/production/private/records/query"
SETUP = "https://setup.icloud.com/setup/ws/1/validate"
CONTENT = "https://cvws.icloud-content.com/B/AbC/file?o=1"
TOKEN = 'X-APPLE-WEBAUTH-TOKEN="v=2:t=BA==BST_IAAAAAAABLwIAAAAAGQ~~";Path=/;Domain=.icloud.com;Secure;HttpOnly'
PCS = (
    'X-APPLE-WEBAUTH-PCS-Photos="TGlzdEFwcDox";Expires=Tue,16-Jan-2046 02:07:19 GMT;Path=/;Domain=.icloud.com;'
    "Secure;HttpOnly"
)


@pytest.fixture
def cookies() -> Cookies:
    made = Cookies()
    made.load([Cookie(name="X-APPLE-WEBAUTH-TOKEN", value='"v=2:t=old"', domain=".icloud.com"),
               Cookie(name="aasp", value="1", domain="setup.icloud.com")])  # fmt: skip
    return made


def sent(cookies: Cookies, url: str) -> set[str]:
    value = cookies.header(url).get("Cookie", "")
    return set(value.split("; ")) - {""}


def test_a_renewed_token_goes_back_with_its_quotes(cookies: Cookies) -> None:
    assert sent(cookies, DATABASE) == {'X-APPLE-WEBAUTH-TOKEN="v=2:t=old"'}

    assert cookies.keep(DATABASE, [TOKEN, PCS])

    assert sent(cookies, DATABASE) == {TOKEN.partition(";")[0], PCS.partition(";")[0]}
    assert not cookies.keep(DATABASE, [TOKEN])  # the same again is no news
    assert {one.value for one in cookies.all()} >= {'"v=2:t=BA==BST_IAAAAAAABLwIAAAAAGQ~~"'}


@pytest.mark.parametrize(
    "url",
    [CONTENT, "https://icloud-content.com/", "https://evilicloud.com/", "https://icloud.com.cn/", "https://apple.com/",
     "http://p61-ckdatabasews.icloud.com/"],
)  # fmt: skip
def test_what_is_icloud_coms_reaches_no_other_domain(cookies: Cookies, url: str) -> None:
    cookies.keep(DATABASE, [TOKEN])

    assert cookies.header(url) == {}


def test_a_cookie_of_one_host_is_for_that_host_alone(cookies: Cookies) -> None:
    assert "aasp=1" in sent(cookies, SETUP)
    assert "aasp=1" not in sent(cookies, "https://p61.setup.icloud.com/")
    cookies.keep(DATABASE, ["own=2;Path=/;Secure"])
    assert "own=2" in sent(cookies, DATABASE)
    assert "own=2" not in sent(cookies, SETUP)


def test_nobody_sets_a_cookie_for_another_domain(cookies: Cookies) -> None:
    assert not cookies.keep(CONTENT, [TOKEN, "x=1;Domain=icloud.com"])


def test_what_is_over_is_gone_and_paths_count(cookies: Cookies) -> None:
    cookies.keep(DATABASE, ["X-APPLE-WEBAUTH-TOKEN=; Max-Age=0; Path=/; Domain=.icloud.com", "deep=1; Path=/database"])

    assert sent(cookies, DATABASE) == {"deep=1"}
    assert sent(cookies, "https://p61-ckdatabasews.icloud.com/other") == set()


async def test_renewed_cookies_are_sealed_and_the_next_sign_in_has_them() -> None:
    house = Household(signed_in(), signed_in(), password="p")
    session = await house.sign_in.session()
    renewed = (Cookie(name="X-APPLE-WEBAUTH-TOKEN", value='"v=2:t=new"', domain=".icloud.com"),)

    house.sign_in.renewed(session, renewed)
    await house.sign_in.seal()

    kept = house.vault.kept
    assert kept.session.browser.cookies == kept.browser.cookies == renewed
    assert await house.sign_in.session() is session  # the lanes go on with what they have
    house.restarted()
    await house.sign_in.session()
    assert house.apple.asked[-1].browser.cookies == renewed


async def test_nothing_is_written_for_cookies_that_are_as_they_were() -> None:
    house = Household(signed_in(), password="p")
    await house.sign_in.session()
    before = house.vault.kept

    await house.sign_in.seal()

    assert house.vault.kept is before
