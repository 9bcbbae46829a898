"""What a person says of a phone's photos, and is told of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from core.delivering.wishing import Shelf, still

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.cli.execute import console
from mediabox.contracts import Capabilities
from mediabox.core.delivering import record
from mediabox.core.home import DATABASE, catalogue
from mediabox.model.delivery import DeliveryState, Sighting
from mediabox.store import deliveries, journal
from mediabox.store.database import Database

EARLY = "left the phone 12 s after it came, too early to have been backed up"
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "mediabox.toml").write_text('[destinations.anna]\ntype = "pixel"\n')
    return tmp_path


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(home)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return say


async def laid_out(home: Path) -> None:
    """a unverified, b left, c on the phone."""
    async with Database(home / DATABASE) as database:
        shelf = Shelf(database)
        for name in "abc":
            await shelf.put(name, still(name))
        await shelf.plan_all()
        await shelf.accept("a.JPG", "b.JPG", "c.JPG")
        await shelf.show("b.JPG", DeliveryState.FREED)
        await shelf.show("c.JPG", DeliveryState.STORED)
        early = Sighting(
            delivery_id=(await shelf.the("a.JPG")).id, state=DeliveryState.DOUBTED, proof="db/file", note=EARLY
        )
        await database.write(lambda connection: record.seen(connection, [early], now_ms=1, capabilities=Capabilities()))


async def test_what_is_unverified_is_listed_by_name_with_the_reason(home: Path, say: Say) -> None:
    await laid_out(home)

    code, said = say("pixel", "unverified", "anna")
    assert (code, said) == (exits.OK, f"a.JPG: {EARLY}\n1 file of anna unverified.\n")
    _, said = say("pixel", "unverified", "anna", "--json")
    assert [(one["name"], one["note"]) for one in json.loads(said)] == [("a.JPG", EARLY)]

    assert "1 file of anna confirmed, on your word" in say("pixel", "believe", "anna", "a.JPG")[1]
    assert say("pixel", "unverified", "anna")[1] == "Nothing of anna is unverified.\n"


async def test_who_said_so_is_in_the_photos_history(home: Path, say: Say) -> None:
    await laid_out(home)

    assert "1 file will be taken off anna" in say("pixel", "clear", "anna", "c.JPG")[1]

    with catalogue(home) as connection:
        (delivery,) = deliveries.in_state(connection, "anna", DeliveryState.WITHDRAWN)
        rows = journal.of_resource(connection, delivery.resource_id)
    assert rows[-1].event == "delivery_withdrawn"
    assert rows[-1].fields["actor"] == str(console())
    assert {row.fields.get("actor") for row in rows[:-1]} == {None}


async def test_what_has_left_is_sent_again_by_name_only(home: Path, say: Say) -> None:
    await laid_out(home)

    assert "1 file will go to anna once more" in say("pixel", "resend", "anna")[1]
    assert "1 file will go to anna once more" in say("pixel", "resend", "anna", "b.JPG")[1]
    code, said = say("pixel", "resend", "anna", "c.JPG")
    assert (code != exits.OK, "neither unverified nor gone" in said) == (True, True)


async def test_where_says_on_which_day_a_photo_left_and_nothing_of_google(home: Path, say: Say) -> None:
    await laid_out(home)

    _, said = say("where", "b.JPG")

    assert "left the phone on 9 Oct 2025" in said
    assert "b.JPG left anna" in said
    assert "Google" not in said


@pytest.mark.parametrize(("number", "words"), [("1", "Count matched on "), ("7", "Count differed on ")])
async def test_the_number_on_the_phones_screen_is_held_against_ours(home: Path, say: Say, number, words) -> None:
    await laid_out(home)

    code, said = say("pixel", "count", "anna", number)

    assert code == exits.OK
    assert said.startswith(words)
    assert "no proof" in said
