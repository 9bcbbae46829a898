"""Bytes nobody would send kindly, through the real child: each gets a result, and the daemon never notices."""

import asyncio
import io
import os
from pathlib import Path

import hostile
import pytest

from mediabox.contracts import Examination, ExamineRequest
from mediabox.model import signature
from mediabox.model.asset import Kind
from mediabox.native.worker import MediaWorkers

MUTANTS_OF_EACH = 40
MOST_REPLACED = 5  # children a hostile corpus may cost; each is a decoder that failed as it should not


async def look(media: MediaWorkers, path: Path) -> Examination:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        kind = signature.kind_of(os.pread(descriptor, signature.HEAD_BYTES, 0), path.name) or Kind.PICTURE
        request = ExamineRequest(name=path.name, kind=kind, size_bytes=os.fstat(descriptor).st_size)
        return await media.examine(descriptor, request)
    finally:
        os.close(descriptor)


async def look_at_all(paths: list[Path]) -> tuple[dict[str, Examination], MediaWorkers]:
    media = MediaWorkers(2)
    try:
        seen = await asyncio.gather(*(look(media, path) for path in paths))
    finally:
        await media.close()
    return {path.name: result for path, result in zip(paths, seen, strict=True)}, media


def written(folder: Path, files: "list[hostile.Named]") -> list[Path]:
    paths = []
    for name, content in files:
        path = folder / name
        path.write_bytes(content)
        paths.append(path)
    return paths


async def test_the_files_that_will_be_bent_are_whole(tmp_path: Path) -> None:
    """Or bending them proves nothing."""
    seen, _ = await look_at_all(written(tmp_path, hostile.seeds()))

    assert {name: result.facts.damage for name, result in seen.items() if result.facts.damage} == {}
    assert [name for name, result in seen.items() if not result.preview or not result.thumbnail] == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_bent_file_gets_a_result(seed: int, tmp_path: Path) -> None:
    paths = written(tmp_path, list(hostile.mutants(MUTANTS_OF_EACH, seed=seed)))

    seen, media = await look_at_all(paths)

    assert len(seen) == len(paths) == MUTANTS_OF_EACH * len(hostile.seeds())
    assert odd(seen) == {}
    assert media.counts.started <= MOST_REPLACED


async def test_bombs_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    seen, media = await look_at_all(written(tmp_path, list(hostile.bombs())))

    assert odd(seen) == {}
    assert "the limit is" in (seen["size.png"].facts.damage or "")
    assert media.counts.slow == media.counts.out_of_memory == 0
    assert media.counts.started <= MOST_REPLACED


async def test_the_samples_corrupt_files_get_a_result(samples: Path) -> None:
    folders = ("corrupt", "gen-corrupt", "zero-byte", "video-stub", "raw-stub")
    paths = sorted(path for name in folders for path in (samples / name).glob("*") if path.is_file())

    seen, media = await look_at_all(paths)

    assert seen
    assert odd(seen) == {}
    assert media.counts.tried_alone == 0


async def test_two_hundred_photos_leave_the_childs_memory_as_it_was(tmp_path: Path) -> None:
    held = io.BytesIO()
    hostile.scene(800, 600).save(held, "JPEG", quality=85)
    (photo,) = written(tmp_path, [("photo.jpg", held.getvalue())])
    media = MediaWorkers(2)
    try:
        await asyncio.gather(*(look(media, photo) for _ in range(40)))
        before = own_bytes(media.processes()[0].pid)
        await asyncio.gather(*(look(media, photo) for _ in range(200)))
        after = own_bytes(media.processes()[0].pid)
    finally:
        await media.close()

    assert media.counts.started == 1
    assert after < before * 1.25  # one buffer kept for each photo would be 200 MB and more


def odd(seen: dict[str, Examination]) -> dict[str, str]:
    """Verdicts that mean a decoder failed, or a child was lost, instead of refusing."""
    marks = (
        "crashed",
        "its decoder failed",
        "its decoder wanted",
        "ended with",
        "took ",
        "no answer",
        "needs more memory",
    )
    return {
        name: result.facts.damage
        for name, result in seen.items()
        if result.facts.damage and any(mark in result.facts.damage for mark in marks)
    }


def own_bytes(pid: int) -> int:
    """Memory that is the child's alone (USS): what other processes share with it does not move this figure."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except PermissionError:  # hardened systems hide it from an ordinary user
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    own = [line.split()[1] for line in lines if line.startswith("Private_")]
    return sum(map(int, own)) * 1024
