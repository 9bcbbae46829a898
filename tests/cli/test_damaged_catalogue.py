"""A catalogue that is damaged or cannot grow is told of in a sentence by every verb, and doctor says what to do."""

from pathlib import Path

import pytest
from cli.conftest import Say
from faults.mounts import tmpfs

from mediabox.cli import exits
from mediabox.core.home import DATABASE

PAGE = 4096
VERBS = (("status",), ("where", "tower.jpg"), ("verify",), ("pause",), ("retry",))


@pytest.mark.parametrize("verb", [*VERBS, ("doctor",)], ids=lambda verb: verb[0])
def test_what_is_no_database_is_told_in_a_sentence(verb: tuple[str, ...], home: Path, say: Say) -> None:
    content = (home / DATABASE).read_bytes()
    (home / DATABASE).write_bytes(b"X" * 100 + content[100:])

    said = say(*verb, home=home)

    assert said.code == exits.PROBLEM
    assert "file is not a database" in said.out + said.err
    assert "mediabox rebuild" in said.out + said.err


def test_a_schema_that_is_nonsense_is_told_in_a_sentence(home: Path, say: Say) -> None:
    content = (home / DATABASE).read_bytes()
    (home / DATABASE).write_bytes(content.replace(b"CREATE TABLE volume", b"CREATE TABLF volume"))

    for verb in (*VERBS, ("doctor",)):
        said = say(*verb, home=home)

        assert said.code == exits.PROBLEM
        assert "mediabox rebuild" in said.out + said.err


def test_a_disk_without_room_for_a_pause_is_told_in_a_sentence(home: Path, tmp_path: Path, say: Say) -> None:
    content = (home / DATABASE).read_bytes()
    with tmpfs(tmp_path / "small", size_bytes=len(content) + 8 * PAGE) as small:
        (small / DATABASE).write_bytes(content)
        (small / "filler").write_bytes(bytes(4 * PAGE))

        said = say("pause", home=small)

    assert said.code == exits.PROBLEM
    assert f"{DATABASE} cannot go on (" in said.err
