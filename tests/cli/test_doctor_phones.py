"""What `doctor` says of a phone, without one, and with one that stands so or so."""

from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import doctor, exits
from mediabox.cli.doctor_phones import check_of
from mediabox.cli.pixel_target import PhoneReport
from mediabox.destinations.pixel.folder import FolderState, Phone
from mediabox.destinations.pixel.soundness import Fault, FaultKind

PHONE = Phone(
    device_id="P56IOI7-" * 8,
    is_connected=True,
    is_paused=False,
    last_seen_ms=1,
    remote_state="",
    has_told=True,
    percent=100.0,
    need_bytes=0,
    need_items=0,
)
FAULT = Fault(kind=FaultKind.PAUSED, message="the folder is paused", remedy="Resume it.")


def told(folder: FolderState | None, **more: str) -> PhoneReport:
    return PhoneReport(name="anna", folder_id="mediabox-anna", outbox="/o", folder=folder, **more)


@pytest.mark.parametrize(
    ("found", "state", "why"),
    [
        (told(None, problem="no Syncthing", remedy="Install it."), "problem", "no Syncthing"),
        (told(FolderState(faults=(FAULT,))), "problem", "the folder is paused"),
        (told(FolderState(faults=())), "warning", "no phone has been paired"),
        (told(FolderState(faults=(), phone=PHONE), version="v1"), "ok", "connected"),
    ],
)
def test_says_how_a_phone_stands(found: PhoneReport, state: str, why: str) -> None:
    check = check_of(found)

    assert (check.what, check.state) == ("destination anna", state)
    assert why in check.why
    assert bool(check.remedy) == (state != "ok")


def test_a_syncthing_that_is_not_there_is_a_problem_and_the_rest_is_looked_at(
    home: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_decoders", lambda: iter(()))
    with (home / "mediabox.toml").open("a", encoding="utf-8") as config:
        config.write('\n[destinations.anna]\ntype = "pixel"\nurl = "http://127.0.0.1:1"\nkey = "k"\n')

    found = say("doctor", home=home)

    assert found.code == exits.PROBLEM
    assert "destination anna: Syncthing at http://127.0.0.1:1 cannot be reached" in found.out
    assert "journal unbroken" in found.out
