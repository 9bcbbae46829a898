"""Charge and warmth of the phone, as curves simple enough to foretell.

Rates are of the order a Pixel shows: a day and a half at rest, a night to charge, some ten kelvin above the
room when it charges and uploads at once.
"""

import msgspec

_HOUR_S = 3600.0
_CHARGING_PER_H = 40.0  # percent; the last fifth takes twice as long
_SLOW_FROM = 80.0
_RESTING_PER_H = 2.5
_WORKING_PER_H = 12.0
_ROOM_CELSIUS = 24.0
_CHARGING_KELVIN = 6.0
_WORKING_KELVIN = 7.0
_WARMING_S = 900.0  # two thirds of the way to where it is going
_LONGEST_STEP_S = 60.0
_OFF_BELOW, _ON_FROM = 1.0, 5.0  # percent: hysteresis, or an empty phone on a cable would start and die for ever


class Battery(msgspec.Struct, kw_only=True):
    """`percent` 0 to 100, `celsius` of the battery."""

    percent: float = 80.0
    celsius: float = _ROOM_CELSIUS
    is_charging: bool = False
    is_flat: bool = False

    def pass_time(self, seconds: float, *, is_working: bool) -> None:
        """Let time pass with or without an upload or a synchronisation going on."""
        while seconds > 0:
            step_s = min(seconds, _LONGEST_STEP_S)
            self._step(step_s, is_working=is_working and not self.is_flat)
            seconds -= step_s

    def _step(self, step_s: float, *, is_working: bool) -> None:
        per_h = -_WORKING_PER_H if is_working else -_RESTING_PER_H
        if self.is_charging:
            per_h += _CHARGING_PER_H if self.percent < _SLOW_FROM else _CHARGING_PER_H / 2
        elif self.is_flat:
            per_h = 0.0
        self.percent = min(100.0, max(0.0, self.percent + per_h * step_s / _HOUR_S))
        self.is_flat = self.percent < (_ON_FROM if self.is_flat else _OFF_BELOW)
        goal = _ROOM_CELSIUS + _CHARGING_KELVIN * self.is_charging + _WORKING_KELVIN * is_working
        self.celsius += (goal - self.celsius) * min(1.0, step_s / _WARMING_S)
