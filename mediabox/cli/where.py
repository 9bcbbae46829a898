"""`mediabox where`: one photo's whole way, with times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import ago, bytes_words, clock_time, count_words, day_words
from mediabox.clock import Clock
from mediabox.core.home import catalogue
from mediabox.core.queries.history import find_histories
from mediabox.message import from_fields
from mediabox.messages.reader import in_words
from mediabox.model.delivery import Delivery, DeliveryState
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.ledger import Copy, Evidence
from mediabox.model.said import Presence

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.core.queries.history import History
    from mediabox.model.job import Job

UUID_LENGTH = 36  # RFC 9562


def run(arguments: argparse.Namespace) -> int:
    with catalogue(home_of(arguments)) as connection:
        found = find_histories(connection, arguments.what)
    lines = _lines(found, Clock().wall_ms()) if found else _nothing_lines(arguments.what)
    write_found(found, lines, as_json=arguments.json)
    return exits.OK if found else exits.PROBLEM


def _lines(found: list[History], now_ms: int) -> Iterator[str]:
    for number, one in enumerate(found):
        yield from ("",) if number else ()
        yield from _history_lines(one, now_ms)


def _nothing_lines(words: str) -> Iterator[str]:
    yield f"Nothing here is called {words!r}, or has its bytes if that is a file."
    yield "Give a file name, a path in the archive, an id, a SHA-256 (8 digits will do), or the path of a file."


def _history_lines(one: History, now_ms: int) -> Iterator[str]:
    resource = one.resource
    yield f"{resource.name}  (resource {resource.id} of asset {resource.asset_id}: {resource.role}, {resource.kind})"
    yield f"  from     {resource.source}: {resource.remote_id}"
    yield f"  state    {resource.state}{f', of resource {resource.duplicate_of}' if resource.duplicate_of else ''}"
    if resource.reason:
        yield f"  reason   {resource.reason}"
    if resource.digest:
        yield f"  SHA-256  {resource.digest}, {bytes_words(resource.size_bytes or 0)}"
    if facts := one.known_facts:
        yield from _facts_lines(facts, one.capture_time)
    yield from _source_lines(one)
    for member in one.companions:
        yield f"  with     {member.name} ({member.role}, {member.state}{f', {member.path}' if member.path else ''})"
    for copy in one.copies:
        yield f"  copy     {copy.path} {_standing(copy, now_ms)}"
    if one.sidecar:
        yield f"  sidecar  {one.sidecar}"
    for delivery in one.deliveries:
        yield from _delivery_lines(delivery, now_ms)
    for name in one.similar:
        yield f"  looks like {name}"
    for job in one.jobs:
        yield f"  {'failed ' if job.is_failed else 'waiting'}  {job.step}{_failure_words(job)}"
    for entry in one.story:
        yield f"  {clock_time(entry.at_ms)}  {entry.event}{_fields_words(entry.fields)}"


def _failure_words(job: Job) -> str:
    if not job.last_error:
        return ""
    reason = in_words(job.last_error).splitlines()[-1]  # an older version kept tracebacks here
    return f", after {count_words(job.attempts, 'attempt')}: {reason}"


def _standing(copy: Copy, now_ms: int) -> str:
    if copy.evidence is Evidence.FREED:  # in an older catalogue as a copy that is present
        return f"left {_place(copy)} {ago(copy.proved_at_ms, now_ms)}"
    return f"on {_place(copy)}: {copy.state}, evidence {copy.evidence}, proved {ago(copy.proved_at_ms, now_ms)}"


def _place(copy: Copy) -> str:
    """A volume has a UUID, a destination the name its owner gave it."""
    return f"volume {copy.volume[:8]}" if len(copy.volume) == UUID_LENGTH else copy.volume


_ROAD = {
    DeliveryState.QUEUED: "waits for room",
    DeliveryState.ADMITTED: "is being made",
    DeliveryState.ACCEPTED: "in the outbox",
    DeliveryState.STORED: "on the phone (P)",
    DeliveryState.FREED: "left the phone",
    DeliveryState.DOUBTED: "unverified",
    DeliveryState.BELIEVED: "arrived as far as a person says; nothing proves it",
    DeliveryState.REFUSED: "cannot be delivered",
    DeliveryState.WITHDRAWN: "taken back",
}


def _delivery_lines(delivery: Delivery, now_ms: int) -> Iterator[str]:
    """One file's road, each of its stations with its age."""
    yield (
        f"  to       {delivery.destination}: {delivery.name} ({delivery.form}, {bytes_words(delivery.size_bytes)}), "
        f"{_ROAD[delivery.state]}{_day(delivery)}"
    )
    times = (
        ("in the outbox", delivery.accepted_at_ms),
        ("on the phone", delivery.stored_at_ms),
        ("left the phone", delivery.freed_at_ms),
    )
    stations = [f"{word} {ago(at_ms, now_ms)}" for word, at_ms in times if at_ms is not None]
    if stations:
        yield f"           {', '.join(stations)}"
    for words in filter(None, (delivery.proof, in_words(delivery.note))):
        yield f"           {words}"


def _day(delivery: Delivery) -> str:
    left_at_ms = delivery.freed_at_ms if delivery.state is DeliveryState.FREED else None
    return "" if left_at_ms is None else f" on {day_words(left_at_ms)}"


def _source_lines(one: History) -> Iterator[str]:
    """What the sources say beside the bytes."""
    if one.told:
        said = one.told[0].said
        words = [word for word, is_said in (("favourite", said.is_favorite), ("hidden", said.is_hidden)) if is_said]
        words += [f"{name} {text!r}" for name, text in (("title", said.title), ("caption", said.caption)) if text]
        words += [f"keywords {', '.join(said.keywords)}"] if said.keywords else []
        if words:
            yield f"  said     {', '.join(words)}"
    for album in one.albums:
        yield f"  album    {' / '.join(album)}"
    for told_of in one.told:
        if told_of.presence is not Presence.PRESENT:
            yield f"  there    {told_of.presence} at {told_of.source} since {clock_time(told_of.since_ms)}"


def _facts_lines(facts: Facts, taken: CaptureTime | None) -> Iterator[str]:
    if taken:
        yield f"  taken    {_taken(taken)}"
    if facts.capture_time and taken and facts.capture_time.local != taken.local:
        yield f"           by another file of its asset; this one says {_taken(facts.capture_time)}"
    size = f", {facts.width} x {facts.height}" if facts.width else ""
    length = f", {facts.duration_s:.1f} s {facts.video_codec or ''}" if facts.duration_s else ""
    hdr = f", {facts.hdr}" if facts.hdr else ""
    yield f"  is       {facts.media_type}{size}{length}{hdr}"
    if facts.camera and (facts.camera.make or facts.camera.model):
        yield f"  camera   {' '.join(filter(None, (facts.camera.make, facts.camera.model, facts.camera.lens)))}"
    if facts.place:
        yield f"  place    {facts.place.latitude:.5f}, {facts.place.longitude:.5f}"
    if facts.damage:
        yield f"  damage   {facts.damage}"


def _taken(time: CaptureTime) -> str:
    """When, in which zone, and who says so; a day, month or year is shown as what it is."""
    when = f"{time.local}, nothing finer is known" if time.is_partial else f"{time.local} {_zone(time.offset_min)}"
    if time.source is TimeSource.FILE_MODIFIED:
        return f"{when} ({time.source}: only the file's own time says so, nothing in the file does)"
    return f"{when} ({time.source})"


def _zone(offset_min: int | None) -> str:
    if offset_min is None:
        return "local time, zone unknown"
    sign = "-" if offset_min < 0 else "+"
    return f"{sign}{abs(offset_min) // 60:02d}:{abs(offset_min) % 60:02d}"


def _fields_words(fields: dict[str, object]) -> str:
    keys = ("path", "reason", "damage", "role", "of", "from_", "adopted_from", "name", "proof", "note", "actor")
    shown = [in_words(from_fields(fields[key])) for key in keys if fields.get(key)]
    changed = fields.get("changed")
    shown += map(str, changed) if isinstance(changed, list) else ()
    return f": {', '.join(shown)}" if shown else ""
