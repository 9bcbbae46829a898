"""Parts of a file, and Apple's checksum of it, by which a file at hand is told from another."""

from collections.abc import AsyncIterator

import pytest

from mediabox.contracts import Remote
from mediabox.errors import Retryable
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import Fault, WholeFile
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud import ICloud
from mediabox.sources.icloud.checksum import checksum_of
from sources.conformance import MIB, MemorySink, bytes_of
from sources.icloud.signed_in import Reader, source_of, taken_in

JPEG = b"\xff\xd8\xff\xe0" + bytes_of(3 * MIB).replace(b"\xff\xd9", b"\xff\xd8") + b"\xff\xd9"
# printf 'com.apple.XattrObjectSalt\0com.apple.DataObjectSalt\0a photo' | sha1sum, with 01 before it, in base64
A_PHOTO = "ATwOhIuR4KocWP8VlaBwfkRjd1Fz"


@pytest.fixture
async def source(icloud: Simulator) -> AsyncIterator[ICloud]:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    source = source_of(icloud)
    yield source
    await source.close()


async def test_samples_and_the_fetch_after_them_need_one_link(icloud: Simulator, source: ICloud) -> None:
    reader = Reader(source)
    await reader.look()
    resource = taken_in(reader.resources()[0])
    icloud.calls.clear()
    sink = MemorySink()

    head = await source.sample(resource, 0, 4096)
    middle = await source.sample(resource, MIB, 65_536)
    tail = await source.sample(resource, len(JPEG) - 10, 65_536)
    await source.fetch(resource, sink)

    assert (head, middle, tail) == (JPEG[:4096], JPEG[MIB : MIB + 65_536], JPEG[-10:])
    assert sink.held == JPEG
    assert dict(icloud.calls) == {"content": 4}


async def test_an_answer_that_begins_elsewhere_is_no_sample(icloud: Simulator, source: ICloud) -> None:
    reader = Reader(source)
    await reader.look()
    resource = taken_in(reader.resources()[0])
    icloud.faults.add(Fault("content", WholeFile(), times=None))

    assert await source.sample(resource, 0, 4096) == JPEG[:4096]
    with pytest.raises(Retryable, match=r"did not begin IMG_0001\.JPG"):
        await source.sample(resource, MIB, 65_536)


def test_icloud_can_be_adopted_from(source: ICloud) -> None:
    assert isinstance(source, Remote)


def test_the_checksum_is_of_every_byte() -> None:
    right, wrong = checksum_of(f"{A_PHOTO}-7"), checksum_of(f"{A_PHOTO}-7")
    assert right is not None and wrong is not None

    for chunk in (b"a ", b"", b"photo"):
        right.feed(chunk)
    wrong.feed(b"a phOto")

    assert right.agrees
    assert not wrong.agrees


@pytest.mark.parametrize("version", ["", "-7", "no base64-7", "A" * 28 + "-7", A_PHOTO[:24] + "-7"])
def test_a_checksum_of_another_kind_says_nothing(version: str) -> None:
    assert checksum_of(version) is None
