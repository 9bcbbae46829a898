"""What `doctor` says of phones: whether Syncthing answers, the folder is sound, and the phone is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.cli.check import Check
from mediabox.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.cli.pixel_target import PhoneReport
    from mediabox.config.load import Config

PAIR = "`mediabox pixel pair {}` lets it in."
AWAY = "Nothing, if it is out of the house; else see that Syncthing runs on it and may run in the background."


def checks(config: Config) -> Iterator[Check]:
    """Asks each phone's Syncthing; loads nothing where no phone is set up."""
    if not config.destinations:
        return
    from mediabox.cli.pixel import told_of
    from mediabox.cli.pixel_target import phones_of

    for target in phones_of(config).values():
        yield check_of(asyncio.run(told_of(target)))


def check_of(told: PhoneReport) -> Check:
    """One line of one phone."""
    what = f"destination {told.name}"
    if told.folder is None:
        return Check(what=what, state="problem", why=told.problem, remedy=told.remedy)
    if told.folder.faults:
        fault = told.folder.faults[0]
        return Check(what=what, state="problem", why=fault.message, remedy=fault.remedy)
    if told.folder.phone is None:
        return Check(what=what, state="warning", why="no phone has been paired", remedy=PAIR.format(told.name))
    from mediabox.cli.pixel_words import phone_words

    phone = phone_words(told.folder.phone, now_ms=Clock().wall_ms())
    why = f"Syncthing {told.version} at {told.url}; the phone: {phone}"
    if told.folder.phone.is_connected:
        return Check(what=what, state="ok", why=why)
    return Check(what=what, state="warning", why=why, remedy=AWAY)
