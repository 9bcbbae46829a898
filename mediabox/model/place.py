"""Where on earth."""

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """WGS 84 position. Degrees north and east, metres above sea level."""

    latitude: float
    longitude: float
    altitude_m: float | None = None
