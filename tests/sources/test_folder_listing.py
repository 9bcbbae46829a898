"""What a folder source lists, and what it leaves out aloud."""

import errno
import os
import shlex
import shutil
import socket
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.errors import Away, Permanent
from mediabox.model.asset import Kind, RemoteResource, Role
from mediabox.sources.folder import SOURCE, Folder, remedies
from sources.conformance import MemorySink, listed, taken_in
from sources.folders import folder, touch, unprivileged


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "Pictures"
    path.mkdir()
    return path


@pytest.fixture
def open_tree() -> Iterator[Path]:
    """A tree that everybody may enter: pytest's own folders belong to one user alone."""
    path = Path(tempfile.mkdtemp(prefix="mediabox-test-"))
    path.chmod(0o755)
    yield path
    for below in path.rglob("*"):
        if below.is_dir():
            below.chmod(0o755)
    shutil.rmtree(path)


async def names(source: Folder) -> list[str]:
    return [resource.name for resource in await listed(source)]


def test_the_package_offers_the_source() -> None:
    assert SOURCE is Folder


async def test_says_what_a_file_is_and_how_large_and_old_it_is(tree: Path) -> None:
    touch(tree / "2024" / "IMG_0001.HEIC", b"12345", mtime_s=1_700_000_000.5)

    (resource,) = await listed(folder(tree))

    assert resource.kind is Kind.PICTURE
    assert (resource.size_bytes, resource.modified_at_ms) == (5, 1_700_000_000_500)
    assert resource.version == "5-1700000000500000000"
    assert resource.remote_id.startswith("Pictures~")
    assert resource.remote_id.endswith("/2024/IMG_0001.HEIC")


async def test_order_is_by_name_in_each_folder_files_first(tree: Path) -> None:
    for path in ("b/2.jpg", "b/1.jpg", "z.jpg", "a/9.jpg", "a.jpg", "b/c/3.jpg"):
        touch(tree / path)

    assert await names(folder(tree)) == ["a.jpg", "z.jpg", "9.jpg", "1.jpg", "2.jpg", "3.jpg"]


def counted(source: Folder) -> dict[str, int]:
    survey = source.survey()
    assert survey is not None
    return {one.reason.value: one.count for one in survey.left_out}


async def test_each_name_left_out_is_counted_with_its_reason(tree: Path) -> None:
    touch(tree / "kept.jpg")
    for path in (
        ".hidden.jpg", "._IMG_1.JPG", ".stversions/1.jpg", ".Trash-1000/files/1.jpg", "@eaDir/1.jpg", "#recycle/1.jpg",
        "@EADIR/2.jpg", "lost+found/1.jpg", "Thumbs.db", "THUMBS.DB", ".DS_Store", "a.jpg.part", "a.TMP", "~$lock.jpg",
    ):  # fmt: skip
        touch(tree / path)
    source = folder(tree)

    assert await names(source) == ["kept.jpg"]
    assert counted(source) == {"hidden": 1, "system": 3, "bin": 3, "cache": 4, "unfinished": 3}


async def test_the_owner_may_name_what_is_left_out(tree: Path) -> None:
    touch(tree / "a.jpg")
    touch(tree / "a.xmp")
    touch(tree / "proofs" / "b.jpg")
    source = folder(tree, exclude=("*.XMP", "proof?"))

    assert await names(source) == ["a.jpg"]
    assert counted(source) == {"excluded": 2}
    assert await names(folder(tree, exclude=())) == ["a.jpg", "a.xmp", "b.jpg"]


async def test_what_a_camera_makes_beside_a_clip_is_its_companion(tree: Path) -> None:
    for path in ("a/MVI_1.AVI", "a/MVI_1.THM", "a/notes.srt", "b/MVI_1.THM", "c/DJI_1.MP4", "c/dji_1.srt"):
        touch(tree / path)

    found = {one.remote_id.partition("/")[2]: (one.kind, one.role) for one in await listed(folder(tree))}

    assert found == {
        "a/MVI_1.AVI": (Kind.VIDEO, Role.ORIGINAL),
        "a/MVI_1.THM": (Kind.SIDECAR, Role.COMPANION),
        "a/notes.srt": (None, Role.ORIGINAL),
        "b/MVI_1.THM": (None, Role.ORIGINAL),  # its clip is not there: a picture, if its content says so
        "c/DJI_1.MP4": (Kind.VIDEO, Role.ORIGINAL),
        "c/dji_1.srt": (Kind.SIDECAR, Role.COMPANION),
    }


async def test_links_are_counted_and_not_followed(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a.jpg")
    touch(tmp_path / "outside" / "secret.jpg")
    (tree / "again.jpg").symlink_to("a.jpg")
    (tree / "loop").symlink_to(tree)
    (tree / "outside").symlink_to(tmp_path / "outside")
    (tree / "broken").symlink_to("nowhere")
    source = folder(tree)

    assert await names(source) == ["a.jpg"]
    assert counted(source) == {"link": 4}


async def test_pipes_and_sockets_are_counted_and_never_opened(tree: Path) -> None:
    touch(tree / "a.jpg")
    os.mkfifo(tree / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "s.jpg"))
        source = folder(tree)

        assert await names(source) == ["a.jpg"]
        assert counted(source) == {"special": 2}


@pytest.mark.parametrize("what", ["pipe", "link", "folder", "socket"])
async def test_what_is_no_regular_file_any_more_is_refused_without_hanging(tree: Path, what: str) -> None:
    touch(tree / "a.jpg")
    touch(tree / "b.jpg")
    source = folder(tree)
    resource = taken_in((await listed(source))[0])
    (tree / "a.jpg").unlink()
    match what:
        case "pipe":
            os.mkfifo(tree / "a.jpg")
        case "link":
            (tree / "a.jpg").symlink_to("/etc/passwd")
        case "folder":
            (tree / "a.jpg").mkdir()
        case _:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(tree / "a.jpg"))

    with pytest.raises(Permanent):
        await source.fetch(resource, MemorySink())


async def test_a_link_put_in_a_folders_place_does_not_lead_out_of_the_tree(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a" / "1.jpg", b"mine", mtime_s=1)
    touch(tree / "b.jpg")
    source = folder(tree)
    remote = next(resource for resource in await listed(source) if resource.name == "1.jpg")
    shutil.move(tree / "a", tmp_path / "moved")
    touch(tmp_path / "elsewhere" / "1.jpg", b"evil", mtime_s=1)
    (tree / "a").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Permanent):
        await source.fetch(taken_in(remote), MemorySink())
    await source.remove(taken_in(remote))
    assert (tmp_path / "elsewhere" / "1.jpg").exists()


@pytest.mark.parametrize("path", ["", "..", "../x.jpg", "a/../../x.jpg", "a//x.jpg", "./x.jpg", "%2E%2E/x.jpg",
                                  "..%2Fx.jpg", "x%00.jpg", "%41.jpg", "x%zz.jpg"])  # fmt: skip
async def test_an_id_that_no_listing_made_is_refused(tree: Path, tmp_path: Path, path: str) -> None:
    touch(tmp_path / "x.jpg")
    touch(tree / "a.jpg")
    source = folder(tree)
    (remote,) = await listed(source)
    key = remote.remote_id.partition("/")[0]
    forged = taken_in(remote)

    for remote_id in (f"{key}/{path}", key, f"{key}x/a.jpg"):
        with pytest.raises(Permanent):
            await source.fetch(type(forged)(**{**_fields(forged), "remote_id": remote_id}), MemorySink())


def _fields(resource: object) -> dict[str, object]:
    return {name: getattr(resource, name) for name in resource.__struct_fields__}  # type: ignore[attr-defined]


async def test_archive_and_home_inside_a_tree_are_never_entered(tree: Path) -> None:
    touch(tree / "a.jpg")
    touch(tree / "archive" / "2024" / "b.jpg")
    touch(tree / "home" / "renditions" / "c.jpg")

    assert await names(folder(tree, excluded=(tree / "archive", tree / "home"))) == ["a.jpg"]


async def test_an_archive_reached_through_a_link_is_known_all_the_same(tree: Path, tmp_path: Path) -> None:
    touch(tree / "archive" / "b.jpg")
    touch(tree / "a.jpg")
    (tmp_path / "alias").symlink_to(tree)

    assert await names(folder(tmp_path / "alias", excluded=(tree / "archive",))) == ["a.jpg"]
    assert await names(folder(tree, excluded=(tmp_path / "alias" / "archive",))) == ["a.jpg"]


async def test_a_tree_inside_the_archive_is_refused_aloud(tree: Path) -> None:
    touch(tree / "2024" / "b.jpg")
    source = folder(tree / "2024", excluded=(tree,))

    assert await names(source) == []
    assert [complaint.key for complaint in source.complaints()] == ["source.inside_archive"]


async def test_trees_that_overlap_list_each_file_once(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a.jpg")
    touch(tree / "inner" / "b.jpg")
    (tmp_path / "alias").symlink_to(tree)

    assert sorted(await names(folder(tree, tree / "inner", tree, tmp_path / "alias"))) == ["a.jpg", "b.jpg"]


async def test_an_id_does_not_depend_on_the_order_of_the_trees(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "Pictures"
    touch(tree / "a.jpg")
    touch(other / "a.jpg")

    here = {resource.remote_id for resource in await listed(folder(tree, other))}
    turned = {resource.remote_id for resource in await listed(folder(other, tree))}

    assert len(here) == 2
    assert here == turned


async def test_one_missing_tree_costs_only_itself(tree: Path, tmp_path: Path) -> None:
    touch(tree / "a.jpg")
    source = folder(tmp_path / "card", tree)

    assert await names(source) == ["a.jpg"]
    (complaint,) = source.complaints()
    assert complaint.key == "source.missing"
    with pytest.raises(Away) as away:
        lost = f"{complaint.subject.partition('/')[2]}/b.jpg"
        await source.peek(RemoteResource(remote_id=lost, version="1", name="b.jpg", kind=Kind.PICTURE))
    assert away.value.part == f"source:{complaint.subject}", "one issue for both"
    assert str(tmp_path / "card") in str(away.value)


async def test_when_every_tree_is_missing_the_source_is_away(tmp_path: Path) -> None:
    source = folder(tmp_path / "card", tmp_path / "disk")

    with pytest.raises(Away) as away:
        await listed(source)

    assert away.value.part == "source:pictures"
    assert [complaint.key for complaint in source.complaints()] == ["source.missing", "source.missing"]


async def test_a_closed_folder_is_reported_with_a_remedy_and_the_rest_goes_on(open_tree: Path) -> None:
    touch(open_tree / "a.jpg")
    touch(open_tree / "closed" / "b.jpg")
    touch(open_tree / "z" / "c.jpg")
    (open_tree / "closed").chmod(0o700 if os.geteuid() == 0 else 0)
    source = folder(open_tree)

    with unprivileged():
        assert await names(source) == ["a.jpg", "c.jpg"]

    (complaint,) = source.complaints()
    assert complaint.key == "source.unreadable"
    assert complaint.subject == str(open_tree / "closed")
    how = "setfacl" if os.geteuid() == 0 else "chmod -R u+rX"  # whose it is decides
    assert how in str(complaint.remedy)


async def test_a_folder_whose_files_may_not_be_looked_at_is_reported(open_tree: Path) -> None:
    touch(open_tree / "listed_only" / "b.jpg")
    (open_tree / "listed_only").chmod(0o744 if os.geteuid() == 0 else 0o400)
    source = folder(open_tree)

    with unprivileged():
        assert await names(source) == []

    assert [complaint.key for complaint in source.complaints()] == ["source.unreadable"]


async def test_many_closed_folders_are_one_cause_and_few_complaints(open_tree: Path) -> None:
    for number in range(50):
        (open_tree / f"{number:02}").mkdir()
        (open_tree / f"{number:02}").chmod(0o700 if os.geteuid() == 0 else 0)
    source = folder(open_tree)

    with unprivileged():
        await listed(source)

    assert len(source.complaints()) == 21
    assert str(source.complaints()[-1].message).startswith("30 more")


async def test_a_closed_file_is_refused_with_a_remedy(open_tree: Path) -> None:
    touch(open_tree / "a.jpg").chmod(0o600 if os.geteuid() == 0 else 0)
    source = folder(open_tree)

    with unprivileged():
        (remote,) = await listed(source)
        with pytest.raises(Permanent, match=r"setfacl|chmod"):
            await source.fetch(taken_in(remote), MemorySink())


def test_a_remedy_gives_its_owner_the_right_and_never_everybody(tmp_path: Path) -> None:
    (tmp_path / "my photos").mkdir(mode=0o000)

    own = str(remedies.permission_remedy(str(tmp_path / "my photos")))
    others = str(remedies.permission_remedy("/etc")) if os.geteuid() else ""

    assert own.endswith(f": `chmod -R u+rX {shlex.quote(str(tmp_path / 'my photos'))}`.")
    assert "o+" not in own + others


def test_a_path_that_is_too_long_is_no_matter_of_a_cable() -> None:
    words = str(remedies.listing_remedy("/a", OSError(errno.ENAMETOOLONG, "File name too long")))

    assert "Shorten the names" in words
    assert "cable" not in words


async def test_a_closed_tree_is_a_complaint(open_tree: Path) -> None:
    inner = open_tree / "inner"
    touch(inner / "a.jpg")
    inner.chmod(0o700 if os.geteuid() == 0 else 0)
    source = folder(inner)

    with unprivileged():
        assert await names(source) == []

    assert [complaint.key for complaint in source.complaints()] == ["source.unreadable"]


async def test_a_source_that_keeps_never_removes(tree: Path) -> None:
    touch(tree / "a.jpg")
    source = folder(tree, mode="keep")
    (remote,) = await listed(source)

    with pytest.raises(Permanent):
        await source.remove(taken_in(remote))

    assert (tree / "a.jpg").exists()
    assert not source.removes_after_archiving


async def test_the_access_time_of_a_picture_is_left_alone(tree: Path) -> None:
    path = touch(tree / "a.jpg", b"x" * 100)
    os.utime(path, ns=(1, 10**18))  # so old that relatime would renew it
    source = folder(tree)
    (remote,) = await listed(source)

    await source.fetch(taken_in(remote), MemorySink())

    assert path.stat().st_atime_ns == 1


async def test_twenty_thousand_files_need_little_memory(tree: Path) -> None:
    for number in range(20_000):
        os.mknod(tree / f"IMG_{number:05}.JPG")
    source = folder(tree)
    seen = 0

    tracemalloc.start()
    try:
        async for page in source.pages(None):
            seen += len(page.assets)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert seen == 20_000
    assert peak_bytes < 4 << 20  # 1.4 MiB for the names of one folder, and a page or two


async def test_folders_deeper_than_a_path_may_be_long_do_not_end_the_listing(tree: Path) -> None:
    touch(tree / "z.jpg")
    folder_now = os.open(tree, os.O_RDONLY)
    for _ in range(20):  # 20 * 250 bytes: more than PATH_MAX, 4096
        os.mkdir("d" * 250, dir_fd=folder_now)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=folder_now)
        os.close(folder_now)
        folder_now = deeper
    os.close(folder_now)
    source = folder(tree)

    assert await names(source) == ["z.jpg"]
    assert [complaint.key for complaint in source.complaints()] == ["source.unreadable"]
