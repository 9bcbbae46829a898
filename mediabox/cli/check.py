"""What `doctor` says of one thing."""

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. `state`: ok, warning, problem."""

    what: str
    state: str
    why: str
    remedy: str = ""
