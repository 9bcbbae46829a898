"""What a source met at its last listing: every name, and why one was not taken in."""

import msgspec

from mediabox.model.layouts import Reason

SHOWN = 10  # names kept of each reason; `mediabox left` tells all


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Names of one reason."""

    reason: Reason
    count: int
    names: tuple[str, ...] = ()  # paths below the tree, the first SHOWN


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Files, links and the like below a source's folders: `names` = `listed` + what was left out."""

    listed: int = 0  # offered to be taken in: each is a resource, or neither picture nor video
    left_out: tuple[LeftOut, ...] = ()

    @property
    def names(self) -> int:
        return self.listed + sum(one.count for one in self.left_out if not one.reason.is_folder)
