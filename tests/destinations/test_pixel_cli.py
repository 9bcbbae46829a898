"""`mediabox pixel pair` and `mediabox pixel status`, as a person meets them."""

import io
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from destinations.real_syncthing import RealSyncthing, eventually
from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.core.home import locked

ID = "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2"


ANSWERS = ('model = "pixel"', 'account = "anna@example.org"', 'quality = "original"', 'sources = ["*"]')


class Said(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return msgspec.json.decode(self.out)


class Terminal(io.StringIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "mediabox"
    home.mkdir()
    return home


@pytest.fixture
def say(home: Path, capfd: pytest.CaptureFixture[str]):
    def _say(*words: str) -> Said:
        code = main(["pixel", words[0], "--home", str(home), *words[1:]])
        return Said(code, *capfd.readouterr())

    return _say


def configure(home: Path, box: RealSyncthing, *more: str) -> None:
    lines = ["[destinations.anna]", 'type = "pixel"', f'url = "{box.url}"', f'key = "{box.key}"', *ANSWERS, *more]
    (home / "mediabox.toml").write_text("\n".join(lines))


def put(home: Path, box: RealSyncthing, name: str) -> None:
    (home / "outbox" / "anna" / "photos" / name).write_bytes(b"x" * 2000)
    box.scan("mediabox-anna")


def test_nothing_configured_says_what_to_write(say) -> None:
    said = say("status")

    assert said.code == exits.PROBLEM
    assert '[destinations.anna]\ntype = "pixel"' in said.err


def test_pairing_begins_with_a_code_and_what_to_tap(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box)

    said = say("pair", "anna")

    assert said.code == exits.NEEDS_PERSON
    assert box.id in said.out
    assert "█" in said.out
    for word in ("Send & Receive", "DCIM/mediabox", "Run conditions", "Battery", "Android 14"):
        assert word in said.out
    assert "mediabox pixel pair anna --device ID" in said.out
    assert [one["id"] for one in box.get("config/folders")] == ["mediabox-anna"]


def test_a_phone_that_asks_is_named_with_the_command_that_lets_it_in(say, home: Path, box, phone) -> None:
    configure(home, box)
    phone.knows(box)
    eventually(lambda: box.get("cluster/pending/devices"), "the phone to ask")

    said = say("pair", "anna")

    assert said.code == exits.NEEDS_PERSON
    assert f"mediabox pixel pair anna --device {phone.id}" in said.out
    assert "1. phone at 127.0.0.1" in said.out


def test_a_person_at_the_terminal_chooses_the_phone(say, home: Path, box, phone, monkeypatch) -> None:
    configure(home, box)
    phone.knows(box)
    monkeypatch.setattr(sys, "stdin", Terminal("1\n"))

    said = say("pair", "--wait", "60")

    assert said.code == exits.OK
    assert "The phone is connected" in said.out
    assert box.is_connected_to(phone)


def test_a_person_who_chooses_nobody_lets_nobody_in(say, home: Path, box, phone, monkeypatch) -> None:
    configure(home, box)
    phone.knows(box)
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))

    said = say("pair", "--wait", "60")

    assert said.code == exits.NEEDS_PERSON
    assert [one["deviceID"] for one in box.get("config/devices")] == [box.id]


def test_a_phone_named_by_its_id_is_waited_for_no_longer_than_asked(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box)

    said = say("pair", "anna", "--device", ID, "--wait", "0")

    assert said.code == exits.TRY_LATER
    assert "is not connected yet" in said.out


def test_pairing_for_programs_answers_once(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box)

    said = say("pair", "anna", "--device", ID, "--json")

    told = said.json()
    assert (told["box_id"], told["device_id"], told["is_connected"]) == (box.id, ID, False)
    assert told["outbox"] == str(home / "outbox" / "anna" / "photos")
    assert len(told["did"]) == 2


def test_pairing_goes_on_beside_a_running_box_that_made_the_outbox(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box)
    say("pair", "anna")

    with locked(home):
        said = say("pair", "anna", "--device", ID, "--wait", "0")

    assert said.code == exits.TRY_LATER


def test_the_archive_is_refused_with_what_to_do(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box, 'outbox = "archive/2024"')

    said = say("pair", "anna")

    assert said.code == exits.NEEDS_PERSON
    assert "is never shared" in said.err
    assert "What to do:" in said.err
    assert box.get("config/folders") == []


def test_status_tells_of_a_connected_phone(say, home: Path, box, phone, tmp_path: Path) -> None:
    configure(home, box)
    phone.knows(box)
    assert say("pair", "anna", "--device", phone.id, "--wait", "60").code == exits.OK
    phone.share("mediabox-anna", tmp_path / "DCIM", box)
    put(home, box, "IMG_1.JPG")
    eventually((tmp_path / "DCIM/IMG_1.JPG").exists, "the phone to have it")
    eventually(lambda: not box.get("db/completion", folder="mediabox-anna", device=phone.id)["needItems"], "its index")

    said, told = say("status"), say("status", "anna", "--json").json()

    assert said.code == exits.OK
    assert f"anna: Syncthing {box.get('system/version')['version']} at {box.url}" in said.out
    assert f"phone {phone.id[:7]}: connected; has everything" in said.out
    assert told[0]["folder"]["phone"]["is_connected"]
    assert told[0]["folder"]["faults"] == []


def test_status_tells_of_a_phone_that_has_gone_and_what_it_lacks(say, home: Path, box, phone, tmp_path: Path) -> None:
    configure(home, box)
    phone.knows(box)
    assert say("pair", "anna", "--device", phone.id, "--wait", "60").code == exits.OK
    not_accepted = say("status", "anna")
    phone.share("mediabox-anna", tmp_path / "DCIM", box)
    put(home, box, "IMG_1.JPG")
    query = {"folder": "mediabox-anna", "device": phone.id}
    eventually(lambda: box.get("db/completion", **query)["sequence"], "its index")
    phone.stop()
    eventually(lambda: not box.is_connected_to(phone), "the phone to be gone")
    put(home, box, "IMG_2.JPG")

    said = say("status", "anna")

    assert "connected; has fetched nothing yet: is the folder accepted there?" in not_accepted.out
    assert "last seen" in said.out
    assert "still to fetch or delete: 1 file, 2.0 kB" in said.out


def test_status_before_pairing_says_to_pair(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box)

    said = say("status")

    assert said.code == exits.PROBLEM
    assert "Run `mediabox pixel pair anna`" in said.out


def test_status_without_a_syncthing_says_what_to_do(say, home: Path, unused_tcp_port: int) -> None:
    lines = ["[destinations.anna]", 'type = "pixel"', f'url = "http://127.0.0.1:{unused_tcp_port}"', 'key = "x"']
    (home / "mediabox.toml").write_text("\n".join(lines))

    said = say("status")

    assert said.code == exits.PROBLEM
    assert "cannot be reached" in said.out
    assert "What to do: See that Syncthing runs" in said.out
    assert "Traceback" not in said.out + said.err


def test_pairing_without_a_syncthing_is_to_be_tried_later(say, home: Path, unused_tcp_port: int) -> None:
    lines = ["[destinations.anna]", 'type = "pixel"', f'url = "http://127.0.0.1:{unused_tcp_port}"', 'key = "x"']
    (home / "mediabox.toml").write_text("\n".join(lines))

    said = say("pair")

    assert said.code == exits.TRY_LATER
    assert "Traceback" not in said.err


def test_several_phones_have_to_be_named(say, home: Path, box: RealSyncthing) -> None:
    configure(home, box, "[destinations.ben]", 'type = "pixel"')

    said = say("pair")

    assert said.code == exits.PROBLEM
    assert "anna, ben" in said.err
