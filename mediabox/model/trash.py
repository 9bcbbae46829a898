"""What has to change its place so that the archive follows what people deleted, or took back."""

import msgspec


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One original, from one path of the volume to another."""

    resource_id: int
    path: str
    to: str


class TrashMoves(msgspec.Struct, frozen=True, kw_only=True):
    """All of an asset. `texts` are (path, to) of its sidecars of ours, `is_leaving` for the trash."""

    moves: tuple[Move, ...]
    texts: tuple[tuple[str, str], ...]
    is_leaving: bool
