"""The phone's room: a size, what the camera roll takes of it, and what everything else takes."""

import msgspec

_KEPT_SHARE = 100  # one hundredth stays free: Syncthing's own default for `minDiskFree`


class Storage(msgspec.Struct, kw_only=True):
    """Bytes. `other_bytes` are apps, messages and the system."""

    size_bytes: int
    other_bytes: int = 0

    def free_bytes(self, roll_bytes: int) -> int:
        """What is left; never less than nothing."""
        return max(0, self.size_bytes - self.other_bytes - roll_bytes)

    @property
    def kept_bytes(self) -> int:
        """What Syncthing leaves free."""
        return self.size_bytes // _KEPT_SHARE

    def fill(self, free_bytes: int, *, roll_bytes: int) -> None:
        """Let other apps take everything but this."""
        self.other_bytes = max(0, self.size_bytes - roll_bytes - free_bytes)
