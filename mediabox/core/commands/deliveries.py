"""What people say of what goes to a destination: it arrived, send it again, take it back; how its device is.

`photos`: by the name at the destination, or by what the catalogue calls them; none: all that wait for a word.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import switches
from mediabox.core.commands.contract import Command, Context, Danger
from mediabox.core.delivering import orders
from mediabox.model.actor import Role
from mediabox.model.delivery import Counted, DeviceReport


class Changed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How many deliveries it concerned."""

    count: int


class ConfirmDelivered(Command[Changed], frozen=True, kw_only=True):
    """It has arrived, on a person's word: no evidence, and no copy in the ledger."""

    name: ClassVar[str] = "delivery_confirm"

    destination: str
    photos: tuple[str, ...] = ()

    def run(self, context: Context) -> Changed:
        return Changed(count=orders.believe(context.connection, self.destination, *self.photos, now_ms=context.now_ms))


class Resend(Command[Changed], frozen=True, kw_only=True):
    """Deliver it once more, under a name of its own."""

    name: ClassVar[str] = "delivery_resend"
    role: ClassVar[Role] = Role.FAMILY

    destination: str
    photos: tuple[str, ...] = ()

    def run(self, context: Context) -> Changed:
        return Changed(count=orders.resend(context.connection, self.destination, *self.photos, now_ms=context.now_ms))


class Withdraw(Command[Changed], frozen=True, kw_only=True):
    """Take off the device what it has shown to have: these photos, or all since `older_than_ms` (Unix ms)."""

    name: ClassVar[str] = "delivery_withdraw"
    danger: ClassVar[Danger] = Danger.UNDONE_LATER
    confirm: ClassVar[bool] = True

    destination: str
    photos: tuple[str, ...] = ()
    older_than_ms: int = 0

    def run(self, context: Context) -> Changed:
        connection, now_ms = context.connection, context.now_ms
        if self.photos:
            return Changed(count=orders.withdraw(connection, self.destination, *self.photos, now_ms=now_ms))
        count = orders.clear(connection, self.destination, older_than_ms=self.older_than_ms, now_ms=now_ms)
        return Changed(count=count)


class CountShown(Command[Counted], frozen=True, kw_only=True):
    """How many photos Google Photos offers to free, as a person read it. Shown, and counted nowhere."""

    name: ClassVar[str] = "delivery_count"
    role: ClassVar[Role] = Role.FAMILY

    destination: str
    shown: int

    def run(self, context: Context) -> Counted:
        return orders.count(context.connection, self.destination, self.shown, now_ms=context.now_ms)


class ReportDevice(Command[DeviceReport], frozen=True, kw_only=True):
    """How the device behind a destination is; good for an hour. In no journal: it may come every minute."""

    name: ClassVar[str] = "device_report"
    role: ClassVar[Role] = Role.UPLOADER

    destination: str
    battery_percent: float | None = None
    celsius: float | None = None
    free_bytes: int | None = None

    def run(self, context: Context) -> DeviceReport:
        report = DeviceReport(
            at_ms=context.now_ms,
            battery_percent=self.battery_percent,
            celsius=self.celsius,
            free_bytes=self.free_bytes,
        )
        switches.report_device(context.connection, self.destination, report)
        return report
