"""A household that comes from icloudpd: its tree stands for what iCloud has, and no byte is taken on trust."""

import argparse
import asyncio
import hashlib
import json
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sources.conformance import bytes_of
from sources.icloud.signed_in import source_of

from mediabox.__main__ import main
from mediabox.cli import adopt
from mediabox.cli.status import status_of
from mediabox.contracts import Source
from mediabox.core.home import catalogue, locked
from mediabox.core.queries.history import history
from mediabox.core.telling import Telling
from mediabox.errors import Permanent
from mediabox.shell import Shell
from mediabox.simulate.icloud.blob import Blob, MemoryBlob, encode, of_bytes
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store import adoptable, gate, listings, lookup
from mediabox.store.database import Database
from mediabox.store.transaction import transaction
from whole.examiner import TableExaminer
from whole.soundness import archived_originals

DAY_MS = 86_400_000
TAKEN_MS = 1_700_000_000_000
WRONG = 3  # files in the tree that only their bytes tell from the right ones
SAMPLE_BYTES = 4096 + (64 << 10)


def jpeg(seed: int, size: int = 60_000) -> bytes:
    body = bytes_of(size, seed=seed).replace(b"\xff\xd9", b"\xff\xd8")
    return b"\xff\xd8\xff\xe0" + body + b"\xff\xd9"


def film(seed: int, size: int = 1_500_000) -> bytes:
    boxes = [(b"ftyp", b"qt  \0\0\0\0qt  "), (b"moov", b""), (b"mdat", bytes_of(size, seed=seed))]
    return b"".join(struct.pack(">I4s", len(content) + 8, kind) + content for kind, content in boxes)


def signed_otherwise(content: bytes) -> MemoryBlob:
    """With a checksum of a kind that is not known, as Apple may begin to tell any day."""
    return MemoryBlob(content=content, signature=encode(hashlib.sha1(content, usedforsecurity=False).digest()))


class Move:
    """An account, and the tree icloudpd made of it. `add` puts one file into both, as they came to be."""

    def __init__(self, root: Path, library: Library, sign: Callable[[bytes], Blob]) -> None:
        self.tree, self._library, self._sign = root / "icloudpd", library, sign
        self._count = 0
        self.contents: list[bytes] = []  # all that is in iCloud
        self.fetched: list[bytes] = []  # of that, what no good copy is at hand of
        self.tried = 0  # local files that have to be looked at

    def add(self, name: str, content: bytes, *, local: dict[str, bytes], live: bytes | None = None) -> str:
        """`local`: what lies in the tree, by name."""
        self._count += 1
        taken_ms = TAKEN_MS + self._count * DAY_MS
        asset = self._library.add(
            self._sign(content),
            file_name=name,
            live=self._sign(live) if live is not None else None,
            taken_ms=taken_ms,
        )
        self.hold(content, *([live] if live is not None else []), local=local)
        self.lay(local, taken_ms)
        return asset.name

    def edit(self, asset: str, content: bytes, *, local: dict[str, bytes]) -> None:
        self._library.edit(asset, self._sign(content))
        self.hold(content, local=local)
        self.lay(local, TAKEN_MS)

    def hold(self, *contents: bytes, local: dict[str, bytes]) -> None:
        self.contents += contents
        self.fetched += [content for content in contents if content not in local.values()]
        self.tried += len(local)

    def lay(self, local: dict[str, bytes], taken_ms: int) -> None:
        for name, content in local.items():
            path = self.tree / f"2023/11/{self._count:02}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(taken_ms * 1_000_000, taken_ms * 1_000_000))


def move_in(move: Move) -> None:
    """What is found in such trees."""
    first, second = jpeg(1), jpeg(2, 61_000)
    move.add("IMG_0001.JPG", first, local={"IMG_0001.JPG": first})
    move.add("IMG_0001.JPG", second, local={f"IMG_0001-{len(second)}.JPG": second})
    still, video = jpeg(3), film(3)
    move.add("IMG_0002.HEIC", still, live=video, local={"IMG_0002.HEIC": still, "IMG_0002_HEVC.MOV": video})
    original, edited = jpeg(4, 62_000), jpeg(5, 63_000)
    asset = move.add("IMG_0003.JPG", original, local={"IMG_0003.JPG": original})
    move.edit(asset, edited, local={"IMG_0003-adjusted.JPG": edited})
    party = jpeg(6, 64_000)
    move.add("IMG_0004.JPG", party, local={"Oma wird 90.jpg": party})
    long = film(7, 2_000_000)
    move.add("IMG_0005.MOV", long, local={"IMG_0005.MOV": long[:1_300_000]})
    short = jpeg(8, 1_200_000)
    move.add("IMG_0006.JPG", short, local={"IMG_0006.JPG": short[:900_000] + bytes(len(short) - 900_000)})
    move.add("IMG_0007.JPG", jpeg(9, 65_000), local={"IMG_0007.JPG": jpeg(10, 65_000)})
    other = film(11, 1_600_000)
    move.add("IMG_0008.MOV", other, local={"IMG_0008.MOV": other[:700_000] + film(12)[: len(other) - 700_000]})
    move.add("IMG_0009.JPG", jpeg(13, 66_000), local={})


class MovedBox(Shell):
    """A box whose one account is signed in to the simulator."""

    def __init__(self, home: Path, simulator: Simulator) -> None:
        super().__init__(home, workers=lambda _: TableExaminer({}), sources=self._own)  # type: ignore[arg-type,return-value]
        self._simulator = simulator

    def _own(self, *_: object, **__: object) -> dict[str, Source]:
        return {"cloud": source_of(self._simulator)}


def configured(root: Path) -> Path:
    home = root / "home"
    home.mkdir()
    (home / "mediabox.toml").write_text(
        f'[archive]\npath = "{root}/archive"\n[work]\nthreads = 1\n'
        '[sources.cloud]\ntype = "icloud"\napple_id = "someone@example.com"\n',
        encoding="utf-8",
    )
    return home


def told(
    home: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    dry_run: bool = False,
    source: str | None = None,
) -> dict[str, Any]:
    """What `mediabox adopt --json` says."""
    capsys.readouterr()
    arguments = argparse.Namespace(home=str(home), folder=str(folder), source=source, dry_run=dry_run, json=True)
    assert adopt.run(arguments) == 0
    return json.loads(capsys.readouterr().out)


async def run_box(home: Path, simulator: Simulator) -> int:
    """Once, to the end; how many bytes the content host sent."""
    carried = 0

    async def carry(length: int) -> None:
        nonlocal carried
        carried += length

    simulator.line.carry = carry  # type: ignore[method-assign]
    with locked(home):
        await MovedBox(home, simulator).run(once=True)
    return carried


def states(tree: Path) -> dict[Path, tuple[int, ...]]:
    """Everything of each file and folder but when it was last read."""
    found = {path: os.stat(path) for path in (tree, *tree.rglob("*"))}
    return {path: (*one[:7], one.st_mtime_ns, one.st_ctime_ns) for path, one in found.items()}


def digests(contents: list[bytes]) -> set[str]:
    return {hashlib.sha256(content).hexdigest() for content in contents}


@pytest.mark.parametrize("sign", [of_bytes, signed_otherwise])
async def test_nothing_that_is_at_hand_is_fetched_again(
    sign: Callable[[bytes], Blob], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = configured(tmp_path)
    async with Simulator(tmp_path / "icloud") as simulator:
        simulator.add_account()
        move = Move(tmp_path, simulator.account().library, sign)
        move_in(move)
        before = states(move.tree)

        offered = await asyncio.to_thread(told, home, move.tree, capsys)
        carried = await run_box(home, simulator)

    assert offered["offer"]["files"] == 11
    needed = sum(map(len, move.fetched))
    asked = WRONG if sign is of_bytes else move.tried  # Apple's checksum says the rest for nothing
    assert needed <= carried <= needed + asked * SAMPLE_BYTES
    assert set(archived_originals(tmp_path / "archive").values()) == digests(move.contents)
    with catalogue(home) as connection:
        stories = [history(connection, one).story for one in lookup.find(connection, "IMG_0002.MOV")]
    (adopted_from,) = [entry.fields["adopted_from"] for entry in stories[0] if entry.event == "fetched"]
    assert adopted_from == str(move.tree / "2023/11/03/IMG_0002_HEVC.MOV")
    adoption = status_of(home).adoption
    assert adoption.adopted == len(move.contents) - len(move.fetched) == 7
    assert adoption.bytes == sum(map(len, move.contents)) - needed
    assert states(move.tree) == before


async def test_what_was_taken_before_checksums_were_kept_is_proved_whole_from_the_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = configured(tmp_path)
    async with Simulator(tmp_path / "icloud") as simulator:
        simulator.add_account()
        move = Move(tmp_path, simulator.account().library, of_bytes)
        move_in(move)
        await asyncio.to_thread(told, home, move.tree, capsys)
        await run_box(home, simulator)
    assert proved(home, capsys) == (0, {"proved": 0, "differing": [], "unprovable": [], "unreadable": []})
    with catalogue(home, write=True) as connection, transaction(connection):  # as an older version wrote it
        connection.execute("UPDATE journal SET fields = json_remove(fields, '$.likeness')")
        source = connection.execute("SELECT name FROM source").fetchone()[0]
        adopted = {one.id: one for one in adoptable.unproved(connection, source)}
        assert len(adopted) == 7
        assert not any(gate.story(connection, one).came_whole for one in adopted)
    spoiled, *_ = [one for one in adopted.values() if one.path]
    path = tmp_path / "archive" / (spoiled.path or "")
    path.chmod(0o644)
    path.write_bytes(changed := path.read_bytes()[:-1] + b"?")

    code, said = proved(home, capsys)

    assert (code, said["proved"], said["unreadable"]) == (1, 6, [spoiled.name])
    assert path.read_bytes() == changed  # nothing is ever written there
    with catalogue(home) as connection:
        assert [one for one in adopted if not gate.story(connection, one).came_whole] == [spoiled.id]


def proved(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    """What `mediabox adopt --prove --json` says."""
    capsys.readouterr()
    code = main(["adopt", "--prove", "--json", "--home", str(home)])
    return code, json.loads(capsys.readouterr().out)


async def test_a_dry_run_foretells_it_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = configured(tmp_path)
    first = await asyncio.to_thread(told, home, _tree(tmp_path), capsys, dry_run=True)
    assert first["offer"]["files"] == 1
    assert [path.name for path in home.iterdir()] == ["mediabox.toml"]
    async with Simulator(tmp_path / "icloud") as simulator:
        simulator.add_account()
        move = Move(tmp_path, simulator.account().library, of_bytes)
        move_in(move)
        await listed(home, simulator)

        report = await asyncio.to_thread(told, home, move.tree, capsys, dry_run=True, source="cloud")

    assert report["prospect"] == {
        "waiting": len(move.contents),
        "waiting_bytes": sum(map(len, move.contents)),
        "likely": 10,  # all but the one that is missing and the one of another size
        "likely_bytes": sum(map(len, move.contents)) - len(film(7, 2_000_000)) - len(jpeg(13, 66_000)),
    }
    assert status_of(home).adoption.offered == 0


async def test_only_a_remote_source_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = configured(tmp_path)

    with pytest.raises(Permanent, match="configured are: cloud"):
        await asyncio.to_thread(told, home, _tree(tmp_path), capsys, source="clown")


def _tree(root: Path) -> Path:
    (root / "old").mkdir()
    (root / "old" / "IMG_0001.JPG").write_bytes(jpeg(1))
    return root / "old"


async def listed(home: Path, simulator: Simulator) -> None:
    """Take everything in, and fetch nothing."""
    source = source_of(simulator)
    async with Database(home / "mediabox.db") as database:
        pages = [page async for page in source.pages(None)]

        def take_in(connection: sqlite3.Connection) -> None:
            telling = Telling(connection, listings.source_id(connection, source.name), now_ms=TAKEN_MS)
            for page in pages:
                telling.take_in(page)

        await database.write(take_in)
    await source.close()
