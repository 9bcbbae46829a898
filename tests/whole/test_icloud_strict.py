"""What Apple answers on a bad day, through the whole box: every photo arrives, and what did not go well is said."""

import pytest

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import BlankPage, Fault, NoZones, OddFields, Refused, SparsePage, expired
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.lives import MINUTE_S
from mediabox.simulate.icloud.photos import Asset
from whole.cloud import CLIP, LIVE, NEW_YEARS_EVE_MS, Account, account, screenshot

__all__ = ["account"]

ALL = "CPLAssetAndMasterByAddedDate"


def add(account: Account, *numbers: int) -> list[Asset]:
    """Screenshots of these numbers, a day in January 2020."""
    return [
        account.library.add(
            screenshot(number), file_name=f"IMG_{number:04}.JPG", taken_ms=NEW_YEARS_EVE_MS, offset_s=3600
        )
        for number in numbers
    ]


def pictures(account: Account) -> set[str]:
    return {path.rpartition("/")[2] for path in account.filed() if not path.endswith(".xmp")}


def issues(account: Account) -> set[str]:
    return {issue["key"] for issue in account.household.status()["issues"]}


def names(*numbers: int) -> set[str]:
    return {f"IMG_{number:04}.JPG" for number in numbers}


async def test_the_clip_of_an_edited_live_photo_is_archived(account: Account) -> None:
    live = account.library.add(LIVE, live=CLIP)
    account.library.edit(live.name, screenshot(1), live=of_bytes(CLIP.read_bytes() + b"edited"))

    assert await account.pull() == 4

    (clip,) = [path for path in account.filed() if path.endswith("MOV") and "IMG_0001.MOV" not in path]
    assert (account.household.archive / clip).read_bytes().endswith(b"edited")


@pytest.mark.parametrize(("where", "status"), [("records.query", 200), ("records.query", 404), ("changes.zone", 200)])
@pytest.mark.parametrize("is_known", [False, True])
async def test_a_zone_denied_once_is_not_forgotten(
    account: Account, where: str, status: int, *, is_known: bool
) -> None:
    add(account, 1, 2, 3)
    if is_known:
        await account.pull()
        add(account, 4)
    account.simulator.faults.add(Fault(where, Refused("ZONE_NOT_FOUND", "Zone does not exist", status=status)))

    for _ in range(3):
        await account.pull()
    account.library.favorite(account.library.find("IMG_0001.JPG").name)
    await account.pull()

    assert pictures(account) == names(1, 2, 3, *([4] if is_known else []))
    assert "<xmp:Rating>5</xmp:Rating>" in account.sidecar("2020/2020-01/IMG_0001.JPG")


@pytest.mark.parametrize("is_known", [False, True])
async def test_an_answer_that_names_no_zone_forgets_none(account: Account, *, is_known: bool) -> None:
    add(account, 1, 2)
    if is_known:
        await account.pull()
        add(account, 3)
    account.simulator.faults.add(Fault("changes.database", NoZones()))

    for _ in range(3):
        await account.pull()
    add(account, 5)
    await account.pull()

    assert pictures(account) == names(1, 2, 5, *([3] if is_known else []))


async def test_a_library_that_was_never_there_is_a_question_for_a_person(account: Account) -> None:
    account.library.has_personal = False

    await account.pull()

    assert "icloud.no_library" in issues(account)


@pytest.mark.parametrize(
    "odd",
    [
        {"filenameEnc": "null", "isDeleted": "null"},
        {"filenameEnc": "null_value", "isDeleted": "null_value"},
        {"isFavorite": "boolean", "isHidden": "boolean", "isExpunged": "boolean"},
        {"assetDate": "text", "timeZoneOffset": "text", "assetSubtypeV2": "text", "resOriginalRes.size": "text"},
        {"resOriginalRes.fileChecksum": "missing"},
        {"resOriginalRes.fileChecksum": "null", "resOriginalRes.referenceChecksum": "null"},
        {"resJPEGMedRes.fileChecksum": "missing", "resVidSmallRes.size": "text"},
        {"locationEnc": "null", "keywordsEnc": "null", "captionEnc": "null", "contributors": "null"},
        {"itemType": "null", "resOriginalFileType": "null"},
    ],
)
async def test_an_odd_field_costs_itself_alone(account: Account, odd: dict[str, str]) -> None:
    add(account, 1, 2, 3)
    for where in ("records.*", "changes.zone"):
        account.simulator.faults.add(Fault(where, OddFields(odd), times=None))  # type: ignore[arg-type]

    await account.pull()
    await account.pull()

    folder = account.household.archive / "2020/2020-01"
    found = {path.read_bytes() for path in folder.iterdir()}
    assert {screenshot(number).content for number in (1, 2, 3)} <= found


async def test_an_index_of_albums_that_is_refused_stops_no_photo(account: Account) -> None:
    add(account, 1, 2, 3)
    account.library.make_album("Rome")
    refused = Refused("BAD_REQUEST", "Index has invalid data", status=400)
    account.simulator.faults.add(Fault("records.query", refused, times=None, only="CPLAlbumByPositionLive"))

    await account.pull()

    assert pictures(account) == names(1, 2, 3)
    assert "icloud.refused_index" in issues(account)


async def test_dead_links_everywhere_rest_the_account_and_condemn_no_file(account: Account) -> None:
    numbers = range(1, 31)
    add(account, *numbers)
    account.simulator.faults.add(Fault("content", expired(), times=None))

    calls = await account.pull()

    assert calls <= 12  # the first ones, and a few to be sure
    assert pictures(account) == set()
    assert "quarantined" not in account.events()

    account.simulator.faults.clear()
    account.household.say("retry")
    await account.pull()

    assert pictures(account) == names(*numbers)


async def test_renewed_tokens_go_back_as_they_came(account: Account) -> None:
    """In quotes, or Apple's next answer is 421; and after a restart it is the renewed one, for the old one ended."""
    for number in range(1, 5):
        add(account, number)
        await account.pull()
        account.simulator.clock.advance(16 * MINUTE_S)

    assert pictures(account) == names(*range(1, 5))
    assert account.sign_ins == 1


async def test_a_page_of_nothing_new_and_an_empty_one_with_a_marker_end_no_listing(account: Account) -> None:
    add(account, *range(1, 221))
    account.simulator.faults.add(Fault("records.query", BlankPage(), after=1, only=ALL))
    account.simulator.faults.add(Fault("records.query", BlankPage(), times=2, after=2, only=ALL))

    await account.pull()

    assert pictures(account) == names(*range(1, 221))


async def test_zones_that_are_no_libraries_are_left_alone(account: Account) -> None:
    add(account, 1)
    for other in (account.library.share_a_link(), account.library.share_an_album()):
        account.library.add(screenshot(7), file_name="IMG_0007.JPG", zone=other)

    await account.pull()

    assert pictures(account) == names(1)
    assert issues(account) == set()


async def test_a_library_one_is_invited_to_is_asked_for_in_its_own_database(account: Account) -> None:
    add(account, 1)
    other = Library(owner="_other", clock=account.simulator.clock, vault=account.library.vault)
    theirs = other.start_sharing()
    account.library.join(theirs)
    account.library.add(screenshot(2), file_name="IMG_0002.JPG", taken_ms=NEW_YEARS_EVE_MS, offset_s=3600, zone=theirs)

    await account.pull()

    assert pictures(account) == names(1, 2)


async def test_a_library_that_is_away_is_neither_forgotten_nor_deleted(account: Account) -> None:
    add(account, 1, 2)
    await account.pull()
    account.library.has_personal = False
    for _ in range(4):
        await account.pull()
    assert pictures(account) == names(1, 2)

    account.library.has_personal = True
    add(account, 3)
    await account.pull()

    assert pictures(account) == names(1, 2, 3)
    assert issues(account) == set()


async def test_what_an_index_counts_and_does_not_list_arrives_all_the_same(account: Account) -> None:
    add(account, *range(1, 31))
    account.simulator.faults.add(Fault("records.query", SparsePage(photos=3), only=ALL))

    await account.pull()
    await account.pull()

    assert pictures(account) == names(*range(1, 31))
