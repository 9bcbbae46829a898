"""Whether what a shared folder shows can be believed: what would make a deletion, or its absence, prove nothing."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediabox.destinations.pixel.refusals import MOUNT, PAIR, RESUME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mediabox.destinations.pixel.answers import FileProblem, FolderConfig, FolderStatus

SENDS_AND_RECEIVES = "sendreceive"


class FaultKind(StrEnum):
    """What is wrong with the folder."""

    MISSING = "missing"  # Syncthing has no such folder
    ELSEWHERE = "elsewhere"  # it lies at another path
    WRONG_TYPE = "wrong_type"  # deletions of the phone do not arrive, or files do not leave
    PAUSED = "paused"
    UNMARKED = "unmarked"  # its marker is gone: another disk, or none
    FAILED = "failed"  # Syncthing says so
    IGNORING = "ignoring"  # some files or all deletions are kept from the other side
    UNSHARED = "unshared"  # the phone is not among its devices, or nobody knows which one it is
    ENCRYPTED = "encrypted"  # the phone gets ciphertext
    ERRORS = "errors"  # single files could not be scanned or fetched


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One reason, for a person."""

    kind: FaultKind
    message: str
    remedy: str


def missing_folder(name: str, folder_id: str) -> Fault:
    """Of a folder that is not set up."""
    message = f"Syncthing has no folder {folder_id!r}"
    return Fault(kind=FaultKind.MISSING, message=message, remedy=PAIR.format(name=name))


def faults_of(
    name: str,
    config: FolderConfig,
    status: FolderStatus,
    problems: Sequence[FileProblem],
    *,
    outbox: Path,
    phone: str,
) -> Iterator[Fault]:
    """Everything wrong with a folder that is set up. Looks at the disk. `phone`: "" when nobody knows which it is."""
    what = f"Syncthing's folder {config.id!r}"
    pair = PAIR.format(name=name)
    if not is_same_folder(config.path, outbox):
        message = f"{what} lies at {config.path}, the outbox is {outbox}"
        remedy = "Give the outbox that path, or remove the folder in Syncthing (its files stay) and pair again."
        yield Fault(kind=FaultKind.ELSEWHERE, message=message, remedy=remedy)
    elif not (outbox / config.marker_name).exists():
        message = f"the marker {config.marker_name} is missing in {outbox}: another disk is mounted there, or none"
        yield Fault(kind=FaultKind.UNMARKED, message=message, remedy=MOUNT)
    if config.type != SENDS_AND_RECEIVES:
        message = f"{what} is of type {config.type}: the phone's deletions cannot be seen"
        yield Fault(kind=FaultKind.WRONG_TYPE, message=message, remedy=pair)
    if config.ignore_delete or status.ignore_patterns:
        message = f"{what} {'ignores deletions' if config.ignore_delete else 'has ignore patterns'}"
        remedy = "Take them out on Syncthing's page (folder, Edit, Ignore Patterns)."
        yield Fault(kind=FaultKind.IGNORING, message=message, remedy=pair if config.ignore_delete else remedy)
    yield from _sharing_faults(what, config, pair, phone=phone)
    yield from _running_faults(what, config, status, problems)


def _sharing_faults(what: str, config: FolderConfig, pair: str, *, phone: str) -> Iterator[Fault]:
    if not phone:
        message = f"{what} is not shared with the phone, or with more devices than one and none is named"
        remedy = f"{pair} With several devices, name the phone: `device` of this destination."
        yield Fault(kind=FaultKind.UNSHARED, message=message, remedy=remedy)
    elif any(one.encryption_password for one in config.devices if one.device_id == phone):
        message = f"{what} is shared with the phone encrypted: Google Photos would see nothing"
        remedy = "Take the encryption password away on Syncthing's page (folder, Edit, Sharing)."
        yield Fault(kind=FaultKind.ENCRYPTED, message=message, remedy=remedy)


def _running_faults(
    what: str, config: FolderConfig, status: FolderStatus, problems: Sequence[FileProblem]
) -> Iterator[Fault]:
    if config.paused:
        yield Fault(kind=FaultKind.PAUSED, message=f"{what} is paused", remedy=RESUME)
    elif status.state == "error" or status.error:
        message = f"{what} has stopped: {status.error or 'no reason given'}"
        remedy = (
            "Mount the disk of the outbox, or let Syncthing's user read and write there; then it goes on by itself."
        )
        yield Fault(kind=FaultKind.FAILED, message=message, remedy=remedy)
    if problems:
        first = problems[0]
        message = f"{what}: {len(problems)} files could not be handled; {first.path!r}: {first.error}"
        remedy = "Let Syncthing's user read and write in the outbox; it tries again by itself."
        yield Fault(kind=FaultKind.ERRORS, message=message, remedy=remedy)


def is_same_folder(path: str, folder: Path) -> bool:
    """Whether Syncthing's path names this folder, symbolic links and `~` followed."""
    return os.path.realpath(os.path.expanduser(path)) == os.path.realpath(folder)
