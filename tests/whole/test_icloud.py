"""A whole account through the whole box: days, pairs, edits, albums; then everything people do, within one listing."""

import re

from whole.cloud import CLIP, LIVE, NEW_YEARS_EVE_MS, TOWER, Account, account, screenshot

__all__ = ["account"]


async def test_an_account_arrives_whole_and_then_whatever_people_do_within_one_listing(account: Account) -> None:
    library = account.library
    trips = library.make_album("Trips", is_folder=True)
    rome = library.make_album("Rome", parent=trips.name)
    live = library.add(LIVE, live=CLIP, album=rome.name, offset_s=7200)
    tower = library.add(TOWER, caption="The tower", is_favorite=True)
    library.edit(tower.name, screenshot(1), name="x.jpg")
    screen = library.add(
        screenshot(2), file_name="IMG_0042.JPG", taken_ms=NEW_YEARS_EVE_MS, offset_s=3600, keywords=("work",)
    )

    assert await account.pull() == 5

    await account.assert_sound()
    first = account.filed()
    (still,) = [path for path in first if path.endswith("IMG_0001.HEIC")]
    (edited,) = [path for path in first if path.endswith(("tower-edited.jpg", "tower-edited.JPG"))]
    stem = edited.rpartition("/")[0]
    assert first == {
        still, still.replace(".HEIC", ".MOV"), f"{still}.xmp",
        edited, f"{stem}/tower.jpg", f"{stem}/tower.jpg.xmp",
        "2020/2020-01/IMG_0042.JPG", "2020/2020-01/IMG_0042.JPG.xmp",
    }  # fmt: skip
    assert "<rdf:li>Albums|Trips|Rome</rdf:li>" in account.sidecar(still)
    assert "live_video" in account.sidecar(still)
    assert "The tower" in account.sidecar(f"{stem}/tower.jpg")
    assert "<xmp:Rating>5</xmp:Rating>" in account.sidecar(f"{stem}/tower.jpg")
    assert "2020-01-01T00:30:00+01:00" in account.sidecar("2020/2020-01/IMG_0042.JPG")
    assert account.assets() == 3

    assert await account.pull() == 0  # nothing changed

    # Words alone: no download.
    library.favorite(live.name)
    library.favorite(tower.name, on=False)
    library.describe(screen.name, caption="An error")
    library.rename_album(trips.name, "Journeys")
    library.add_to_album(screen.name, rome.name)

    assert await account.pull() == 0

    assert account.filed() == first
    assert "<xmp:Rating>5</xmp:Rating>" in account.sidecar(still)
    assert "xmp:Rating" not in account.sidecar(f"{stem}/tower.jpg")
    screens = account.sidecar("2020/2020-01/IMG_0042.JPG")
    assert "An error" in screens
    assert "<rdf:li>work</rdf:li><rdf:li>Albums|Journeys|Rome</rdf:li>" in screens
    assert "Albums|Journeys|Rome" in account.sidecar(still)

    # An edit, something new, a move to the shared library, the bin: two downloads.
    library.edit(screen.name, screenshot(3), name="x.jpg")
    library.add(screenshot(4), file_name="IMG_0043.JPG", taken_ms=NEW_YEARS_EVE_MS, offset_s=3600)
    shared = library.move(live.name, library.start_sharing())
    library.trash(tower.name)

    assert await account.pull() == 2

    towers = {f"{stem}/tower.jpg", f"{stem}/tower.jpg.xmp", edited}
    assert account.in_trash() == towers
    assert account.filed() == (first - towers) | {
        "2020/2020-01/IMG_E0042.JPG", "2020/2020-01/IMG_0043.JPG", "2020/2020-01/IMG_0043.JPG.xmp",
    }  # fmt: skip
    assert account.assets() == 4
    assert shared.name in account.sidecar(still)
    assert "IMG_E0042.JPG" in account.sidecar("2020/2020-01/IMG_0042.JPG")
    await account.assert_sound()

    # Taken back from the bin: no download, the same paths.
    library.restore(tower.name)

    assert await account.pull() == 0

    assert account.in_trash() == set()
    assert towers <= account.filed()
    await account.assert_sound()
    told = account.household.say("where", "tower.jpg")
    assert re.search(r"trashed_at_source.*trashed.*restored_at_source.*recovered", told, re.DOTALL), told


async def test_what_moves_back_from_the_shared_library_is_one_asset_still(account: Account) -> None:
    library = account.library
    zone = library.start_sharing()
    mine = library.add(TOWER, zone=zone)
    assert await account.pull() == 1
    before = account.filed()

    back = library.move(mine.name, library.personal)
    assert await account.pull() == 0
    library.edit(back.name, screenshot(1), name="x.jpg")
    assert await account.pull() == 1

    assert account.assets() == 1
    assert len(account.filed() - before) == 1
    await account.assert_sound()


async def test_an_emptied_account_is_asked_about_and_the_archive_stays(account: Account) -> None:
    names = [
        account.library.add(
            screenshot(number), file_name=f"IMG_{number:04}.JPG", taken_ms=NEW_YEARS_EVE_MS, offset_s=3600
        ).name
        for number in range(25)
    ]
    await account.pull()
    before = account.filed()

    for name in names:
        account.library.trash(name)
    await account.pull()

    assert account.filed() == before
    (issue,) = [one for one in account.household.status()["issues"] if one["key"] == "source.mass_deletion"]
    assert "25 photos were deleted in cloud" in issue["message"]

    account.household.say("allow-deletions")
    account.household.say("retry")
    await account.pull()

    assert account.filed() == set()
    assert len(account.in_trash()) == 50  # and a sidecar each
    assert account.events().count("trashed") == 25
