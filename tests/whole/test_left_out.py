"""Every name in a household's folders is accounted for, also those that are not taken in."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources.any_tree import PATHS, lay_out, names_below

from mediabox.core.home import catalogue
from mediabox.store import figures
from whole.box import Household
from whole.plain_box import run_to_the_end

TREE = {
    "2009/1.jpg": b"a photo",
    "2009/.picasaoriginals/1.jpg": b"the photo as it was",
    "2009/.picasa.ini": b"[1.jpg]",
    "2009/2.jpg": b"a photo",  # a duplicate
    "3.jpg": b"",  # empty: quarantined
    "L.photoslibrary/originals/A/4.jpeg": b"an original",
    "L.photoslibrary/resources/derivatives/A/4_1_105_c.jpeg": b"its thumbnail",
    "5.jpg.filepart": b"half",
    "6.livp": b"PK\3\4",
    "takeout-1.zip": b"PK\3\4",
    "src/index.d.ts": b"export declare const answer: number;\n",
    "src/go.mod": b"module example.com/x\n",
    "$RECYCLE.BIN/S-1/$R1.jpg": b"thrown away",
    "notes.odt": b"PK\3\4 text",
}


def household(root: Path) -> Household:
    box = Household(root)
    box.found(TREE)
    (box.pictures / "link.jpg").symlink_to("2009/1.jpg")
    return box


def counts(status: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["count"] for one in status["surveys"]["pictures"]["left_out"]}


def test_every_name_in_the_tree_is_accounted_for(tmp_path: Path) -> None:
    box = household(tmp_path)

    run_to_the_end(box.home, {})

    status, accounting = box.status(), box.status()["accounting"]
    assert counts(status) == {
        "bin": 1, "cache": 1, "hidden": 1, "link": 1, "livp": 1, "packed": 1, "picasa_originals": 1, "unfinished": 1,
    }  # fmt: skip
    ended = sum(accounting[end] for end in ("archived", "duplicate", "quarantined"))
    there = sum(len(files) for _, _, files in os.walk(box.pictures))
    assert ended + status["ignored"] + sum(counts(status).values()) == there


@settings(max_examples=8, deadline=None)
@given(paths=st.lists(PATHS, min_size=1, max_size=14))
def test_any_tree_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, paths: list[tuple[list[str], str, str]]
) -> None:
    box = Household(tmp_path_factory.mktemp("any"))
    box.found({})
    lay_out(box.pictures, paths)

    run_to_the_end(box.home, {})

    with catalogue(box.home) as connection:
        found = figures.status(connection, now_ms=0)
    accounting, survey = found.accounting, found.surveys["pictures"]
    ended = accounting.archived + accounting.duplicate + accounting.quarantined
    left_out = sum(one.count for one in survey.left_out)
    assert ended + found.ignored + left_out == names_below(box.pictures) == survey.names


def test_a_person_sees_the_reason_and_what_to_do(tmp_path: Path) -> None:
    box = household(tmp_path)
    run_to_the_end(box.home, {})

    words, doctor, left = box.say("status"), box.say("doctor"), box.say("left")

    assert "15 names there, 8 left out" in words
    for text in (words, doctor):
        assert "originals that Picasa put away when it saved an edit: 1 (2009/.picasaoriginals/1.jpg)" in text
        assert 'take_in = ["picasa_originals"]' in text
    assert len(left.splitlines()) == 11
    assert {line.split()[1] for line in left.splitlines() if line.startswith("neither")} == {
        "src/index.d.ts", "src/go.mod", "notes.odt",
    }  # fmt: skip
    assert "unfinished        5.jpg.filepart" in left
    assert box.say("left", str(box.pictures / "2009")).split() == [
        "hidden", ".picasa.ini", "picasa_originals", ".picasaoriginals/1.jpg",
    ]  # fmt: skip


def test_what_was_left_out_is_taken_in_once_it_is_wanted_or_has_its_name(tmp_path: Path) -> None:
    box = household(tmp_path)
    run_to_the_end(box.home, {})
    with (box.home / "mediabox.toml").open("a", encoding="utf-8") as config:
        config.write('take_in = ["picasa_originals", "livp"]\n')
    (box.pictures / "5.jpg.filepart").rename(box.pictures / "5.jpg")

    run_to_the_end(box.home, {})

    kept = {path.read_bytes(): path.name for path in box.archive.rglob("*") if path.is_file()}
    assert {b"a photo", b"the photo as it was"} <= set(kept)
    assert (kept[b"half"], kept[b"PK\3\4"]) == ("5.jpg", "6.livp")
    assert set(counts(box.status())) == {"bin", "cache", "hidden", "link", "packed"}
