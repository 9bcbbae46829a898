"""Note which pictures of other assets look like this one. Nothing is ever discarded for it.

Distances are Hamming distances in bits over the 64-bit perceptual hash; 0 means the
pictures look the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mediabox.contracts import Library, Near, Similar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.model.asset import Resource
    from mediabox.model.facts import Facts

MOST_SIMILAR = 64  # a time lapse would otherwise note every frame beside every other
# A gradient hash of a black, white or evenly shaded frame has hardly any bit set, or clear.
# All such frames are alike and none is a copy of another.
LEAST_DETAIL_BITS = 4


class Dedup:
    """Which pictures look like this one."""

    name: ClassVar[str] = "dedup"
    summary: ClassVar[str] = "Find photos that look alike. Both are kept."
    after: ClassVar[tuple[str, ...]] = ("group",)

    def __init__(self, max_distance: int) -> None:
        """`max_distance`: how many bits two pictures may differ in and still be noted; 0: only equal ones."""
        self._max_distance = max_distance

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterator[Similar]:
        """Yield a Similar for each picture of another asset within the distance, nearest first, 64 at most."""
        if not facts.perceptual_hashes or not _has_detail(facts.perceptual_hashes[0]):
            return
        near = library.near(facts.perceptual_hashes, within_bits=self._max_distance)
        others = [other for other in near if other.asset_id != resource.asset_id]
        nearest: dict[int, Near] = {}
        for other in sorted(others, key=_closeness):
            nearest.setdefault(other.resource_id, other)
        for other in list(nearest.values())[:MOST_SIMILAR]:
            yield Similar(
                resource_id=resource.id,
                of_resource_id=other.resource_id,
                distance_bits=other.distance_bits,
                rotation=other.rotation,
            )


def _closeness(near: Near) -> tuple[int, int, int]:
    return near.distance_bits, near.rotation, near.resource_id


def _has_detail(value: int) -> bool:
    return LEAST_DETAIL_BITS <= value.bit_count() <= 64 - LEAST_DETAIL_BITS
