"""Make an admitted delivery's file and hand it to its destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Needs, Setback, Stage, StepResult, Subject, Undeliverable
from mediabox.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.contracts import Destination, Parcel, Work


class DeliveryInputs(Protocol):
    """The catalogue, as this stage uses it."""

    async def parcel(self, delivery_id: int) -> Parcel | None:
        """None when it is not to be made any more. Raises Permanent when a file of it has left the archive."""


class Deliver(Stage):
    """One file to one destination. What can never be delivered ends with a reason, not as a failed job."""

    name = "deliver"
    summary = "Prepare a copy for a destination and check it before it leaves."
    subject = Subject.DELIVERY
    after = ("file",)
    needs = Needs(cpu=True, disk=True, destination=True)
    width = 2

    def __init__(self, destinations: Mapping[str, Destination], parcels: DeliveryInputs) -> None:
        self._destinations, self._parcels = destinations, parcels

    async def run(self, work: Work) -> StepResult:
        """Raises what the destination raises, but Permanent."""
        name, _, delivery_id = work.job.subject.rpartition("/")
        destination = self._destinations.get(name)
        if destination is None:
            return StepResult()  # not in the configuration any more; should it come back, it is taken up again
        try:
            parcel = await self._parcels.parcel(int(delivery_id))
            if parcel is None:
                return StepResult()
            return StepResult(await destination.deliver(parcel))
        except FileExistsError:
            return StepResult(Setback.OBSTRUCTED)
        except Permanent as error:
            return StepResult(Undeliverable(str(error)))
