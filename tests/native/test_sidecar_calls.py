"""Sidecars are foreign XML: merged and parsed in a child, by the same words as in `native.sidecar`."""

from collections.abc import AsyncIterator

import pytest

from mediabox.errors import Permanent
from mediabox.model.asset import Kind, Role
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native.sidecar_text import compose
from mediabox.native.worker import MediaWorkers

RECORD = SidecarRecord(
    members=(
        SidecarMember(
            path="2024/05/IMG_1.jpg",
            sha256="0" * 64,
            size_bytes=3,
            role=Role.ORIGINAL,
            kind=Kind.PICTURE,
            media_type="image/jpeg",
            original_name="IMG_1.jpg",
            source="pictures",
            remote_id="a/IMG_1.jpg",
            version="1",
            taken_in_at_ms=1_715_000_000_000,
        ),
    ),
    mediabox_version="0.1.0",
    filed_at_ms=1_715_000_001_000,
    keywords=("Sommer", "Zürich"),
    rating=4,
)
FOREIGN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:lr="http://ns.adobe.com/lightroom/1.0/" lr:note="mine"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
async def media() -> AsyncIterator[MediaWorkers]:
    workers = MediaWorkers(1)
    yield workers
    await workers.close()


async def test_a_composed_sidecar_is_read_back_as_it_was_written(media: MediaWorkers) -> None:
    assert await media.parse_sidecar(compose(RECORD)) == RECORD


async def test_a_stranger_has_no_record(media: MediaWorkers) -> None:
    assert await media.parse_sidecar(FOREIGN) is None


async def test_what_others_wrote_is_in_the_merged_sidecar(media: MediaWorkers) -> None:
    merged = await media.merge_sidecar(FOREIGN, None, RECORD)

    assert b"mine" in merged
    assert "Zürich".encode() in merged
    assert await media.merge_sidecar(merged, None, RECORD) == merged


async def test_a_sidecar_nobody_can_read_is_left_alone(media: MediaWorkers) -> None:
    with pytest.raises(Permanent):
        await media.merge_sidecar(b"\0\1\2 no XML", None, RECORD)


async def test_entities_are_not_expanded(media: MediaWorkers) -> None:
    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    laughs = entities + FOREIGN.replace(b"mine", b"&b;")

    with pytest.raises(Permanent):
        await media.merge_sidecar(laughs, None, RECORD)


async def test_a_record_larger_than_a_socket_holds_arrives_whole(media: MediaWorkers) -> None:
    keywords = tuple(f"keyword {number:06}" for number in range(40_000))
    large = SidecarRecord(**{name: getattr(RECORD, name) for name in RECORD.__struct_fields__} | {"keywords": keywords})

    merged = await media.merge_sidecar(None, FOREIGN, large)
    record = await media.parse_sidecar(merged)

    assert record is not None
    assert len(record.keywords) == len(keywords)
