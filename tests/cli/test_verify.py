"""`mediabox verify` and `rebuild` on a real archive."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli.conftest import Say, program

from mediabox.cli import exits
from mediabox.core.home import DATABASE


def originals(home: Path) -> list[Path]:
    """Below the archive, what is neither a list nor a sidecar of ours; people's own sidecars are originals."""
    found = [one for one in (home / "archive").glob("[0-9]*/**/*") if one.is_file() and one.name != "SHA256SUMS"]
    return sorted(one for one in found if one.suffix != ".xmp" or ".source" in one.suffixes)


def test_a_whole_archive_is_called_whole(made: Path, say: Say) -> None:
    found = say("verify", home=made)

    assert found.code == exits.OK
    assert found.out.endswith("The archive is whole.\n")
    assert say("verify", "--json", home=made).json()["checked"] == len(originals(made))


def test_a_flipped_bit_a_missing_and_a_foreign_file_are_each_named(home: Path, say: Say) -> None:
    flipped, missing, *_ = originals(home)
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(flipped, 0o644)
    flipped.write_bytes(content)
    missing.unlink()
    foreign = missing.with_name("not ours.jpg")
    foreign.write_bytes(b"\xff\xd8\xff\xe0")
    archive = home / "archive"

    found = say("verify", home=home)

    assert found.code == exits.PROBLEM
    assert f"{flipped.relative_to(archive)}: differs from what was archived" in found.out
    assert f"{missing.relative_to(archive)}: missing" in found.out
    assert f"{foreign.relative_to(archive)}: is in the archive, but not from mediabox" in found.out
    assert "The archive is whole" not in found.out
    assert flipped.read_bytes() == content  # reported, not repaired


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE copy SET path = path || 'x' WHERE resource_id = (SELECT max(resource_id) FROM copy)",
        "UPDATE journal SET fields = '{}' WHERE seq = 3",
    ],
)
def test_a_catalogue_that_is_damaged_itself_stops_it_before_anything_is_written(
    damage: str, home: Path, say: Say
) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as connection, connection:
        connection.execute(damage)
    before = dump(home)

    found = say("verify", home=home)

    assert found.code == exits.PROBLEM
    assert found.out.startswith("! The catalogue is damaged: ")
    assert "No file was read" in found.out
    assert "What to do: Stop mediabox, move mediabox.db away and run `mediabox rebuild`." in found.out
    assert dump(home) == before


def dump(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        return list(connection.iterdump())


def test_a_sample_does_not_speak_for_the_whole(made: Path, say: Say) -> None:
    half, none = say("verify", "--sample", "50%", home=made), say("verify", "--sample", "0.001", home=made)

    assert half.out.endswith("What was read is whole.\n")
    assert none.out.endswith("No file fell into this share: ask for a larger one.\n")


@pytest.mark.parametrize("share", ["0%", "101", "-1%", "all", "nan"])
def test_a_share_that_cannot_be_is_wrong_usage(share: str, made: Path, say: Say) -> None:
    assert say("verify", f"--sample={share}", home=made).code == exits.USAGE


def test_an_archive_that_is_away_is_for_later_and_says_what_to_do(home: Path, say: Say) -> None:
    (home / "archive").rename(home / "elsewhere")

    found = say("verify", home=home)

    assert found.code == exits.TRY_LATER
    assert str(home / "archive") in found.err
    assert "What to do: Reconnect" in found.err


def test_after_a_rebuild_a_run_over_the_same_pictures_files_nothing_new(home: Path, media: Path, say: Say) -> None:
    before = {path: path.stat().st_mtime_ns for path in (home / "archive").glob("[0-9]*/**/*") if path.is_file()}
    for path in home.glob(f"{DATABASE}*"):
        path.unlink()

    rebuilt = program("rebuild", "--home", str(home))
    run = program("run", "--once", "--pictures", str(media / "library"), "--home", str(home))

    after = {path: path.stat().st_mtime_ns for path in (home / "archive").glob("[0-9]*/**/*") if path.is_file()}
    assert (rebuilt.code, run.code) == (exits.OK, exits.OK), rebuilt.err + run.out + run.err
    assert after == before
    counts = say("status", "--json", home=home).json()["accounting"]
    assert counts["archived"] == len(originals(home))
    assert counts["duplicate"] == 1


def test_a_rebuild_finds_again_which_pictures_look_alike_and_keeps_a_pause(home: Path, say: Say) -> None:
    before = alike(home)
    say("pause", home=home)

    rebuilt = program("rebuild", "--home", str(home))

    assert rebuilt.code == exits.OK, rebuilt.err
    assert before
    assert alike(home) == before
    assert "paused by a person" in say("status", home=home).out


def alike(home: Path) -> set[frozenset[str]]:
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        rows = connection.execute(
            "SELECT one.path, other.path FROM similar JOIN resource AS one ON one.id = similar.resource_id "
            "JOIN resource AS other ON other.id = of_resource_id"
        ).fetchall()
    return {frozenset(row) for row in rows}


def test_rebuild_where_no_archive_is_says_what_it_looked_for(tmp_path: Path, say: Say) -> None:
    found = say("rebuild", home=tmp_path)

    assert found.code == exits.PROBLEM
    assert "it has no .mediabox/volume.json" in found.err
