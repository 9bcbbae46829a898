"""When the phone can be reached: airplane mode, and Android's doze with its maintenance windows."""

import msgspec


class Reception(msgspec.Struct, kw_only=True):
    is_airplane: bool = False
    is_dozing: bool = False
    window_every_s: float = 0.0  # while dozing, reachable for `window_s` of each such span; 0: never
    window_s: float = 0.0
    dozing_s: float = 0.0  # for so long now

    @property
    def is_reachable(self) -> bool:
        return not self.is_airplane and (not self.is_dozing or self._is_window)

    def doze(self, *, every_s: float = 0.0, window_s: float = 0.0) -> None:
        """Fall asleep; the first maintenance window comes after one span without."""
        self.is_dozing, self.dozing_s = True, 0.0
        self.window_every_s, self.window_s = every_s, window_s

    def wake(self) -> None:
        self.is_dozing = False

    def pass_time(self, seconds: float) -> None:
        if self.is_dozing:
            self.dozing_s += seconds

    @property
    def _is_window(self) -> bool:
        if not self.window_every_s:
            return False
        return self.dozing_s % self.window_every_s >= self.window_every_s - self.window_s
