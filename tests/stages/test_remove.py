"""A source that is left out for a while: its jobs wait for it."""

import pytest

from mediabox.contracts import Work
from mediabox.errors import Away
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.job import Job
from mediabox.stages.remove import Remove


async def test_a_copy_of_a_source_that_is_left_out_waits_and_is_not_given_up() -> None:
    fields = {"id": 1, "asset_id": 1, "source": "card", "remote_id": "a", "version": "1", "name": "a.jpg"}
    resource = Resource(**fields, kind=Kind.PICTURE, role=Role.ORIGINAL, state=ResourceState.ARCHIVED)  # type: ignore[arg-type]
    remove = Remove({}, None)  # type: ignore[arg-type]

    with pytest.raises(Away) as waits:
        await remove.run(Work(job=Job(id=1, step="remove", subject="1"), resource=resource))

    assert waits.value.part == "source:card"
