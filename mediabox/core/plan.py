"""What comes next. Pure: from what a step found to the jobs that follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Subject, Work
from mediabox.model.asset import Kind, ResourceState
from mediabox.model.job import Job, JobRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mediabox.contracts import Stage, Staged
    from mediabox.model.asset import Resource

# Steps that write text files for what was archived, and when: all together at the end of each half minute, so that a
# Live Photo's halves share a sidecar, an import a month's list, and all of them their commits.
TEXTS = ("describe", "manifest")
TEXTS_EVERY_MS = 30_000
# The first of many deletions waits for the rest of the listing: whether they are too many shows only together.
TRASH_AFTER_MS = 60_000

# How long a file waits for the others of its photo before it gets its place. Nothing waits when nothing else is left.
COMPANY_AFTER_MS = 60_000
FILE_AFTER_MS = 3_600_000  # a sidecar, whose video may be behind a thousand pictures

# Pictures are what people look for first, and what is beside them may say when they were taken.
PRIORITY = {Kind.PICTURE: 1, Kind.VIDEO: 0, Kind.SIDECAR: 1}


_SUBJECTS: Mapping[Subject, Callable[[Resource], str]] = {
    Subject.RESOURCE: lambda resource: str(resource.id),
    Subject.ASSET: lambda resource: str(resource.asset_id),
    Subject.FOLDER: lambda resource: (resource.path or "").rpartition("/")[0],
}


def after_taking_in(resource_id: int, kind: Kind) -> tuple[JobRequest, ...]:
    return (_on("fetch", resource_id, priority=PRIORITY[kind]),)


def after_event(stages: Iterable[Stage | type[Stage]], event: str, resource: Resource) -> Iterator[JobRequest]:
    """What the stages declare to follow a row of the journal."""
    for stage in stages:
        if event in stage.follows:
            subject = _SUBJECTS[stage.subject](resource)
            yield JobRequest(step=stage.name, subject=subject, priority=PRIORITY[resource.kind])


def ahead(resource: Resource, staged: Staged, stage: Stage) -> Work:
    """What will follow a fetch, before anybody wrote down that the bytes are there: its job has no number yet."""
    fetched = msgspec.structs.replace(
        resource, state=ResourceState.STAGED, digest=staged.digest, size_bytes=staged.size_bytes
    )
    job = Job(id=0, step=stage.name, subject=_SUBJECTS[stage.subject](fetched))
    return Work(job=job, resource=fetched, needs=stage.needs)


def after_duplicate(resource: Resource, *, moves: bool, now_ms: int) -> tuple[JobRequest, ...]:
    """Bytes that are kept already. A sidecar's words still count for its own asset."""
    described = after_joining(resource.asset_id, now_ms=now_ms) if resource.is_companion else ()
    return (*described, *((_on("remove", resource.id),) if moves else ()))


def after_placing(resource: Resource) -> tuple[JobRequest, ...]:
    return (_on("file", resource.id, priority=PRIORITY[resource.kind]),)


def after_waiting(resource: Resource, *, now_ms: int) -> tuple[JobRequest, ...]:
    """It has no place yet; should nobody come, it gets one all the same."""
    wait_ms = FILE_AFTER_MS if resource.is_companion else COMPANY_AFTER_MS
    request = _on("file", resource.id, priority=PRIORITY[resource.kind])
    return (msgspec.structs.replace(request, not_before_ms=now_ms + wait_ms),)


def after_joining(asset_id: int, *, now_ms: int) -> tuple[JobRequest, ...]:
    """An asset has a new member, one of its files a new place, or its source other words: its sidecar has to say so."""
    return (JobRequest(step="describe", subject=str(asset_id), not_before_ms=_next_texts(now_ms)),)


def after_archiving(resource: Resource, *, movable: Sequence[Resource], now_ms: int) -> tuple[JobRequest, ...]:
    """Published and proved: describe the asset, list the folder, and let sources' copies go where the owner moves."""
    manifest = _manifest(resource.path or "", now_ms=now_ms)
    removals = [_on("remove", one.id) for one in movable]
    return (*after_joining(resource.asset_id, now_ms=now_ms), manifest, *removals)


def after_leaving(asset_id: int, *, now_ms: int) -> tuple[JobRequest, ...]:
    """Nobody wants an archived asset any more."""
    return (JobRequest(step="trash", subject=str(asset_id), not_before_ms=now_ms + TRASH_AFTER_MS),)


def after_planning_move(resource_id: int) -> tuple[JobRequest, ...]:
    """An archived file is to lie elsewhere: to be given the other name, then to lose the first."""
    return (_on("relocate", resource_id),)


def after_relocating(resource: Resource, path: str, *, now_ms: int) -> tuple[JobRequest, ...]:
    """It has the other name too."""
    lists = (_manifest(each, now_ms=now_ms) for each in (resource.path or "", path))
    return (*lists, *after_joining(resource.asset_id, now_ms=now_ms), *after_planning_move(resource.id))


def after_returning(asset_id: int) -> tuple[JobRequest, ...]:
    """Somebody wants an asset that is in the trash."""
    return (_on("recover", asset_id),)


def after_moving(path: str, *, now_ms: int) -> tuple[JobRequest, ...]:
    """An original left this path, or came back to it: its folder's list has to say so."""
    return (_manifest(path, now_ms=now_ms),)


def after_recovering(resource: Resource, *, movable: Sequence[Resource], now_ms: int) -> tuple[JobRequest, ...]:
    """Back from the trash: to be described again; files of the same bytes may be let go at their sources."""
    removals = (_on("remove", one.id) for one in movable)
    return (*after_joining(resource.asset_id, now_ms=now_ms), *removals, *after_planning_move(resource.id))


def after_rebuilding(path: str, asset_id: int, *, is_described: bool, now_ms: int) -> tuple[JobRequest, ...]:
    """An original found in the archive: a crash may have left its folder's list, or its sidecar, unwritten."""
    described = () if is_described else after_joining(asset_id, now_ms=now_ms)
    return (*described, _manifest(path, now_ms=now_ms))


def _manifest(path: str, *, now_ms: int) -> JobRequest:
    return JobRequest(step="manifest", subject=path.rpartition("/")[0], not_before_ms=_next_texts(now_ms))


def _next_texts(now_ms: int) -> int:
    return (now_ms // TEXTS_EVERY_MS + 1) * TEXTS_EVERY_MS


def _on(step: str, subject: int, *, priority: int = 0) -> JobRequest:
    return JobRequest(step=step, subject=str(subject), priority=priority)
