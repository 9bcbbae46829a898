"""A phone that is connected and keeps from us what it does: its folder only receives, ignores files, or is paused.

Syncthing does not tell how the other side's folder is set up. It shows in what the phone lacks (`folder`): what it
ignores, it neither has nor needs; what a folder that only receives has deleted, it had and needs again. What it
should fetch, it may need for long. A phone that lost its files or its index looks the same for a moment, and then
fetches: that is waited for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.destinations.pixel.evidence import Standing
from mediabox.model.delivery import DeliveryState
from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from mediabox.destinations.pixel.evidence import Reading
    from mediabox.destinations.pixel.folder import Phone

SURE_S = 45.0  # without any sign that it is fetching: some looks
OFFERED_S = 300.0  # it may be looking through its folder first, or be short of memory
TYPE = (
    "Folder type: Send & Receive. First choose Revert Local Changes there: it fetches again what was deleted meanwhile."
)
OPEN = "Resume it, or accept it when it is offered."
IGNORE = "Take its ignore patterns out, and resume it where it is paused."
CLOSED = {
    "paused": "has paused the folder",
    "notSharing": "has not accepted the folder, or has removed it",
}  # from 1.20
STATE = "Its state says what it waits for: space, permission, or run conditions."


class Withholding:
    """Remembers since when nothing of what a phone lacks has been coming."""

    def __init__(self) -> None:
        self._lacking: frozenset[int] = frozenset()
        self._need_bytes = 0
        self._since_s = 0.0

    def complaints(
        self, name: str, readings: Iterable[Reading], phone: Phone | None, needed: Container[str]
    ) -> Iterator[Issue]:
        """What is wrong by now. To be asked at each look, in a running loop. `needed`: names the phone has to fetch."""
        is_there = phone is not None and phone.is_connected and not phone.is_paused
        lacking = [one.delivery for one in readings if is_there and one.standing is Standing.WAITING]
        for_s = self._without_progress_s(frozenset(one.id for one in lacking), phone.need_bytes if phone else 0)
        ignored = sum(one.name not in needed for one in lacking)
        had = sum(one.name in needed and one.state is DeliveryState.STORED for one in lacking)
        left = len(lacking) - ignored - had
        if is_there and phone is not None and phone.remote_state in CLOSED:
            yield _complaint(name, f"{name} {CLOSED[phone.remote_state]}: it neither fetches nor tells anything", OPEN)
        elif ignored and for_s >= SURE_S:
            yield _complaint(name, f"{name} neither has nor wants {ignored} files: its folder ignores them", IGNORE)
        elif had and for_s >= SURE_S:
            yield _complaint(name, f"{name} lacks {had} files it had: its folder only receives", TYPE)
        elif left and for_s >= OFFERED_S:
            yield _complaint(name, f"{name} is connected, and has not begun to fetch {left} files", STATE)

    def _without_progress_s(self, lacking: frozenset[int], need_bytes: int) -> float:
        """A file that came, and bytes on their way (Syncthing tells of them every few seconds), are progress."""
        now_s = asyncio.get_running_loop().time()
        if not self._lacking or self._lacking - lacking or need_bytes < self._need_bytes:
            self._since_s = now_s
        self._lacking, self._need_bytes = lacking, need_bytes
        return now_s - self._since_s


def _complaint(name: str, what: str, remedy: str) -> Issue:
    return Issue(
        key="destination.withheld",
        subject=name,
        message=f"{what}. Nothing is lost; it is in the archive.",
        remedy=f"On the phone, open the folder in Syncthing. {remedy}",
    )
