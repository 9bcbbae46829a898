"""The kernel's own word on what a path is on."""

import os
from pathlib import Path

import pytest
from faults.forgetful import Forgetful
from faults.mounts import Socket, tmpfs

from mediabox.durable.filesystem import (
    filesystem_behind,
    filesystem_of,
    is_network,
    is_same_family,
    missing_mount,
)
from mediabox.durable.volume import Volume
from mediabox.errors import Away


def test_each_mount_tells_its_type_even_below_a_mount_point_with_a_space(tmp_path: Path) -> None:
    assert filesystem_of(Path("/proc")) == "proc"
    with tmpfs(tmp_path / "a disk", size_bytes=1 << 20) as root:
        (root / "below").mkdir()
        assert filesystem_of(root / "below") == "tmpfs"


def test_a_fuse_file_system_tells_its_subtype() -> None:
    with Forgetful() as disk:
        assert filesystem_of(disk.path) == "fuse.forgetful"


def test_a_detached_mount_is_unknown(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        descriptor = os.open(socket.path, os.O_RDONLY)
        socket.pull()
        try:
            assert filesystem_behind(descriptor) == "unknown"
        finally:
            os.close(descriptor)


@pytest.mark.parametrize("name", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.rclone"])
def test_network_file_systems_are_known(name: str) -> None:
    assert is_network(name)


@pytest.mark.parametrize("name", ["ext4", "btrfs", "xfs", "f2fs", "exfat", "vfat", "tmpfs", "overlay", "fuseblk"])
def test_local_file_systems_may_hold_the_database(name: str) -> None:
    assert not is_network(name)


def test_another_driver_for_the_same_disk_is_no_stranger() -> None:
    assert is_same_family("ntfs3", "fuseblk")
    assert is_same_family("nfs", "nfs4")
    assert not is_same_family("ext4", "tmpfs")


def test_a_promised_mount_that_is_not_there_is_named(tmp_path: Path) -> None:
    fstab = tmp_path / "fstab"
    disk = tmp_path / "my disk"
    fstab.write_text(
        f"# {tmp_path} in a comment\nLABEL=x {str(disk).replace(' ', chr(92) + '040')} ext4 nofail 0 2\n\n"
    )

    assert missing_mount(disk / "archive", fstab=fstab) == disk
    assert missing_mount(tmp_path / "elsewhere", fstab=fstab) is None
    assert missing_mount(disk, fstab=tmp_path / "no table") is None
    with tmpfs(disk, size_bytes=1 << 20):
        assert missing_mount(disk / "archive", fstab=fstab) is None


def test_enrolling_waits_for_a_promised_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediabox.durable.volume.missing_mount", lambda root: root)

    with pytest.raises(Away, match="fstab"):
        Volume.enroll(tmp_path / "archive", now_ms=1)

    assert not (tmp_path / "archive").exists()
