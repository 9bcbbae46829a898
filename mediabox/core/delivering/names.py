"""Names at a destination: two deliveries never share one (I6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.naming import split_extension
from mediabox.model.safe_name import fitted
from mediabox.store import deliveries

if TYPE_CHECKING:
    import sqlite3


def free_name(connection: sqlite3.Connection, destination: str, wanted: str) -> str:
    """The name wanted, or with a number where it was ever used there."""
    name, number = wanted, 1
    stem, extension = split_extension(wanted)
    stem, motion = (stem.removesuffix(".MP"), ".MP") if stem.endswith(".MP") else (stem, "")
    while deliveries.by_name(connection, destination, name) is not None:
        number += 1
        name = fitted(stem, f"-{number}{motion}.{extension}" if extension else f"-{number}")
    return name
