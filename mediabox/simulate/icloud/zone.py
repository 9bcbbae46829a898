"""One CloudKit zone: its records, their change tags and their places in the indexes.

A zone may stand on a stock of pairs that are made when asked for (50,000 assets, no
memory); whatever is changed is kept here and hides what the stock says.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from mediabox.simulate.icloud.journal import Journal
from mediabox.simulate.icloud.photos import Album, Asset, Master, Note, Relation, Row


class Stock(Protocol):
    """Pairs in the order they were added. Pure: the same number gives the same pair."""

    history: str

    def __len__(self) -> int: ...
    def names(self, number: int) -> tuple[str, str]: ...
    def number(self, name: str) -> int | None:
        """Which pair a record of this name belongs to."""

    def master(self, number: int) -> Master: ...
    def asset(self, number: int) -> Asset: ...


class EmptyStock:
    def __init__(self) -> None:
        self.history = uuid.uuid4().hex

    def __len__(self) -> int:
        return 0

    def names(self, number: int) -> tuple[str, str]:
        raise IndexError(number)

    def number(self, name: str) -> int | None:
        del name
        return None

    def master(self, number: int) -> Master:
        raise IndexError(number)

    def asset(self, number: int) -> Asset:
        raise IndexError(number)


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A tombstone: the name is all that is left."""

    name: str


class Zone:
    """Records by name. Every change goes through `put` or `drop`, so that the journal misses none."""

    def __init__(self, name: str, *, owner: str, stock: Stock | None = None) -> None:
        self.name = name
        self.owner = owner
        self._stock = stock or EmptyStock()
        self.journal = Journal(name, self._stock)
        self._rows: dict[str, Row | Gone] = {}
        self._added: list[str] = []  # assets that are not of the stock, in order
        self._slots: dict[str, int] = {}
        self._relations: dict[str, dict[str, Relation]] = {}
        self._users: dict[str, set[str]] = {}  # of a master outside the stock, and of one shared by a duplicate
        self._indexes: dict[str, tuple[int, array[int]]] = {}
        self._indexed_changes = 0

    @property
    def is_shared(self) -> bool:
        return self.name.startswith("SharedSync-")

    @property
    def size(self) -> int:
        """Assets ever added, purged ones too."""
        return len(self._stock) + len(self._added)

    # -- reading

    def get(self, name: str) -> Row | Gone | None:
        """A record, its tombstone, or None when there never was one."""
        if name in self._rows:
            return self._rows[name]
        number = self._stock.number(name)
        if number is None:
            return None
        return self._stock.master(number) if self._stock.names(number)[0] == name else self._stock.asset(number)

    def asset(self, name: str) -> Asset:
        """Raises KeyError when there is none of this name."""
        row = self.get(name)
        if not isinstance(row, Asset):
            raise KeyError(f"no asset {name} in {self.name}")
        return row

    def master(self, name: str) -> Master:
        """Raises KeyError when there is none of this name."""
        row = self.get(name)
        if not isinstance(row, Master):
            raise KeyError(f"no original {name} in {self.name}")
        return row

    def album(self, name: str) -> Album:
        """Raises KeyError when there is none of this name."""
        row = self.get(name)
        if not isinstance(row, Album):
            raise KeyError(f"no album {name} in {self.name}")
        return row

    def asset_or_none(self, name: str) -> Asset | None:
        row = self.get(name)
        return row if isinstance(row, Asset) else None

    def assets(self) -> Iterator[Asset]:
        """All of them, trashed and hidden too, in the order they were added."""
        for slot in range(len(self._stock) + len(self._added)):
            asset = self.at(slot)
            if asset is not None:
                yield asset

    def trashed(self) -> list[Asset]:
        """Trashed and moved away. A stock has none, so only what was changed is looked at."""
        return [row for row in self._rows.values() if isinstance(row, Asset) and row.is_trashed]

    def albums(self) -> list[Album]:
        """Folders and albums by position, without the deleted ones."""
        found = [row for row in self._rows.values() if isinstance(row, Album) and not row.is_deleted]
        return sorted(found, key=lambda album: (album.position, album.name))

    def relations(self, album: str) -> list[Relation]:
        """Who is in an album, by position."""
        return sorted(self._relations.get(album, {}).values(), key=lambda each: (each.position, each.asset))

    def albums_of(self, asset: str) -> list[Relation]:
        return [members[asset] for members in self._relations.values() if asset in members]

    def users(self, master: str) -> set[str]:
        """The assets that stand on this original; more than one after the person duplicated it."""
        users = set(self._users.get(master, ()))
        number = self._stock.number(master)
        if number is not None:
            own = self._stock.names(number)[1]
            if not isinstance(self._rows.get(own), Gone):
                users.add(own)
        return users

    def at(self, slot: int) -> Asset | None:
        """The asset at a place of `ranked`; None when it is gone."""
        base = len(self._stock)
        name = self._stock.names(slot)[1] if slot < base else self._added[slot - base]
        row = self._rows.get(name)
        if row is None and slot < base:
            return self._stock.asset(slot)
        return row if isinstance(row, Asset) else None

    def ranked(
        self, key: str, is_in: Callable[[Asset], bool], order: Callable[[Asset, int], tuple[int, int]]
    ) -> array[int]:
        """Places of the assets an index holds, in its order. Kept until something changes."""
        kept = self._indexes.get(key)
        if kept is not None and kept[0] == self._indexed_changes:
            return kept[1]
        places = range(len(self._stock) + len(self._added))
        found = [
            (*order(asset, slot), slot) for slot in places if (asset := self.at(slot)) is not None and is_in(asset)
        ]
        found.sort()
        index = array("I", [entry[2] for entry in found])
        self._indexes[key] = (self._indexed_changes, index)
        return index

    def sequence(self, name: str) -> int:
        """When a record changed last: what its change tag says."""
        changed = self.journal.changed_at(name)
        if changed is not None:
            return changed
        number = self._stock.number(name)
        if number is None:
            return 0
        return 2 * number + (1 if self._stock.names(number)[0] == name else 2)

    # -- writing

    def put(self, row: Row) -> None:
        """Store a record as it is now, and say that it changed."""
        self.amend(row)
        self.journal.touch(row.name)

    def amend(self, row: Row) -> None:
        """Store a record without a word in the journal: what Apple changes silently."""
        match row:
            case Asset():
                self._indexed_changes += 1
                if row.name not in self._slots and self._stock.number(row.name) is None:
                    self._slots[row.name] = len(self._stock) + len(self._added)
                    self._added.append(row.name)
                self._users.setdefault(row.master, set()).add(row.name)
            case Relation():
                self._indexed_changes += 1
                self._relations.setdefault(row.album, {})[row.asset] = row
            case Master() | Album() | Note():
                pass
        self._rows[row.name] = row

    def drop(self, name: str) -> None:
        """Leave a tombstone. Raises KeyError when there is nothing of this name."""
        row = self.get(name)
        match row:
            case None | Gone():
                raise KeyError(f"no record {name} in {self.name}")
            case Asset():
                self._users.get(row.master, set()).discard(name)
            case Relation():
                self._relations.get(row.album, {}).pop(row.asset, None)
            case Master() | Album() | Note():
                pass
        self._indexed_changes += 1
        self._rows[name] = Gone(name=name)
        self.journal.touch(name)
