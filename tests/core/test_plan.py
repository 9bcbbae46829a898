"""What comes next, and when."""

import pytest

from mediabox.core import plan
from mediabox.model.asset import Kind, Resource, ResourceState, Role


def filed(resource_id: int) -> Resource:
    return Resource(
        id=resource_id,
        asset_id=resource_id,
        source="pictures",
        remote_id=f"t/{resource_id}.jpg",
        version="1",
        name=f"{resource_id}.jpg",
        kind=Kind.PICTURE,
        role=Role.ORIGINAL,
        state=ResourceState.ARCHIVED,
        path=f"2024/2024-07/{resource_id}.jpg",
    )


@pytest.mark.parametrize("later_ms", [0, 4_000, 29_999])
def test_text_files_of_what_came_within_half_a_minute_are_written_at_one_moment(later_ms: int) -> None:
    start_ms = plan.TEXTS_EVERY_MS * 60_000_000
    first = plan.after_archiving(filed(1), movable=(), now_ms=start_ms)
    second = plan.after_archiving(filed(2), movable=(), now_ms=start_ms + later_ms)

    moments = {request.not_before_ms for request in (*first, *second)}
    assert moments == {start_ms + plan.TEXTS_EVERY_MS}
    assert {request.step for request in first} == set(plan.TEXTS)


def test_text_files_never_wait_longer_than_half_a_minute() -> None:
    waits = [plan.after_joining(1, now_ms=now_ms)[0].not_before_ms - now_ms for now_ms in range(0, 90_000, 777)]

    assert all(0 < wait <= plan.TEXTS_EVERY_MS for wait in waits)
