"""Bring an asset's originals to the archive's trash, or back to their paths.

Whether it has to be moved is asked anew when the step runs, so that whoever changes their
mind meanwhile is heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Moved, Needs, OriginalsMoved, Stage, StepResult, Subject
from mediabox.errors import Permanent
from mediabox.message import message

if TYPE_CHECKING:
    from mediabox.contracts import Work
    from mediabox.model.trash import TrashMoves


class Bin(Protocol):
    """Who knows what is wanted (`core.retention`)."""

    async def leaving(self, asset_id: int) -> TrashMoves | None:
        """What has to go to the trash now. Raises NeedsHuman when that would be too much in a day."""

    async def returning(self, asset_id: int) -> TrashMoves | None:
        """What has to come back now."""


class Archive(Protocol):
    async def move(self, path: str, to: str) -> None:
        """Durably give a file of the archive another name. May be repeated. Raises Away, NeedsHuman, OSError."""


class _Moving(Stage):
    """What both steps need."""

    subject = Subject.ASSET
    after = ("file",)
    needs = Needs(disk=True)

    def __init__(self, bin_: Bin, archive: Archive) -> None:
        self._bin, self._archive = bin_, archive


class Trash(_Moving):
    """Originals that nobody wants any more, to the trash. Nothing is deleted here."""

    name = "trash"
    summary = "Move an original that was deleted at its source to the trash."

    async def run(self, work: Work) -> StepResult:
        """Move all of the asset, its sidecar last: an original in the archive is never without."""
        moves = await self._bin.leaving(int(work.job.subject))
        return StepResult() if moves is None else await carry_out(moves, self._archive)


class Recover(_Moving):
    """Originals that somebody wants again, back under the same path."""

    name = "recover"
    summary = "Put an original back from the trash."

    async def run(self, work: Work) -> StepResult:
        """Move all of the asset, its sidecar first."""
        moves = await self._bin.returning(int(work.job.subject))
        return StepResult() if moves is None else await carry_out(moves, self._archive)


async def carry_out(moves: TrashMoves, archive: Archive) -> StepResult:
    """Do the moves in the order that never leaves an archived original without its sidecar."""
    if not moves.is_leaving:
        await _move_texts(moves, archive)
    for move in moves.moves:
        try:
            await archive.move(move.path, move.to)
        except (FileNotFoundError, FileExistsError) as err:
            reason = (
                message("{path} is missing; it was to be moved to {target}", path=move.path, target=move.to)
                if isinstance(err, FileNotFoundError)
                else message("{path} is not moved: {target} exists already", path=move.path, target=move.to)
            )
            raise Permanent(reason) from err
    if moves.is_leaving:
        await _move_texts(moves, archive)
    moved = (Moved(resource_id=move.resource_id, path=move.to, in_trash=moves.is_leaving) for move in moves.moves)
    removed = (path for path, _ in moves.texts) if moves.is_leaving else ()
    return StepResult(OriginalsMoved(moved=tuple(moved), removed=tuple(removed)))


async def _move_texts(moves: TrashMoves, archive: Archive) -> None:
    """A sidecar somebody removed is no reason to stop: it is written anew when its original comes back."""
    for path, to in moves.texts:
        try:
            await archive.move(path, to)
        except (FileNotFoundError, FileExistsError):
            continue
