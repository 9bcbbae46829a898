"""What Syncthing's REST API answers, as far as we read it.

Fields it may add are ignored; fields that older ones lack have defaults. Seen in 1.19.2
(Debian 12) and read in the source up to 2.1.3 (2026-11):

- `remoteState` of a completion (`valid`, `paused`, `notSharing`, `unknown`): since 1.20.
- `/rest/db/file` has no `mtime` any more in 2.x; we never read it.
- A deleted file is remembered for ever by 1.x, 180 days by 2.0.0, 455 days by 2.0.10 and later
  (`--db-delete-retention-interval`), then `/rest/db/file` knows nothing of it.

https://docs.syncthing.net/dev/rest.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Names as in JSON."""


class SystemStatus(Answer, frozen=True, kw_only=True):
    my_id: str = msgspec.field(name="myID")
    start_time: str  # of this run of Syncthing: another one means that its event ids began anew


class SystemVersion(Answer, frozen=True, kw_only=True):
    version: str  # "v1.19.2-ds1"


class DeviceIdCheck(Answer, frozen=True, kw_only=True):
    id: str = ""  # in its usual spelling
    error: str = ""


class FolderDevice(Answer, frozen=True, kw_only=True):
    """One device a folder is shared with; this one is among them."""

    device_id: str = msgspec.field(name="deviceID")
    introduced_by: str = ""
    encryption_password: str = ""  # with one, the device gets ciphertext only


class MinDiskFree(Answer, frozen=True, kw_only=True):
    value: float
    unit: str


class Versioning(Answer, frozen=True, kw_only=True):
    type: str = ""  # "": deleted and replaced files are not kept


class FolderConfig(Answer, frozen=True, kw_only=True):
    """A folder as it is set up. What is not named here stays as it is when a folder is changed."""

    id: str
    label: str = ""
    path: str = ""
    type: str = "sendreceive"
    devices: tuple[FolderDevice, ...] = ()
    paused: bool = False
    marker_name: str = ".stfolder"
    ignore_perms: bool = False
    ignore_delete: bool = False
    fs_watcher_enabled: bool = True
    rescan_interval_s: int = 3600
    min_disk_free: MinDiskFree = MinDiskFree(value=1, unit="%")
    max_conflicts: int = 10
    versioning: Versioning = Versioning()
    order: str = "random"


class DeviceConfig(Answer, frozen=True, kw_only=True):
    device_id: str = msgspec.field(name="deviceID")
    name: str = ""
    addresses: tuple[str, ...] = ("dynamic",)
    introducer: bool = False  # may it bring devices of its own along
    auto_accept_folders: bool = False
    paused: bool = False


class PendingDevice(Answer, frozen=True, kw_only=True):
    """One that asked to connect and is not set up."""

    time: str = ""
    name: str = ""
    address: str = ""


class FolderStatus(Answer, frozen=True, kw_only=True):
    """`state`: idle, scanning, scan-waiting, syncing, sync-waiting, sync-preparing, cleaning, error; "" when paused."""

    state: str = ""
    error: str = ""
    watch_error: str = ""
    errors: int = 0
    ignore_patterns: bool = False
    need_total_items: int = 0  # by us


class Completion(Answer, frozen=True, kw_only=True):
    """What a device has of a folder, as its index said last. One that sent none yet counts as 100 % (1.19.2)."""

    completion: float = 0.0  # percent, 0 to 100
    need_bytes: int = 0
    need_items: int = 0
    need_deletes: int = 0
    sequence: int = 0  # of its index; 0 when it sent none yet
    remote_state: str = ""  # "" before 1.20


class DeviceConnection(Answer, frozen=True, kw_only=True):
    """Whether a device is connected."""

    connected: bool = False
    paused: bool = False  # here, by us


class DeviceConnections(Answer, frozen=True, kw_only=True):
    connections: dict[str, DeviceConnection] = {}


class DeviceStats(Answer, frozen=True, kw_only=True):
    last_seen: datetime | None = None  # in 1970 or before: never


class FileEntry(Answer, frozen=True, kw_only=True):
    """One version of a file as an index has it."""

    deleted: bool = False
    invalid: bool = False
    size: int = 0  # bytes, 0 when deleted
    modified_by: str = ""  # short id of the device that made this version
    version: tuple[str, ...] = ()  # "SHORTID:counter" each; a counter is at least the Unix time, in seconds, then there

    @property
    def is_known(self) -> bool:
        """Whether there is such an entry at all: Syncthing answers an empty one where there is not."""
        return bool(self.version)


class Availability(Answer, frozen=True, kw_only=True):
    id: str
    from_temporary: bool = False  # it has only begun to fetch the file


class FileState(Answer, frozen=True, kw_only=True):
    """`/rest/db/file`: what everybody agrees on, what we have, and which connected devices have the former."""

    agreed: FileEntry = msgspec.field(name="global")
    local: FileEntry
    availability: tuple[Availability, ...] | None = ()

    @property
    def is_settled(self) -> bool:
        """Whether we have the version everybody agrees on."""
        return self.local.is_known and self.local.version == self.agreed.version

    @property
    def holders(self) -> frozenset[str]:
        """Device ids, not ours, that are connected and have the whole of the agreed version (which may be deleted)."""
        return frozenset(one.id for one in self.availability or () if not one.from_temporary)


class EventData(Answer, frozen=True, kw_only=True):
    """The fields of the events we ask for."""

    folder: str = ""
    id: str = ""  # of a folder, in events about its pause
    path: str = ""
    action: str = ""  # deleted, modified
    modified_by: str = ""  # short id of its author
    from_: str = msgspec.field(name="from", default="")  # states of a folder
    to: str = ""


class Event(Answer, frozen=True, kw_only=True):
    """`id` counts within one set of kinds asked for, and begins anew with each run of Syncthing."""

    id: int
    type: str
    time: str = ""  # RFC 3339, when it reached us
    data: EventData | None = None

    @property
    def at_ms(self) -> int:
        return int(datetime.fromisoformat(self.time).timestamp() * 1000)


class FileProblem(Answer, frozen=True, kw_only=True):
    path: str = ""
    error: str = ""


class FolderProblems(Answer, frozen=True, kw_only=True):
    errors: tuple[FileProblem, ...] | None = ()


class NeededFile(Answer, frozen=True, kw_only=True):
    name: str
    deleted: bool = False


class NeededPage(Answer, frozen=True, kw_only=True):
    files: tuple[NeededFile, ...] | None = ()
