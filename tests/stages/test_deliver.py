"""The step that hands over a file: what can never be delivered ends with a reason, not as a failed job."""

import pytest
from core.delivering.wishing import WishingDestination

from mediabox.contracts import Member, Parcel, Setback, StepResult, Undeliverable, Work
from mediabox.errors import Away, NeedsHuman, Permanent, Retryable
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.delivery import Delivered, Delivery, DeliveryState, Form
from mediabox.model.job import Job
from mediabox.stages.deliver import Deliver

PARCEL = Parcel(
    delivery=Delivery(
        id=7,
        destination="anna",
        asset_id=1,
        resource_id=1,
        form=Form.ORIGINAL,
        name="a.JPG",
        state=DeliveryState.ADMITTED,
        size_bytes=1,
    ),
    first=Member(
        resource=Resource(
            id=1,
            asset_id=1,
            source="icloud",
            remote_id="a",
            version="1",
            name="a.JPG",
            kind=Kind.PICTURE,
            role=Role.ORIGINAL,
            state=ResourceState.ARCHIVED,
        ),
        facts=None,
    ),
)
DELIVERED = Delivered(delivery_id=7, form=Form.ORIGINAL, size_bytes=1, digest="0" * 64)


class Answering(WishingDestination):
    """Answers what a test says, or raises it."""

    def __init__(self, answer: Delivered | Exception) -> None:
        super().__init__()
        self._answer = answer
        self.took: list[Parcel] = []

    async def deliver(self, parcel: Parcel) -> Delivered:
        self.took.append(parcel)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class OneParcel:
    """Obeys `stages.deliver.DeliveryInputs`."""

    def __init__(self, answer: Parcel | Exception | None = PARCEL) -> None:
        self._answer = answer
        self.asked: list[int] = []

    async def parcel(self, delivery_id: int) -> Parcel | None:
        self.asked.append(delivery_id)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def work(subject: str = "anna/7") -> Work:
    return Work(job=Job(id=1, step="deliver", subject=subject))


async def test_hands_over_the_parcel_its_subject_names() -> None:
    anna, parcels = Answering(DELIVERED), OneParcel()

    outcome = await Deliver({"anna": anna}, parcels).run(work())

    assert outcome == StepResult(DELIVERED)
    assert (anna.took, parcels.asked) == ([PARCEL], [7])


async def test_a_destinations_name_may_have_a_slash() -> None:
    parcels = OneParcel()

    assert (await Deliver({"an/na": Answering(DELIVERED)}, parcels).run(work("an/na/12"))).outcome == DELIVERED
    assert parcels.asked == [12]


async def test_what_is_not_to_be_made_any_more_is_left() -> None:
    anna = Answering(DELIVERED)

    assert await Deliver({"anna": anna}, OneParcel(None)).run(work()) == StepResult()
    assert anna.took == []


@pytest.mark.parametrize(
    ("found", "answer"), [(PARCEL, Permanent("no decoder takes it")), (Permanent("no decoder takes it"), DELIVERED)]
)
async def test_what_can_never_be_delivered_ends_with_its_reason(found, answer) -> None:
    outcome = await Deliver({"anna": Answering(answer)}, OneParcel(found)).run(work())

    assert outcome == StepResult(Undeliverable("no decoder takes it"))


async def test_a_strangers_file_under_its_name_is_a_setback() -> None:
    outcome = await Deliver({"anna": Answering(FileExistsError(17, "File exists"))}, OneParcel()).run(work())

    assert outcome == StepResult(Setback.OBSTRUCTED)


@pytest.mark.parametrize(
    "error",
    [Away("gone", part="destination:anna"), NeedsHuman("key", issue="destination.key"), Retryable("busy"), OSError(5)],
)
async def test_whatever_may_pass_is_the_runners_to_handle(error) -> None:
    with pytest.raises(type(error)):
        await Deliver({"anna": Answering(error)}, OneParcel()).run(work())


async def test_a_destination_that_was_taken_out_of_the_configuration_ends_its_jobs_without_a_word() -> None:
    assert await Deliver({}, OneParcel()).run(work()) == StepResult()
