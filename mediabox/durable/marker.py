"""The marker that makes a directory a volume: who it is, and whether this is it."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from mediabox.durable.descriptors import DIRECTORY, open_descriptor, sync_folder
from mediabox.durable.filesystem import filesystem_behind, is_same_family
from mediabox.durable.temporary import abandon, is_temporary, temporary_for, unlink_quietly, write_temporary
from mediabox.errors import Away, NeedsHuman
from mediabox.failpoints import fp
from mediabox.message import Text, message

FOLDER = ".mediabox"
MARKER = f"{FOLDER}/volume.json"

# The system's own trees. Folders of `_SHARED` hold volumes, and may be one only when a disk is mounted there.
_SYSTEM = frozenset(("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr"))
_SHARED = frozenset(
    ("/home", "/media", "/mnt", "/opt", "/root", "/run", "/run/media", "/srv", "/tmp", "/var", "/var/lib")  # noqa: S108
)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What tells this volume from every other. `filesystem` is the kernel's type name (`ext4`)."""

    uuid: str
    generation: int
    created_at_ms: int
    filesystem: str


def opened(root: Path, name: str) -> int:
    try:
        return os.open(root, DIRECTORY)
    except OSError as err:
        raise away(root, name, err.strerror or message("it cannot be opened")) from err


def created(root: Path, name: str) -> int:
    """A descriptor of the root, made when only it is missing."""
    try:
        os.mkdir(root, 0o755)
    except FileExistsError:
        return opened(root, name)
    except FileNotFoundError as err:
        raise away(root, name, message("its parent folder does not exist")) from err
    except OSError as err:
        raise foreign(root, name, message("it cannot be created ({reason})", reason=err.strerror or str(err))) from err
    try:
        sync_folder(root.parent)
    except OSError as err:
        raise foreign(root, name, message("it cannot be created ({reason})", reason=err.strerror or str(err))) from err
    return opened(root, name)


def read_marker(descriptor: int, root: Path, name: str) -> Identity | None:
    """The marker below an open root; None when there is none."""
    try:
        with open_descriptor(MARKER, dir_fd=descriptor) as marker:
            return msgspec.json.decode(os.read(marker, 4096), type=Identity)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as err:
        raise away(
            root, name, message("its marker is not readable ({reason})", reason=err.strerror or str(err))
        ) from err
    except msgspec.DecodeError as err:
        raise foreign(root, name, message("its marker ({path}) is not valid", path=str(MARKER))) from err


def expected_marker(descriptor: int, root: Path, name: str, *, expected: Identity) -> Identity:
    """The marker when it is the expected one on the expected file system."""
    identity = read_marker(descriptor, root, name)
    if identity is None:
        empty = not os.listdir(descriptor)
        raise away(
            root,
            name,
            message("the folder is empty; nothing is mounted there") if empty else message("it has no mediabox marker"),
        )
    if identity.uuid != expected.uuid:
        raise foreign(
            root, name, message("it is volume {found}, not {wanted}", found=identity.uuid, wanted=expected.uuid)
        )
    found = filesystem_behind(descriptor)
    if not is_same_family(found, expected.filesystem):
        raise foreign(root, name, _copied(found, expected.filesystem))
    return identity


def write_marker(descriptor: int, root: Path, name: str, *, now_ms: int) -> Identity:
    """Mark a volume never used before, durably."""
    identity = new_identity(descriptor, now_ms=now_ms)
    try:
        _make_folder(descriptor, root, name)
        _write(descriptor, identity)
    except OSError as err:
        raise foreign(root, name, message("it is not writable ({reason})", reason=err.strerror or str(err))) from err
    fp("volume.enrolled")
    return identity


def new_identity(descriptor: int, *, now_ms: int) -> Identity:
    """One no other volume has."""
    filesystem = filesystem_behind(descriptor)
    return Identity(uuid=str(uuid.uuid4()), generation=1, created_at_ms=now_ms, filesystem=filesystem)


@contextmanager
def unmarked(root: Path, name: str = "archive") -> Iterator[int]:
    """A descriptor of a root without a marker, to look for proof below it and then `mark_anew`.

    Raises Away when the root is not there, NeedsHuman `volume.foreign` when it is a
    system folder or has a marker already.
    """
    root = root.resolve()
    refuse_system_folder(root, name)
    descriptor = opened(root, name)
    try:
        if (found := read_marker(descriptor, root, name)) is not None:
            raise foreign(root, name, message("it already has a marker, of volume {found}", found=found.uuid))
        yield descriptor
    finally:
        os.close(descriptor)


def mark_anew(descriptor: int, root: Path, identity: Identity, *, name: str = "archive") -> None:
    """Write a lost marker, durably. Only for whoever has found the volume's files below the descriptor.

    Raises NeedsHuman `volume.foreign` on another kind of file system than the volume's: a copy of it.
    """
    found = filesystem_behind(descriptor)
    if not is_same_family(found, identity.filesystem):
        raise foreign(root, name, _copied(found, identity.filesystem))
    try:
        with suppress(FileExistsError):
            os.mkdir(FOLDER, 0o755, dir_fd=descriptor)
        sync_folder(".", dir_fd=descriptor)
        _write(descriptor, identity)
    except OSError as err:
        raise foreign(root, name, message("it is not writable ({reason})", reason=err.strerror or str(err))) from err


def _write(descriptor: int, identity: Identity) -> None:
    temp = temporary_for(MARKER)
    write_temporary(temp, msgspec.json.format(msgspec.json.encode(identity)) + b"\n", dir_fd=descriptor, sync=True)
    try:
        os.rename(temp, MARKER, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        sync_folder(FOLDER, dir_fd=descriptor)
    except OSError:
        abandon(temp, dir_fd=descriptor)
        unlink_quietly(MARKER, dir_fd=descriptor)
        raise


def _make_folder(descriptor: int, root: Path, name: str) -> None:
    """Our folder, empty but for a temp of an enrolment cut short."""
    try:
        os.mkdir(FOLDER, 0o755, dir_fd=descriptor)
    except FileExistsError:
        with open_descriptor(FOLDER, DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor) as folder:
            left = [entry for entry in os.listdir(folder) if not is_temporary(entry)]
        if left:  # syncthing #5207: a marker made anew on the wrong disk reads as "everything was deleted"
            raise foreign(
                root, name, message("it was used before, but its marker ({path}) is missing", path=str(MARKER))
            ) from None
    sync_folder(".", dir_fd=descriptor)


def refuse_system_folder(root: Path, name: str) -> None:
    trees = {str(folder) for folder in (root, *root.parents)}
    if root == Path("/") or trees & _SYSTEM or (str(root) in _SHARED and not os.path.ismount(root)):
        raise foreign(root, name, message("the folder belongs to the operating system"))


def _copied(found: str, enrolled: str) -> Text:
    return message(
        "its file system is {found}, the original's was {enrolled}: it may be a copy", found=found, enrolled=enrolled
    )


def away(root: Path, name: str, reason: Text) -> Away:
    what = message("the disk of the {volume} ({root}) is missing: {reason}", volume=name, root=str(root), reason=reason)
    return Away(what, part=f"volume:{name}")


def foreign(root: Path, name: str, reason: Text) -> NeedsHuman:
    what = message("{root} cannot be used as the {volume}: {reason}", root=str(root), volume=name, reason=reason)
    remedy = message("Connect the disk set up as the archive, or choose another folder for the archive.")
    return NeedsHuman(what, issue="volume.foreign", subject=name, remedy=remedy)
