"""Files as Syncthing shows them, by what happened to them; the table is that of `pixel.folder`."""

from __future__ import annotations

from mediabox.destinations.pixel.answers import Availability, FileEntry, FileState
from mediabox.destinations.pixel.evidence import Peers
from mediabox.model.delivery import Delivery, DeliveryState, Form

BOX, PHONE, THIRD = ("BOXBOXB-" + "B" * 55, "PHONEPH-" + "P" * 55, "THIRDTH-" + "T" * 55)
B, P, T = BOX[:7], PHONE[:7], THIRD[:7]
PEERS = Peers(box=BOX, phone=PHONE)
MINUTE_MS = 60_000


def file(
    *version: str, by: str = B, deleted: bool = False, holders: tuple[str, ...] = (PHONE,), settled: bool = True
) -> FileState:
    entry = FileEntry(version=version or (f"{B}:1",), modified_by=by, deleted=deleted)
    local = entry if settled else FileEntry(version=(f"{B}:1",), modified_by=B)
    return FileState(agreed=entry, local=local, availability=tuple(Availability(id=one) for one in holders))


def fetching() -> FileState:
    entry = FileEntry(version=(f"{B}:1",), modified_by=B)
    return FileState(agreed=entry, local=entry, availability=(Availability(id=PHONE, from_temporary=True),))


def deleted(*version: str, by: str = P, settled: bool = True) -> FileState:
    return file(*(version or (f"{P}:2", f"{B}:1")), by=by, deleted=True, settled=settled)


def forgotten() -> FileState:
    """The phone deleted it, and our Syncthing, whose index was lost, never had an entry of it."""
    return FileState(agreed=FileEntry(version=(f"{P}:2", f"{B}:1"), modified_by=P, deleted=True), local=FileEntry())


def delivery(
    number: int = 1,
    state: DeliveryState = DeliveryState.STORED,
    *,
    accepted_at_ms: int | None = 0,
    stored_at_ms: int | None = None,
) -> Delivery:
    if stored_at_ms is None and state is DeliveryState.STORED:
        stored_at_ms = accepted_at_ms
    return Delivery(
        id=number,
        destination="anna",
        asset_id=number,
        resource_id=number,
        form=Form.ORIGINAL,
        name=f"{number}.JPG",
        state=state,
        size_bytes=1,
        accepted_at_ms=accepted_at_ms,
        stored_at_ms=stored_at_ms,
    )
