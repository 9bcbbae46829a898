"""What the stages that write text files need to know of an asset or a folder, read from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.asset import Kind, ResourceState, Role
from mediabox.store import assets, copies

if TYPE_CHECKING:
    import sqlite3

    from mediabox.model.asset import Resource
    from mediabox.store.database import Database

# Which member stands for the asset: the picture as shot, before its raw twin, before anything derived.
RANK = (Role.ORIGINAL, Role.RAW, Role.EDITED, Role.LIVE_VIDEO, Role.EDITED_VIDEO, Role.SIDECAR)


def primary(members: list[Resource]) -> Resource | None:
    """The archived member whose name the asset's sidecar carries."""
    filed = [one for one in members if one.state is ResourceState.ARCHIVED and one.kind is not Kind.SIDECAR]
    return min(filed, key=lambda one: (RANK.index(one.role), one.id), default=None)
