"""What `mediabox pixel` says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mediabox.cli.words import ago, bytes_words, count_words, day_words, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mediabox.cli.pixel_target import PhoneReport
    from mediabox.core.delivering.rounds import Rounds
    from mediabox.destinations.pixel.folder import Phone
    from mediabox.destinations.pixel.pairing import Asking, Paired
    from mediabox.model.delivery import Counted

# Written out, the path is one Android's media scanner finds: what Syncthing calls "~" it does not know since
# Android 14 (syncthing-android #2101). Deletions by Google Photos may be seen by scans only (syncthing #7062).
STEPS = """\
On the phone, in Syncthing-Fork:
  1. Devices, +, scan this code (or type the id): {box_id}
     Name it, leave "Introducer" off, save. The phone then asks this box to be let in.
  2. When this box offers the folder "mediabox {name}": accept it.
     Folder type: Send & Receive. Path: /storage/emulated/0/DCIM/mediabox, written out, not beginning with ~.
     No file versioning, no ignore patterns. Rescan interval: 900 s.
  3. Settings, Run conditions: on Wi-Fi; on battery too, unless the phone stays on its cable.
  4. Android's settings, Apps, Syncthing-Fork, Battery: Unrestricted; else it is put to sleep.
  5. Google Photos: Backup on, and the folder "mediabox" among those that are backed up.
     If it does not show what has arrived (Android 14), restart the phone once.
"""
_REMOTE = {
    "paused": "it has paused the folder",
    "notSharing": "it has not accepted the folder yet",
    "unknown": "",
    "valid": "",
    "": "",
}


def qr_lines(device_id: str) -> Iterator[str]:
    """The device id as a code to scan, two rows of it in one line of text."""
    import segno

    picture = io.StringIO()
    segno.make(device_id).terminal(out=picture, compact=True)
    yield from picture.getvalue().splitlines()


def asking_words(asking: Sequence[Asking]) -> Iterator[str]:
    """Numbered, as the person is to choose."""
    for number, one in enumerate(asking, start=1):
        yield plain(f"  {number}. {one.name or 'without a name'} at {one.address}: {one.device_id}")


def paired_words(paired: Paired, name: str) -> Iterator[str]:
    yield from (f"Done: {what}." for what in paired.did)
    if not paired.did:
        yield f"The folder {paired.folder_id} is set up as it should be."
    if paired.is_connected:
        yield f"The phone is connected. `mediabox pixel status {name}` shows how far it is."
    elif paired.device_id:
        yield f"The phone {paired.device_id} is not connected yet. When it is, nothing more is to be done here;"
        yield f"`mediabox pixel status {name}` shows it."
    else:
        yield from _unknown_phone(paired, name)


def _unknown_phone(paired: Paired, name: str) -> Iterator[str]:
    if paired.asking:
        yield "These devices ask to connect:"
        yield from asking_words(paired.asking)
        yield "Let the phone in with:"
    else:
        yield "No device asks to connect yet. Once the phone has scanned the code, or with the id it shows:"
    example = paired.asking[0].device_id if len(paired.asking) == 1 else "ID"
    yield f"  mediabox pixel pair {name} --device {example}"


def standing_words(told: PhoneReport, *, now_ms: int) -> Iterator[str]:
    """Of one phone: a headline, the phone, and what is wrong with what to do."""
    if told.folder is None:
        yield f"{told.name}: {'Syncthing ' + told.version if told.version else 'Syncthing was not asked'}"
        yield f"! {told.problem}"
        if told.remedy:
            yield f"  What to do: {told.remedy}"
        return
    how = "sound" if told.folder.is_sound else "NOT sound"
    state = f", {told.folder.state}" if told.folder.state else ""
    yield f"{told.name}: Syncthing {told.version} at {told.url}; folder {told.folder_id} is {how}{state}"
    yield f"  outbox: {told.outbox}"
    if told.folder.phone is not None:
        yield f"  phone {told.folder.phone.device_id[:7]}: {phone_words(told.folder.phone, now_ms=now_ms)}"
    if told.account or told.photos_of:
        whose = ", ".join(told.photos_of).replace("*", "everyone") or "whoever the rules choose"
        yield f"  photos of {whose} go to {told.account or 'its Google account'}"
    if told.rounds is not None and told.rounds.taps:
        yield f"  {rounds_words(told.rounds)}"
    if told.counted is not None:
        yield f"  {count_told(told.counted)}"
    if told.folder.others:
        yield f"  {count_words(len(told.folder.others), 'other device')} may change the folder as well"
    for fault in told.folder.faults:
        yield f"! {fault.message}"
        yield f"  What to do: {fault.remedy}"


def rounds_words(rounds: Rounds) -> str:
    """`3 rounds of Free up space still to tap; 12.3 GB wait, about 9 days at the pace of late`."""
    taps = f"{count_words(rounds.taps, 'round')} of Free up space still to tap"
    if not rounds.waiting_bytes:
        return f"{taps}; nothing more waits"
    days = f", about {count_words(rounds.days, 'day')} at the pace of late" if rounds.days is not None else ""
    return f"{taps}; {bytes_words(rounds.waiting_bytes)} wait{days}"


def count_told(counted: Counted) -> str:
    """`Count matched on 30 Nov 2026: ...`."""
    day = day_words(counted.at_ms)
    if counted.shown == counted.on_phone:
        return f"Count matched on {day}: Google Photos would free {counted.shown:,}, as many as are on the phone."
    return (
        f"Count differed on {day}: Google Photos would free {counted.shown:,}, on the phone are {counted.on_phone:,}. "
        "What is missing there may not be backed up yet; other photos of the phone may be in the number."
    )


def phone_words(phone: Phone, *, now_ms: int) -> str:
    """`connected; still to fetch: 3 files, 12.3 MB (98 % there)`."""
    return "; ".join(filter(None, (_presence(phone, now_ms=now_ms), _REMOTE.get(phone.remote_state), _need(phone))))


def _presence(phone: Phone, *, now_ms: int) -> str:
    if phone.is_paused:
        return "paused on Syncthing's page of this box"
    if phone.is_connected:
        return "connected"
    return f"last seen {ago(phone.last_seen_ms, now_ms)}" if phone.last_seen_ms else "never seen yet"


def _need(phone: Phone) -> str:
    if not phone.has_told:
        return "has fetched nothing yet: is the folder accepted there?"
    if not phone.need_items:
        return "has everything"
    files = count_words(phone.need_items, "file")
    return f"still to fetch or delete: {files}, {bytes_words(phone.need_bytes)} ({phone.percent:.0f} % there)"
