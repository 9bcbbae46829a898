"""What was published and may not be written down yet: noted durably before, so that it is known again afterwards.

Between the two the program may die, and the next version of it, or another encoder, may make
other bytes of the same delivery. What it published then stays what was delivered: its file is
known by the digest in the note. A stranger's file never has that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from mediabox.contracts import Made
from mediabox.model.delivery import Delivered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.contracts import Outbox, Parcel


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One file, as the outbox keeps it (JSON)."""

    originals: tuple[str, ...]  # SHA-256 of what it was made of
    delivered: Delivered


class Published:
    """Over one outbox."""

    def __init__(self, outbox: Outbox, notes: dict[str, Note]) -> None:
        self._outbox, self._notes = outbox, notes

    @classmethod
    async def of(cls, outbox: Outbox) -> Self:
        """With what was noted before. One that cannot be read says nothing. Raises Away, NeedsHuman."""
        notes = {}
        for name, content in (await outbox.notes()).items():
            try:
                notes[name] = msgspec.json.decode(content, type=Note)
            except msgspec.DecodeError:
                await outbox.forget(name)
        return cls(outbox, notes)

    async def find(self, parcel: Parcel, *, is_gone: bool) -> Delivered | None:
        """What was published of the same originals, if its file is there, or `is_gone`: the peer has let it go."""
        note = self._notes.get(parcel.delivery.name)
        if note is None or note.originals != _originals(parcel):
            return None
        made = Made(size_bytes=note.delivered.size_bytes, digest=note.delivered.digest)
        if not is_gone and not await self._outbox.is_whole(parcel.delivery.name, made):
            return None
        return msgspec.structs.replace(note.delivered, delivery_id=parcel.delivery.id)

    async def note(self, parcel: Parcel, delivered: Delivered) -> None:
        note = Note(originals=_originals(parcel), delivered=delivered)
        await self._outbox.note(parcel.delivery.name, msgspec.json.encode(note))
        self._notes[parcel.delivery.name] = note

    async def forget(self, names: Iterable[str]) -> None:
        """They are written down elsewhere, or were never published."""
        for name in self._notes.keys() & set(names):
            await self._outbox.forget(name)
            del self._notes[name]


def _originals(parcel: Parcel) -> tuple[str, ...]:
    members = (parcel.first, parcel.clip) if parcel.clip else (parcel.first,)
    return tuple(one.resource.digest or "" for one in members)
