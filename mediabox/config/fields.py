"""The vocabulary of settings: a unit or a form for every number and text a person may write.

A settings struct combines one of these with its own bounds and words:

    max_distance: Annotated[Bits, Meta(ge=0, le=16, title="Duplicate distance", description="...")] = 6

Units carry no bounds of their own (msgspec refuses to set a bound twice), save
where the unit itself has them. `x-unit` ends up in the JSON Schema, the reference
and every message; `x-expects` says in words what a pattern says in signs.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mediabox.errors import NeedsHuman
from mediabox.message import message

Bits = Annotated[int, Meta(extra_json_schema={"x-unit": "bit"})]
Bytes = Annotated[int, Meta(ge=0, extra_json_schema={"x-unit": "byte"})]
Mebibytes = Annotated[int, Meta(extra_json_schema={"x-unit": "MiB"})]
MegabytesPerSecond = Annotated[float, Meta(extra_json_schema={"x-unit": "MB/s"})]
Seconds = Annotated[float, Meta(extra_json_schema={"x-unit": "s"})]
Days = Annotated[int, Meta(extra_json_schema={"x-unit": "day"})]
Celsius = Annotated[float, Meta(extra_json_schema={"x-unit": "°C"})]
Percent = Annotated[float, Meta(ge=0, le=100, extra_json_schema={"x-unit": "%"})]

# NUL cannot be part of a path on any system; the empty path would mean "here" by accident.
PathText = Annotated[str, Meta(pattern=r"^[^\0]+$", extra_json_schema={"x-expects": "a path"})]
AbsolutePath = Annotated[
    str, Meta(pattern=r"^/[^\0]*$", extra_json_schema={"x-expects": "an absolute path (it starts with '/')"})
]
FileName = Annotated[str, Meta(pattern=r"^[^/\0]+$", extra_json_schema={"x-expects": "a file name (without '/')"})]


class Secret:
    """A password or key from the configuration. Only `reveal` gives it away; printing never does.

    Written either as it is, or as `credential:NAME`: then it is a file systemd hands to
    the service (`LoadCredential=mediabox:...`), read when it is needed.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Pass it on to the one call that needs it; keep it nowhere. Raises NeedsHuman."""
        scheme, _, name = self._text.partition(":")
        return _credential(name) if scheme == "credential" else self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _credential(name: str) -> str:
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"), f"mediabox_{name}")
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise NeedsHuman(
            message(
                "the credential {name} named in the settings is not readable: {reason}", name=name, reason=str(err)
            ),
            issue="config.credential",
            subject=name,
            remedy=message(
                "Put it into /etc/mediabox/credentials/{name} (owner root, mode 0600) and restart mediabox.", name=name
            ),
        ) from err


def decode(kind: type, value: object) -> object:
    """The msgspec `dec_hook` of every settings struct. Raises ValidationError for anything but a text."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    expected = f"Expected `str`, got `{type(value).__name__}`"
    raise msgspec.ValidationError(expected)


def encode(value: object) -> object:
    """The msgspec `enc_hook`: a secret leaves as asterisks."""
    if isinstance(value, Secret):
        return "***"
    message = f"settings cannot hold a {type(value).__name__}"
    raise NotImplementedError(message)


def schema_of(kind: type) -> dict[str, Any]:
    """The msgspec `schema_hook`: JSON Schema of the types defined here."""
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    message = f"settings cannot hold a {kind.__name__}"
    raise NotImplementedError(message)
