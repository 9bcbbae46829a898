"""What a peer put among the copies by itself is told from what was archived or delivered once."""

import hashlib

import pytest
from core.delivering.wishing import PIXEL, Shelf, still

from mediabox.contracts import Foreign
from mediabox.core.delivering import strangers

OTHER = hashlib.sha256(b"a screenshot").hexdigest()


@pytest.mark.parametrize(
    ("path", "digest", "is_one"),
    [
        ("Screenshot.png", OTHER, True),
        ("Ferien/IMG_1.JPG", OTHER, True),
        (".trashed-1900000000-IMG_1.JPG", OTHER, False),
        (".thumbnails/1.jpg", OTHER, False),
        ("Screenshot.png", "", False),
        ("IMG_1 (1).JPG", "archived", False),
    ],
)
async def test_a_stranger_is_what_nobody_has(shelf: Shelf, path: str, digest: str, *, is_one: bool) -> None:
    await shelf.put("p1", still("p1", size_bytes=100))
    archived = await shelf.box.ask(lambda connection: connection.execute("SELECT digest FROM resource").fetchone()[0])
    foreign = [Foreign(path=path, digest=archived if digest == "archived" else digest, since_ms=0)]

    found = await shelf.box.ask(lambda connection: strangers.found(connection, PIXEL, foreign))

    assert found == ([path] if is_one else [])


def test_they_are_named_with_the_command_that_archives_them() -> None:
    paths = [f"{number}.jpg" for number in range(7)]

    assert strangers.complaints("anna", []) == []
    (one,) = strangers.complaints("anna", paths)

    assert one.message.startswith("anna's own files among the copies, in no archive: 7 (")
    assert "0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 2 more" in one.message
    assert "mediabox pixel archive anna" in one.remedy
