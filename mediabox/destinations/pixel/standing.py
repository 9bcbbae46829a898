"""Why nothing is sent to a phone now, and what a person should know of it. Pure.

The phone's battery, heat and free space are only known where somebody tells them
(`mediabox pixel tell`, Home Assistant); Syncthing knows whether it is connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.delivery import DeliveryState, Room
from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mediabox.destinations.pixel.evidence import Reading
    from mediabox.destinations.pixel.folder import FolderState, Phone
    from mediabox.destinations.pixel.settings import Settings
    from mediabox.model.delivery import DeviceReport

GB = 1_000_000_000
DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
SPARE_BYTES = 512_000_000  # left free on the phone: Android itself slows down and warns below
WORTH_SHARE = 0.8  # of the window: less is not worth a person's time
BACKED_UP_MS = 2 * HOUR_MS
STUCK_MS = DAY_MS  # connected, and what was offered a day ago is not there


def room(settings: Settings, state: FolderState, told: DeviceReport | None, *, now_ms: int) -> Room:
    """How much may be on the phone, and why nothing more is sent now."""
    return Room(
        most_bytes=settings.window_bytes,
        more_bytes=_more_bytes(state, told),
        reason=obstacle(settings, state, told, now_ms=now_ms),
        backlog_share=settings.backlog_percent / 100,
        recent_ms=settings.recent_days * DAY_MS,
    )


def joined(said: DeviceReport | None, measured: DeviceReport | None) -> DeviceReport | None:
    """What a person or a script said, and what a broker keeps: of each the one heard last."""
    if said is None or measured is None:
        return said or measured
    older, newer = sorted((said, measured), key=lambda one: one.at_ms)
    known = {name: value for name in newer.__struct_fields__ if (value := getattr(newer, name)) is not None}
    return msgspec.structs.replace(older, **known)


def _more_bytes(state: FolderState, told: DeviceReport | None) -> int | None:
    """What fits on the phone as it is, beside what it is fetching already."""
    if told is None or told.free_bytes is None:
        return None
    coming = state.phone.need_bytes if state.phone else 0
    return max(0, told.free_bytes - coming - SPARE_BYTES)


def obstacle(settings: Settings, state: FolderState, told: DeviceReport | None, *, now_ms: int) -> str:
    """Why nothing is sent now, for a person; "" when something may be."""
    if state.faults:
        return state.faults[0].message
    phone = state.phone
    if phone is None:
        return "no phone has been paired yet"
    if not phone.is_connected:
        return f"the phone is not connected; {_seen(phone, now_ms=now_ms)}"
    if phone.is_paused or phone.remote_state in ("paused", "notSharing"):
        return "Syncthing is paused between the box and the phone"
    return _strain(settings, told)


def _strain(settings: Settings, told: DeviceReport | None) -> str:
    """What was told of the phone that speaks against giving it work."""
    if told is None:
        return ""
    if told.battery_percent is not None and told.battery_percent < settings.min_battery:
        return f"the phone's battery is at {told.battery_percent:.0f} %, the limit is {settings.min_battery:.0f} %"
    if told.celsius is not None and settings.max_celsius and told.celsius > settings.max_celsius:
        return f"the phone is at {told.celsius:.0f} °C, the limit is {settings.max_celsius:.0f} °C"
    if told.free_bytes is not None and told.free_bytes <= SPARE_BYTES:
        return f"the phone is full: {told.free_bytes / GB:.1f} GB left"
    return ""


def _seen(phone: Phone, *, now_ms: int) -> str:
    if phone.last_seen_ms is None:
        return "it never was"
    ago_ms = max(0, now_ms - phone.last_seen_ms)
    for unit_ms, word in ((DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute")):
        if ago_ms >= unit_ms:
            count = ago_ms // unit_ms
            return f"seen {count} {word}{'s' if count > 1 else ''} ago"
    return "seen a moment ago"


# ---------------------------------------------------------------- what people should know


def complaints(
    name: str, settings: Settings, state: FolderState, readings: Sequence[Reading], *, now_ms: int
) -> Iterator[Issue]:
    """Everything that is wrong now and that somebody can do something about."""
    for fault in state.faults:
        yield Issue(
            key=f"destination.{fault.kind}",
            subject=name,
            message=f"Nothing can be proved of {name}: {fault.message}.",
            remedy=fault.remedy,
        )
    if state.faults:
        return
    yield from _stalled(name, settings, readings, now_ms=now_ms)
    yield from _full(name, settings, readings, now_ms=now_ms)
    if state.phone is not None and state.phone.is_connected:
        yield from _stuck(name, readings, now_ms=now_ms)


def _stalled(name: str, settings: Settings, readings: Sequence[Reading], *, now_ms: int) -> Iterator[Issue]:
    """Still on the phone: not backed up, or nobody has tapped Free up space."""
    since_ms = now_ms - settings.stall_days * DAY_MS
    stored = [one.delivery for one in readings if one.delivery.state is DeliveryState.STORED]
    count = sum((one.stored_at_ms or now_ms) < since_ms for one in stored)
    if count:
        yield Issue(
            key="destination.stalled",
            subject=name,
            message=f"{count} of {len(stored)} photos have been on {name} for more than {settings.stall_days} days.",
            remedy="On the phone, open Google Photos: if it says that everything is backed up, tap your picture, "
            "then Free up space. (Smart Storage lets them go after 60 days: then set `stall_days` so.) "
            "If the photos are not there at all, Android's media scan has not seen them "
            "(Android 14): restart the phone, or open the folder once in Files by Google; and see that backup is on "
            "for this device folder (Settings, Backup, Back up device folders).",
        )


def _full(name: str, settings: Settings, readings: Sequence[Reading], *, now_ms: int) -> Iterator[Issue]:
    """The window is as good as full, and has been there long enough to be backed up: a tap brings the next portion."""
    out = [one.delivery for one in readings]
    there_bytes = sum(one.size_bytes for one in out)
    is_rested = all((one.stored_at_ms or now_ms) <= now_ms - BACKED_UP_MS for one in out)
    if out and is_rested and there_bytes >= WORTH_SHARE * settings.window_bytes:
        yield Issue(
            key="destination.full",
            subject=name,
            message=f"{len(out)} photos ({there_bytes / GB:.1f} GB) are on {name}, as much as is sent at a time.",
            remedy="On the phone, open Google Photos; when it says that everything is backed up, tap your picture, "
            "then Free up space: the next portion follows by itself.",
        )


def _stuck(name: str, readings: Sequence[Reading], *, now_ms: int) -> Iterator[Issue]:
    """Offered long ago, and the phone does not fetch it."""
    waiting = [one.delivery for one in readings if one.delivery.state is DeliveryState.ACCEPTED]
    count = sum((one.accepted_at_ms or now_ms) < now_ms - STUCK_MS for one in waiting)
    if count:
        yield Issue(
            key="destination.stuck",
            subject=name,
            message=f"{name} is connected, but has not fetched {count} photos that wait since yesterday.",
            remedy="On the phone, open Syncthing: the folder's state says why (no space, no permission, conditions).",
        )
