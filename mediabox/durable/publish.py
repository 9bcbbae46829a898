"""Give finished bytes their final name, never over another file's (invariant I3).

Nothing under a final name is ever partial: originals are linked from the spool, our own
sidecars and manifests are renamed over their older version, each from a synced temp.
A name is durable only after `DirectorySync.sync` of its folder.
"""

import errno
import os
from pathlib import Path

from mediabox.durable.descriptors import DIRECTORY, open_descriptor, sync_folder
from mediabox.durable.names import give_name
from mediabox.durable.temporary import (
    abandon,
    is_temporary,
    only_writer,
    temporary_for,
    unlink_quietly,
    write_temporary,
)
from mediabox.durable.volume import Volume, inside
from mediabox.failpoints import fp

_READ_ONLY_MODE = 0o444


def publish(volume: Volume, temp: str, final: str, *, modified_at_ms: int | None = None) -> None:
    """Give the synced file `temp` the name `final`, read-only, with its modification time (Unix ms).

    Afterwards `temp` is a second name of the same file, to be discarded once the
    catalogue knows; where the file system has no hard links it is gone already. The
    name is durable only after a sync of final's folder, which must exist. Raises
    FileExistsError, leaving both alone; Away; Retryable when temp is lost; NeedsHuman.
    """
    temp, final = inside(temp), inside(final)
    volume.prove()
    with volume.refusals(f"publish {final}"):
        _make_original(temp, dir_fd=volume.fd, modified_at_ms=modified_at_ms)
        give_name(volume, temp, final)
    fp("file.linked")


def adopt(volume: Volume, final: str, *, modified_at_ms: int | None = None) -> None:
    """Make a whole file that is at its final name already an original: durable, read-only, with its time (Unix ms).

    For what was published before a crash, which may have taken back all but the bytes
    and the name. Raises Away, NeedsHuman.
    """
    volume.prove()
    with volume.refusals(f"adopt {final}"):
        _make_original(inside(final), dir_fd=volume.fd, modified_at_ms=modified_at_ms)
        with open_descriptor(final, dir_fd=volume.fd) as descriptor:
            os.fsync(descriptor)


def replace(volume: Volume, final: str, content: bytes) -> None:
    """Make `content` the durable content of a sidecar or manifest of ours; never of an original.

    Whoever reads meanwhile sees the old version or the new one, whole. Its folder must
    exist. May be repeated after a crash. Raises Away, NeedsHuman.
    """
    temp, epoch = temporary_for(inside(final)), volume.epoch
    volume.prove(since=epoch)
    volume.ensure_room(len(content))
    with only_writer(volume.identity.uuid, final), volume.refusals(f"write {final}"):
        write_temporary(temp, content, dir_fd=volume.fd, sync=True)
        fp("sidecar.written")
        try:
            os.rename(temp, final, src_dir_fd=volume.fd, dst_dir_fd=volume.fd)
        except OSError:
            abandon(temp, dir_fd=volume.fd)
            raise
        fp("sidecar.renamed")
        volume.sync_directory(final.rpartition("/")[0])
    volume.prove(since=epoch)  # a detached mount takes and syncs everything without complaint


def write_derived(root: Path, relative: str, content: bytes) -> None:
    """Write what can be made again (a rendition): whole or absent, but not synced. Makes its folders.

    After a power cut the file may be empty or missing. Raises OSError.
    """
    target = root / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = temporary_for(target.name)
    with open_descriptor(target.parent, DIRECTORY) as folder, only_writer(str(target.parent), target.name):
        write_temporary(temp, content, dir_fd=folder, sync=False)
        os.rename(temp, target.name, src_dir_fd=folder, dst_dir_fd=folder)


def discard(volume: Volume, temp: str) -> None:
    """Unlink a temp, if it is there. Not synced: it may return after a power cut. Raises Away, NeedsHuman."""
    with volume.refusals(f"discard {temp}"):
        unlink_quietly(temp, dir_fd=volume.fd)


def discard_stale(volume: Volume, folder: str) -> int:
    """Unlink the temps that `replace` left in a folder when it was killed; how many. Nothing may be writing there."""
    with volume.opened(folder, f"clear temporary files in {folder or '.'}", DIRECTORY) as descriptor:
        stale = [name for name in os.listdir(descriptor) if is_temporary(name)]
        return sum(unlink_quietly(name, dir_fd=descriptor) for name in stale)


def remove(volume: Volume, relative: str) -> bool:
    """Durably unlink a file on a proven volume; whether it was there. For retention only. Raises Away, NeedsHuman."""
    volume.prove()
    with volume.refusals(f"remove {relative}"):
        was_there = unlink_quietly(inside(relative), dir_fd=volume.fd)
        volume.sync_directory(relative.rpartition("/")[0])
    return was_there


def remove_file(path: Path) -> bool:
    """As `remove`, for a file outside every volume (an expired backup, a rendition). Raises OSError."""
    with open_descriptor(path.parent, DIRECTORY) as folder:
        was_there = unlink_quietly(path.name, dir_fd=folder)
        os.fsync(folder)
    return was_there


def seal(part: Path, final: Path) -> None:
    """Make a finished file durable and give it its name, over its older version. Same file system. Raises OSError."""
    with open_descriptor(part.parent, DIRECTORY) as folder, open_descriptor(final.parent, DIRECTORY) as target:
        with open_descriptor(part.name, dir_fd=folder) as descriptor:
            os.fsync(descriptor)
        os.rename(part.name, final.name, src_dir_fd=folder, dst_dir_fd=target)
        os.fsync(target)
        os.fsync(folder)


def set_aside(path: Path) -> Path:
    """Durably rename a file that is to be made anew, without overwriting an older one: `name.before`, `name.before-2`.

    Returns its new path. Raises OSError.
    """
    aside = path.with_name(f"{path.name}.before")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.before-{number}")
    os.rename(path, aside)
    sync_folder(path.parent)
    return aside


def remove_at(name: str, /, *, dir_fd: int) -> None:
    """Durably unlink `name` in an open folder: a source's own copy, after proof of ours. Raises OSError."""
    os.unlink(name, dir_fd=dir_fd)
    os.fsync(dir_fd)


def _make_original(temp: str, *, dir_fd: int, modified_at_ms: int | None) -> None:
    """Mode 0444 and the time, before the final name exists: nobody ever sees a writable original (I1)."""
    if modified_at_ms is not None:
        time_ns = modified_at_ms * 1_000_000
        os.utime(temp, ns=(time_ns, time_ns), dir_fd=dir_fd, follow_symlinks=False)
    try:
        os.chmod(temp, _READ_ONLY_MODE, dir_fd=dir_fd)
    except OSError as err:
        if err.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):  # exFAT, SMB: no modes to keep
            raise
