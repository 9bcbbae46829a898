"""What `doctor` says of one thing."""

import msgspec

from mediabox.message import Text


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. `state`: ok, warning, problem."""

    what: str
    state: str
    why: Text
    remedy: Text = ""
