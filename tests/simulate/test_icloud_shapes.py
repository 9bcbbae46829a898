"""Every answer of the simulator against the shapes of recorded ones (`shapes.json`, made by `shapes.py`).

A second witness: one hand wrote simulator and client, Apple's servers wrote the recordings. What they show is sent,
with that type; what is sent beyond them stands here, with its source.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pyicloud.exceptions import PyiCloudException, PyiCloudFailedLoginException

from mediabox.model.place import Place
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.gate import PARAMETERS
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.world import APPLE_ID
from simulate.apples_names import resolving
from simulate.icloud_fixtures import PASSWORD, Browser, in_thread, link_of, names_of, pyicloud_of
from simulate.shapes import Shapes

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "shapes.json").read_text())

# Recorded, and not sent: by whom it was put there, or why it is of no use here.
NOT_SENT = {
    "answers GET setup.icloud.com setup/ws/1/listDevices 200*": "the second step of before 2FA: dead, as POST /signin",
    "answers POST setup.icloud.com setup/ws/1/sendVerificationCode 200*": "the same",
    "answers POST setup.icloud.com setup/ws/1/validateVerificationCode 200*": "the same",
    "answers POST pNN-ckdatabasews.icloud.com records/query 200 isDuplicate": "an answer to an upload (pyicloud)",
    "answers POST pNN-ckdatabasews.icloud.com records/query 200 requestUUID": "the same",
    "answers POST pNN-ckdatabasews.icloud.com records/query 200 zones": "an empty list of zones (pyicloud's fixture)",
    "answers POST setup.icloud.com setup/ws/1/accountLogin 200 ICDRSCapableDeviceCount": "1 of 14: moved into dsInfo",
    "answers POST setup.icloud.com setup/ws/1/accountLogin 200 dsInfo.appleIdAliases[[]]": "this account has none",
    "records CPLMaster fields.BADitemType*": "a field renamed by hand, to be missing (icloudpd)",
    "records CPLMaster fields.itemType.BADvalue": "the same",
    "records tombstone fields*": "three fixtures without recordType (pyicloud): an album renamed and deleted",
}
# Sent, and in none of the recordings: the source.
BEYOND = {
    "answers POST setup.icloud.com setup/ws/1/* 421*": "icloudpd #1255; error as in older fronts",
    "answers * 200 zones[[]].syncToken": "kei: changes/database",
    "answers * records/lookup 200*": "pyicloud photos_cloudkit",
    "answers POST setup.icloud.com setup/ws/1/* 200 termsUpdateNeeded": "pyicloud base.py",
    "answers POST setup.icloud.com setup/ws/1/* 200 isRepairNeeded": "pyicloud base.py",
    "answers POST setup.icloud.com setup/ws/1/validate 200 webservices.[fmns]*": "3 older recordings of accountLogin",
    "answers POST idmsa.apple.com appleauth/auth/signin/complete 409*": "kei and pyicloud; recorded is 200 alone",
    "answers PUT idmsa.apple.com appleauth/auth/verify/*": "kei, icloudpd #1335: a code comes when it is asked for",
    "answers GET idmsa.apple.com appleauth/auth 200 *nonFTEU": "pyicloud",
    "answers GET idmsa.apple.com appleauth/auth 200 direct.twoSV.bridgeInitiateData*": "pyicloud hsa2_bridge.py",
    "answers GET idmsa.apple.com appleauth/auth 200 direct.twoSV.securityCode*": "pyicloud",
    "answers GET idmsa.apple.com appleauth/auth 200 phoneNumberVerification*": "pyicloud asks the page for JSON",
    "answers GET idmsa.apple.com appleauth/auth 200 securityCode*": "the same",
    "answers POST idmsa.apple.com appleauth/auth/verify/*/securitycode 400 securityCode*": "assumed: as on the page",
    "records CPLLibraryInfo*": "kei, synctoken-reference.md",
    "records CPLSharedLibraryQuota*": "kei; pyicloud's fixture is shortened",
    "records CPLAsset fields.adjustment[CS]*": "kei's keys",
    "records CPLAsset fields.burstFlagsExt*": "kei's keys",
    "records CPLAsset fields.extendedDescEnc*": "kei's keys",
    "records CPLAsset fields.resVidCompl*": "kei #713, #714",
    "records CPLAsset fields.res*FileSize*": "kei's keys",
    "records CPLMaster fields.res*FileSize*": "kei's keys",
    "records CPLMaster fields.resOriginalAlt*": "kei's keys; recorded are Res and FileType",
    "records tombstone recordType": "kei: a purged record has the type null",
}


class Recorded(Simulator):
    """Keeps the shape of each answer."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, has_apples_names=True)
        self.shapes = Shapes()

    async def _listen(self, application: web.Application, *rest: Any) -> int:
        application.on_response_prepare.append(self._keep)
        return await super()._listen(application, *rest)

    async def _keep(self, request: web.Request, response: web.StreamResponse) -> None:
        body = response.body if isinstance(response, web.Response) else None
        content = body if isinstance(body, bytes) else b""
        self.shapes.of_answer(request.method, str(request.url), response.status, [*response.headers.items()], content)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The shapes of what the simulator answers to a real client's sign-in and to every kind of question."""
    simulator = Recorded(tmp_path_factory.mktemp("icloud-of-shapes"))
    simulator.add_account(APPLE_ID, PASSWORD)
    fill(simulator)
    with in_thread(simulator), resolving(simulator):
        sign_in(simulator, tmp_path_factory.mktemp("cookies"))
        asyncio.run(ask(simulator))
    return simulator.shapes.plain()


def fill(simulator: Simulator) -> None:
    """One of everything the recordings have."""
    library = simulator.account().library
    paris = Place(latitude=48.85, longitude=2.35)
    live = library.add(
        of_bytes(b"still"), file_name="IMG_1.HEIC", live=of_bytes(b"clip"), place=paris, keywords=("work",)
    )
    library.edit(live.name, of_bytes(b"edited"), live=of_bytes(b"edited clip"))
    library.add(of_bytes(b"film"), file_name="IMG_2.MOV", taken_ms=1_700_000_000_000)
    library.add(of_bytes(b"twin"), file_name="IMG_3.JPG", alternative=of_bytes(b"raw"), caption="A word")
    library.trash(library.add(of_bytes(b"unwanted"), file_name="IMG_4.JPG").name)
    library.make_album("Rome")
    library.add(of_bytes(b"ours"), file_name="IMG_5.JPG", zone=library.start_sharing())
    library.zones_left.add(library.share_a_link().name)
    library.purge(library.add(of_bytes(b"gone"), file_name="IMG_6.JPG").name)


def sign_in(simulator: Simulator, folder: Path) -> None:
    """The real pyicloud: a wrong password, a phone number to be confirmed, a wrong code, the right one."""
    with pytest.raises(PyiCloudFailedLoginException):
        pyicloud_of(simulator, folder, password="wrong")
    api = pyicloud_of(simulator, folder)
    api.session.request_raw("GET", api._auth_endpoint, headers=api._get_auth_headers({"Accept": "text/html"}))
    with contextlib.suppress(PyiCloudException):
        api._authenticate_with_token()  # before this browser is trusted
    right = simulator.code()
    wrong = {"securityCode": {"code": f"{(int(right) + 1) % 1_000_000:06d}"}}
    for code in (wrong, {"securityCode": {"code": device_code(simulator, api)}}):
        url = f"{api._auth_endpoint}/verify/trusteddevice/securitycode"
        api.session.request_raw("POST", url, json=code, headers=api._get_auth_headers({"Accept": "application/json"}))
    assert api.trust_session()
    simulator.directory.forget_sessions()
    assert pyicloud_of(simulator, folder).is_trusted_session  # by the password, and no code
    simulator.account().needs_repair = True
    with contextlib.suppress(PyiCloudException):
        pyicloud_of(simulator, folder / "again")
    fresh = pyicloud_of(simulator, folder)  # /validate
    assert fresh.is_trusted_session


def device_code(simulator: Simulator, api: Any) -> str:
    url = f"{api._auth_endpoint}/verify/trusteddevice/securitycode"
    api.session.request_raw("PUT", url, headers=api._get_auth_headers({"Accept": "application/json"}))
    return simulator.code()


async def ask(simulator: Simulator) -> None:
    """Every endpoint of the photo database, and a file."""
    shared = next(iter(simulator.account().library.shared))
    async with Browser(simulator) as browser:
        await browser.post("/zones/list", {})
        await browser.post("/changes/database", {})
        await browser.query("CheckIndexingState")
        await browser.query("CPLAlbumByPositionLive")
        await browser.query("CPLAssetAndMasterByAddedDate", limit=2)
        page = await browser.query("CPLAssetAndMasterByAddedDate")
        await browser.query("CPLAssetAndMasterDeletedByExpungedDate")
        await browser.query("CPLAssetAndMasterByAddedDate", zone=shared)
        await browser.count("CPLAssetByAddedDate")
        start = (await browser.changes(None))["syncToken"]
        await browser.all_changes(start)
        start = (await browser.changes(None, zone=shared))["syncToken"]
        await browser.all_changes(start, zone=shared)
        name = names_of(page["records"])[0]
        (record,) = await browser.lookup(name)
        await browser.update(name, record["recordChangeTag"], {"isFavorite": 1})
        master = next(each for each in page["records"] if each["recordType"] == "CPLMaster")
        async with browser.fetching(link_of(master), has_cookies=False) as response:
            assert response.status == 200


def paths_of(shapes: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """(section, place and path in one line; types) of everything."""
    for section in ("answers", "records"):
        for place, shape in shapes[section].items():
            if shape["paths"]:
                yield f"{section} {place}", {"object"}
            yield from ((f"{section} {place} {path}", set(kinds)) for path, kinds in shape["paths"].items())


def fits(line: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(line, pattern) for pattern in patterns)


def test_what_the_recordings_show_is_sent_with_that_type(sent: dict[str, Any]) -> None:
    simulated, wrong = dict(paths_of(sent)), []
    for line, kinds in paths_of(RECORDED):
        if fits(line, NOT_SENT):
            continue
        if line not in simulated:
            wrong.append(f"not sent: {line} {kinds}")
        elif not simulated[line] <= kinds:
            wrong.append(f"{simulated[line]}, recorded {kinds}: {line}")
    assert not wrong, "\n".join(wrong)


def test_what_is_sent_beyond_the_recordings_has_its_source(sent: dict[str, Any]) -> None:
    recorded = dict(paths_of(RECORDED))
    beyond = [line for line, _ in paths_of(sent) if line not in recorded and not fits(line, BEYOND)]
    assert not beyond, "\n".join(beyond)


def test_the_exceptions_are_all_needed(sent: dict[str, Any]) -> None:
    recorded, simulated = dict(paths_of(RECORDED)), dict(paths_of(sent))
    idle = [pattern for pattern in NOT_SENT if not any(fits(line, [pattern]) for line in recorded.keys() - simulated)]
    idle += [pattern for pattern in BEYOND if not any(fits(line, [pattern]) for line in simulated.keys() - recorded)]
    assert not idle, "\n".join(idle)


def test_cookies_are_set_as_recorded(sent: dict[str, Any]) -> None:
    """Name, quotes, domain, whether they end, who may read them. Of News, Notes and Documents as of the photos'."""
    wrong = []
    for place, seen in RECORDED["cookies"].items():
        mine = sent["cookies"].get(place, {})
        if set(mine) != set(seen):
            wrong.append(f"{place}: {set(mine)}, recorded {set(seen)}")
    assert not wrong, "\n".join(wrong)


def test_headers_of_apples_own_are_sent_where_they_are_always_recorded(sent: dict[str, Any]) -> None:
    wrong = []
    for place, seen in RECORDED["headers"].items():
        always = {name for name, count in seen.items() if count == seen["#"] and is_apples(name)}
        if place in sent["headers"] and not always <= set(sent["headers"][place]):
            wrong.append(f"{place}: not {always - set(sent['headers'][place])}")
    assert not wrong, "\n".join(wrong)


def is_apples(name: str) -> bool:
    return name.startswith("x-apple-") or name in ("scnt", "set-cookie", "x-buildversion", "x-responding-instance")


def test_every_parameter_that_is_always_there_is_demanded() -> None:
    always = set.intersection(*(
        {name for name, count in seen.items() if count == seen["#"]} - {"#"}
        for place, seen in RECORDED["parameters"].items()
        if "ckdatabasews" in place and "zones/list" not in place  # recorded without any: 27 times
    ))  # fmt: skip
    # `getCurrentSyncToken` is an option (no token without it), `remapEnums` one whose other value nobody has seen.
    assert always - {"getCurrentSyncToken", "remapEnums"} == set(PARAMETERS)


@pytest.mark.parametrize("missing", PARAMETERS)
async def test_a_question_without_its_parameters_is_refused(icloud: Simulator, missing: str) -> None:
    async with Browser(icloud) as browser:
        del browser.parameters[missing]
        async with browser.asking("/changes/database", {}) as response:
            assert response.status == 400


async def test_another_accounts_dsid_is_refused(icloud: Simulator) -> None:
    async with Browser(icloud) as browser:
        browser.parameters["dsid"] = "1"
        async with browser.asking("/changes/database", {}) as response:
            assert response.status == 421
