"""The journal is append-only and shows where it was changed."""

import sqlite3

import pytest

from mediabox.store import journal
from mediabox.store.transaction import transaction


@pytest.fixture
def story(connection: sqlite3.Connection) -> sqlite3.Connection:
    with transaction(connection):
        for number in range(20):
            name = f"IMG_{number}.JPG"
            journal.append(connection, "taken_in", at_ms=1000 + number, resource_id=number % 3, name=name)
    return connection


def test_an_untouched_chain_is_whole(story: sqlite3.Connection) -> None:
    assert journal.first_broken_link(story) is None
    assert journal.last(story)[0] == 20
    assert journal.last_at_ms(story) == 1019


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 7", 7),
        ('UPDATE journal SET fields = \'{"name":"x"}\' WHERE seq = 3', 3),
        ("UPDATE journal SET resource_id = 9 WHERE seq = 20", 20),
        ("DELETE FROM journal WHERE seq = 5", 6),
        ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 11", 11),
    ],
)
def test_a_changed_row_is_found(story: sqlite3.Connection, change: str, found: int) -> None:
    story.execute(change)

    assert journal.first_broken_link(story) == found


def test_one_resource_is_told_in_order(story: sqlite3.Connection) -> None:
    entries = journal.of_resource(story, 1)

    assert [entry.fields["name"] for entry in entries] == [f"IMG_{number}.JPG" for number in range(1, 20, 3)]
