"""What happens between two calls to the kernel, part by part."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.layouts import Layouts
from mediabox.sources.folder import Settings, pour
from mediabox.sources.folder.blocking import BlockingCall
from mediabox.sources.folder.listing import TreeListing
from mediabox.sources.folder.settle import Settling
from mediabox.sources.folder.tree import Tree, version_of
from mediabox.sources.folder.walk import Forbidden, Walk, WalkFindings
from mediabox.sources.folder.watch import Watcher
from sources.conformance import MemorySink, listed, only
from sources.folders import FakeClock, folder, touch


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "Pictures"
    path.mkdir()
    return path


def walk(tree: Path, *, settling: Settling | None = None, forbidden: Forbidden | None = None) -> Walk:
    return Walk(
        Tree(str(tree), part="source:pictures"),
        layouts=Layouts(),
        forbidden=forbidden or Forbidden(paths=frozenset(), identities=frozenset()),
        settling=settling or Settling(0, clock=FakeClock()),
        findings=WalkFindings(),
        entered=lambda tree, folder: None,
    )


def names(walked: Walk) -> list[str]:
    return [resource.name for resource in walked.resources() if resource is not None]


def listing(tree: Path) -> TreeListing:
    return TreeListing(
        [Tree(str(tree), part="source:pictures")],
        excluded_roots=(),
        layouts=Layouts(),
        settling=Settling(0, clock=FakeClock()),
        watcher=Watcher(mode="poll", quiet_s=0, layouts=Layouts()),
        findings=WalkFindings(),
    )


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class Meddling(Settling):
    """Does something to the disk when the first file is looked at."""

    def __init__(self, meddle) -> None:
        super().__init__(0, clock=FakeClock())
        self._meddle = meddle

    def is_settled(self, remote_id: str, version: str, *, changed_ns: int) -> bool:
        if self._meddle is not None:
            self._meddle()
            self._meddle = None
        return True


@pytest.mark.parametrize("becomes", ["nothing", "a pipe", "a link"])
def test_a_file_that_turns_into_something_else_while_its_folder_is_listed_is_left_out(tree: Path, becomes: str) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        touch(tree / name)

    def meddle() -> None:
        (tree / "b.jpg").unlink()
        if becomes == "a pipe":
            os.mkfifo(tree / "b.jpg")
        if becomes == "a link":
            (tree / "b.jpg").symlink_to("a.jpg")

    assert names(walk(tree, settling=Meddling(meddle))) == ["a.jpg", "c.jpg"]


@pytest.mark.parametrize("becomes", ["nothing", "a file", "a link"])
def test_a_folder_that_turns_into_something_else_before_it_is_entered_is_left_out(
    tree: Path, tmp_path: Path, becomes: str
) -> None:
    touch(tree / "a.jpg")
    touch(tree / "b" / "inside.jpg")
    touch(tmp_path / "elsewhere" / "secret.jpg")
    touch(tree / "c" / "d.jpg")

    def meddle() -> None:
        shutil.rmtree(tree / "b")
        if becomes == "a file":
            touch(tree / "b")
        if becomes == "a link":
            (tree / "b").symlink_to(tmp_path / "elsewhere")

    assert names(walk(tree, settling=Meddling(meddle))) == ["a.jpg", "d.jpg"]


def test_a_forbidden_folder_is_known_by_its_path_when_its_identity_is_not_known_yet(tree: Path) -> None:
    touch(tree / "a.jpg")
    touch(tree / "archive" / "b.jpg")

    paths = frozenset({os.path.realpath(tree / "archive")})

    assert names(walk(tree, forbidden=Forbidden(paths=paths, identities=frozenset()))) == ["a.jpg"]


def test_a_listing_given_up_while_a_thread_was_inside_lets_go_of_its_folders(tree: Path) -> None:
    for number in range(1000):
        touch(tree / f"{number:04}.jpg")
    before = open_descriptors()
    given_up, call = listing(tree), BlockingCall()

    given_up.page(call)
    assert open_descriptors() > before
    call.is_stopped = True
    given_up.page(call)

    assert open_descriptors() == before
    assert given_up.page(BlockingCall()) is None


async def test_no_descriptor_is_left_open(tree: Path) -> None:
    touch(tree / "a" / "b" / "c.jpg", b"content")
    source = folder(tree, watch="inotify")
    await listed(source)
    await source.close()
    before = open_descriptors()

    for _ in range(3):
        resource = await only(source)
        await source.fetch(resource, MemorySink())
        os.utime(tree / "a" / "b" / "c.jpg")
        with pytest.raises(Retryable):
            await source.fetch(resource, MemorySink())
        with pytest.raises(Permanent):
            await source.remove(resource)
    await source.close()

    assert open_descriptors() == before


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT])
def test_an_error_of_the_disk_means_away_when_the_whole_tree_is_gone(tree: Path, code: int) -> None:
    known = Tree(str(tree), part="source:pictures")
    touch(tree / "a.jpg")
    assert type(known.translate(OSError(code, ""), ("a.jpg",))) is Retryable

    shutil.rmtree(tree)

    assert isinstance(known.translate(OSError(code, ""), ("a.jpg",)), Away)


def test_a_disk_that_fails_while_a_folder_is_listed_ends_the_listing_of_that_tree(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tree / "a.jpg")
    touch(tree / "b" / "c.jpg")

    def pulled() -> None:
        shutil.rmtree(tree)
        monkeypatch.setattr(os, "open", fail)

    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(Away):
        names(walk(tree, settling=Meddling(pulled)))


def test_one_bad_folder_on_a_disk_that_is_there_is_a_complaint(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a.jpg", "bad/b.jpg", "good/c.jpg"):
        touch(tree / path)
    really_open = os.open

    def sometimes(path: str, flags: int, **others: int) -> int:
        if path == "bad":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really_open(path, flags, **others)

    monkeypatch.setattr(os, "open", sometimes)
    walked = walk(tree)

    assert names(walked) == ["a.jpg", "c.jpg"]
    assert [complaint.key for complaint in walked._findings.complaints] == ["source.unreadable"]
    assert "dmesg" in str(walked._findings.complaints[0].remedy)


def test_a_read_that_returns_after_its_errand_was_stopped_pours_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = touch(tree / "a.jpg", b"content")
    call, sink = BlockingCall(), MemorySink()
    really_read = os.preadv

    def late(*arguments: object) -> int:
        call.is_stopped = True  # a disk that spun up too late
        return really_read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "preadv", late)
    known = Tree(str(tree), part="source:pictures")
    pour.pour(known, ("a.jpg",), version=version_of(path.stat()), sink=sink, buffer=bytearray(8), call=call)

    assert sink.writes == 0


def test_a_file_that_ends_early_though_its_size_stayed_is_tried_again(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = touch(tree / "a.jpg", b"content")
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    known = Tree(str(tree), part="source:pictures")

    with pytest.raises(Retryable, match="ended after 0 of 7 bytes"):
        pour.pour(
            known,
            ("a.jpg",),
            version=version_of(path.stat()),
            sink=MemorySink(),
            buffer=bytearray(8),
            call=BlockingCall(),
        )


def test_settings_refuse_what_cannot_be_meant() -> None:
    import msgspec

    for given in (
        {"trees": []},
        {"trees": ["relative"]},
        {"trees": ["/a"], "exclude": ["sub/folder"]},
        {"trees": ["/a"], "settle_s": -1},
        {"trees": ["/a"], "mode": "delete"},
        {"trees": ["/a"], "follow_symlinks": True},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(given, Settings)
    assert msgspec.convert({"trees": ["/a"]}, Settings).mode == "keep"


async def test_what_an_interrupted_fetch_left_is_never_taken_for_this_versions_beginning(tmp_path: Path) -> None:
    content = b"now" * 1000
    touch(tmp_path / "IMG_0001.JPG", content)
    source = folder(tmp_path)
    left_by_another_version = MemorySink(b"old" * 500)

    await source.fetch(await only(source), left_by_another_version)

    assert left_by_another_version.held == content
