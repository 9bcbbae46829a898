"""The folder a phone fetches from, as Syncthing shows it.

What `/rest/db/file` says of a file, found with pairs of real Syncthings (1.19.2 and 1.29.5,
`tests/destinations/test_facts.py`; what is marked 2.x was read in the source of 2.1.3).
`B` and `P` are the short ids of box and phone.

| what happened | agreed | `modifiedBy` | version | holders |
|---|---|---|---|---|
| not scanned yet | (404) | | | |
| the box scanned it | file | B | `B:t` | none |
| the phone is fetching it, first block there | file | B | `B:t` | none (listed with `fromTemporary`) |
| the phone has it | file | B | `B:t` | P, as long as it is connected |
| the phone deleted it, connected or not | deleted | P | `P:u B:t` | P, while connected |
| ... then either or both restarted | the same | P | the same | the same, once connected |
| the box deleted it | deleted | B | `B:u` | P, once it followed |
| both deleted it while apart | deleted | who noticed later | `P:u B:t` | P |
| the phone renamed it | deleted; the new name is a file | P | `P:u B:t`; new: `P:u` | P |
| the phone changed or only touched it | file | P | `P:u B:t` | P; the box's copy was overwritten |
| a third device deleted it, told by the phone | deleted | third | `T:u ...` | P, once it followed |
| the phone was switched off, the box paused it | unchanged | | | none |
| the phone's folder is paused | unchanged | | | none |
| the phone's folder was removed, its Syncthing runs | unchanged | | | **still P** (1.19); none from 1.20 on |
| the phone lost its files *and* marker, kept its index | unchanged | | | **still P** |
| the phone lost its files, kept marker and index | all deleted | P | `P:u B:t` | P |
| the phone lost its index, kept its files, heard of the box first | unchanged | | | P |
| ... scanned first (or B, by the devices' ids) | file | **P** | **`P:u` alone** | P |
| ... and then deletes one | deleted | P | `P:v` | P |
| the phone lost index and files (new phone, app's data cleared) | unchanged, fetched again | | | P, once fetched |
| ... of what it had deleted before | deleted | P | as before | none |
| the phone ignores it, whether it had it or not | unchanged | | | none; it does **not** count as needed |
| the phone is `receiveonly` and deleted it | unchanged | | | none; it counts as needed |
| the box's index was lost: what both have | file | B | `B:u`, or the phone's `B:t` | P |
| ... what the phone had deleted before | deleted; we have **no entry** | P | `P:u B:t` | P |
| ... what it deleted meanwhile | file, **sent again** | B | `B:u` | P, once fetched |
| the box put the name back after a deletion | file | B | `P:u B:v` | P, once fetched |

What follows for evidence:

- **Holders** are what the phone's Syncthing last told of its index, and only while it is connected. It is no
  proof that the bytes are on its disk at this moment. `fromTemporary` must not count.
- P needs `is_settled`: only then is the phone's version the one whose bytes lie in our outbox. A version without
  a counter of B (the phone's index was lost) may be other bytes: the outbox's copy has to be hashed again.
- A **deletion by the phone** is told by the index for ever, with its author, whoever was restarted or away; the
  events are not (the newest 1000, gone when Syncthing restarts). 1.x remembers deletions for ever, 2.0.0 for 180
  days, since 2.0.10 for 455 days.
- A counter is the deleter's Unix time in seconds, or one more than the counter before if that is larger: the phone's
  clock when it *scanned*, minutes to an hour after the deletion where nothing watches its folder.
- Nobody can tell by Syncthing *who on the phone* deleted: Free up space, a gallery, a file manager, moving a
  photo to the Locked Folder or another folder, and losing the storage under a kept marker all look alike. A rename
  shows as a new file of the phone's (`modifiedBy` P, version `P:u` alone) at about the same counter.
- When the box itself took a file out, a deletion by the phone may name either: what we withdrew is ours.
- After the box's own loss of its index, what had left the phone has no entry of ours and is never settled, or is
  not known at all (404, when the phone lost its index as well): no evidence, a person is asked. What the phone
  deletes before the box has scanned again is sent a second time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediabox.destinations.pixel.answers import Completion, FolderConfig, FolderStatus
from mediabox.destinations.pixel.soundness import Fault, faults_of, missing_folder
from mediabox.errors import MediaboxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from mediabox.destinations.pixel.answers import FileState
    from mediabox.destinations.pixel.syncthing import Syncthing

AT_ONCE = 8  # questions under way: Syncthing answers each from its database, on a Pi in some milliseconds
SHORT_ID = 7


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """How the folder's phone stands."""

    device_id: str
    is_connected: bool
    is_paused: bool  # by a person, on the box's side
    last_seen_ms: int | None  # None: never
    remote_state: str  # valid, paused, notSharing, unknown; "" where Syncthing is older than 1.20
    has_told: bool  # what it has: it accepted the folder and fetched something. Before, the next three say nothing
    percent: float  # of the folder's bytes it has
    need_bytes: int
    need_items: int  # files to fetch and deletions to follow
    sequence: int = 0  # of its index: another one when it told of anything


class FolderState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what the folder shows can be believed, and how the phone stands."""

    faults: tuple[Fault, ...]
    state: str = ""  # Syncthing's: idle, scanning, syncing, error; "" when paused
    is_settled: bool = False  # idle, and nothing is on its way from the phone to us
    watch_error: str = ""  # changes by others in the outbox are seen by the hourly scan only; ours are announced
    others: tuple[str, ...] = ()  # device ids beside ours and the phone's
    phone: Phone | None = None

    @property
    def is_sound(self) -> bool:
        return not self.faults


class PhoneFolder:
    """One shared folder. `device`: the phone's id; "" is the only other device of the folder."""

    def __init__(self, client: Syncthing, folder_id: str, *, outbox: Path, device: str = "") -> None:
        self.client = client
        self.folder_id = folder_id
        self._outbox = outbox
        self._device = device

    async def state(self) -> FolderState:
        """How things stand now. Raises as `Syncthing` does; a missing folder is a fault like others."""
        mine = await self.client.my_id()
        config = await self.client.folder(self.folder_id)
        if config is None:
            return FolderState(faults=(missing_folder(self.client.name, self.folder_id),))
        status = await self.client.folder_status(self.folder_id)
        problems = await self.client.folder_errors(self.folder_id) if status.errors else ()
        device = self._phone_of(config, mine)
        faults = await asyncio.to_thread(
            faults_of, self.client.name, config, status, problems, outbox=self._outbox, phone=device
        )
        return FolderState(
            faults=tuple(faults),
            state=status.state,
            is_settled=_is_settled(status),
            watch_error=status.watch_error,
            others=tuple(one.device_id for one in config.devices if one.device_id not in (mine, device)),
            phone=await self._phone(device, is_paused=config.paused) if device else None,
        )

    async def announce(self, *names: str) -> None:
        """Have Syncthing look at these files of the outbox. It knows of them when this returns."""
        await self.client.scan(self.folder_id, *names)

    async def files(self, names: Iterable[str]) -> Mapping[str, FileState]:
        """What is known of each file. One that is not in the result was never seen, or is not remembered."""
        turns = asyncio.Semaphore(AT_ONCE)
        found: dict[str, FileState] = {}

        async def ask(name: str) -> None:
            async with turns:
                file = await self.client.file(self.folder_id, name)
            if file is not None:
                found[name] = file

        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(ask(name))
        except* MediaboxError as errors:  # the first is enough: they all met the same
            raise _first(errors) from errors
        return found

    def _phone_of(self, config: FolderConfig, mine: str) -> str:
        """The device that counts as the phone; "" when that cannot be told."""
        others = [one.device_id for one in config.devices if one.device_id != mine]
        if self._device:
            return self._device if self._device in others else ""
        return others[0] if len(others) == 1 else ""

    async def _phone(self, device: str, *, is_paused: bool) -> Phone:
        link = (await self.client.connections()).get(device)
        seen = (await self.client.device_stats()).get(device)
        has = Completion() if is_paused else await self.client.completion(self.folder_id, device)
        return Phone(
            device_id=device,
            is_connected=link is not None and link.connected,
            is_paused=link is not None and link.paused,
            last_seen_ms=_unix_ms(seen.last_seen) if seen and seen.last_seen else None,
            remote_state=has.remote_state,
            has_told=has.sequence > 0,
            percent=has.completion,
            need_bytes=has.need_bytes,
            need_items=has.need_items + has.need_deletes,
            sequence=has.sequence,
        )


def short_id(device_id: str) -> str:
    """How `modifiedBy` and versions name a device."""
    return device_id[:SHORT_ID]


def is_held_by(file: FileState, device_id: str) -> bool:
    """Whether a device says it has the whole of the very version that lies in the outbox."""
    return file.is_settled and not file.agreed.deleted and not file.local.invalid and device_id in file.holders


def is_deleted_by(file: FileState, device_id: str) -> bool:
    """Whether a device deleted it, and that has reached the outbox."""
    return (
        file.is_settled
        and file.agreed.deleted
        and file.local.deleted
        and file.agreed.modified_by == short_id(device_id)
    )


def counter_of(file: FileState, device_id: str) -> int | None:
    """The device's counter in the agreed version: about its Unix time, in seconds, when it last changed the file."""
    for one in file.agreed.version:
        author, _, counter = one.partition(":")
        if author == short_id(device_id):
            return int(counter)
    return None


def _is_settled(status: FolderStatus) -> bool:
    return status.state == "idle" and status.need_total_items == 0


def _unix_ms(at: datetime) -> int | None:
    """None for the zero times Syncthing uses for "never"."""
    return int(at.timestamp() * 1000) if at.year > 1970 else None


def _first(errors: BaseExceptionGroup[MediaboxError]) -> MediaboxError:
    one = errors.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one
