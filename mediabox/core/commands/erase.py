"""Erase photos for good: plan, confirm; and let bytes come in again that were erased (`core.erasure`)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import erasure, indexing
from mediabox.core.commands.contract import Command, Context, Danger, Refused
from mediabox.core.erasure import ErasePlan
from mediabox.store import assets

AGAIN = "Run `mediabox erase plan` again."


class PlanErase(Command[ErasePlan], frozen=True, kw_only=True):
    """List what would go, where else it is, and the code that confirms exactly this. No row of the journal."""

    name: ClassVar[str] = "erase_plan"

    photos: tuple[str, ...]  # each names one: path in the archive, file name, SHA-256

    def run(self, context: Context) -> ErasePlan:
        return erasure.make_plan(context.connection, self.photos, now_ms=context.now_ms)


class Erased(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    digests: tuple[str, ...]


class ConfirmErase(Command[Erased], frozen=True, kw_only=True):
    """For good. The journal keeps the digests, and who did it. A wrong code counts as a try."""

    name: ClassVar[str] = "erase_confirm"
    danger: ClassVar[Danger] = Danger.FOR_GOOD
    confirm: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]] = ("code",)

    code: str

    def run(self, context: Context) -> Erased | Refused:
        connection = context.connection
        refused = erasure.refusal(connection, self.code, now_ms=context.now_ms)
        if refused is not None:
            return Refused(reason=refused, remedy=AGAIN)
        digests = erasure.erase(connection, actor=str(context.actor), now_ms=context.now_ms)
        for digest in digests:
            context.record("erased", sha256=digest)
            for asset_id in {one.asset_id for one in assets.with_digest(connection, digest)}:
                indexing.index(connection, asset_id)
        return Erased(digests=tuple(digests))


class Lifted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`files`: that were kept out, and are fetched now if their sources still have them."""

    files: int


class LiftErasure(Command[Lifted], frozen=True, kw_only=True):
    """Let bytes come in again. Brings nothing back that no source has."""

    name: ClassVar[str] = "erase_lift"

    sha256: str

    def run(self, context: Context) -> Lifted:
        files = erasure.lift(context.connection, self.sha256, actor=str(context.actor), now_ms=context.now_ms)
        context.record("erasure_lifted", sha256=self.sha256)
        return Lifted(files=files)
