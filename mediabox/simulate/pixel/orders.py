"""What can be asked of a phone: by a test, over HTTP, or line by line in a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """`do` is the order's name, in JSON as in scripts."""


class Scan(_Told, frozen=True, kw_only=True, tag="scan"):
    """Order a media scan."""


class Stall(_Told, frozen=True, kw_only=True, tag="stall"):
    """The media scanner finds nothing by itself any more; with `on=false`, it does again."""

    on: bool = True


class BackUp(_Told, frozen=True, kw_only=True, tag="backup"):
    """Google Photos backs up all it knows of, at once."""


class FreeUp(_Told, frozen=True, kw_only=True, tag="free-up"):
    """Google Photos' "Free up space"; without an age, as the phone's habits have it.

    With a `count` it ends after so many, the oldest first; in several `batches` Syncthing sees them one by one.
    """

    min_age_days: float | None = None
    count: Annotated[int, Meta(ge=0)] = 0
    batches: Annotated[int, Meta(ge=1)] = 1


class Trickle(_Told, frozen=True, kw_only=True, tag="trickle"):
    """Smart Storage removes the first `count` of what was backed up so many days ago."""

    count: int = 1
    min_age_days: float = 60.0


class Trash(_Told, frozen=True, kw_only=True, tag="trash"):
    """Pictures are deleted in Google Photos: this one, or with `*` the first `count` by name."""

    name: str = "*"
    count: int = 1


class Restore(_Told, frozen=True, kw_only=True, tag="restore"):
    """Pictures are taken out of the bin again: this one, or with `*` the first `count` by name."""

    name: str = "*"
    count: int = 1


class EmptyBin(_Told, frozen=True, kw_only=True, tag="empty-bin"):
    """What is in Google Photos' bin is deleted for good."""


class Rename(_Told, frozen=True, kw_only=True, tag="rename"):
    """A picture gets another name, in the folder it is in."""

    name: str = "*"
    to: str


class Move(_Told, frozen=True, kw_only=True, tag="move"):
    """A picture goes to another folder: one inside its own, or with a `/` in front one of the shared storage."""

    name: str = "*"
    to: str


class Add(_Told, frozen=True, kw_only=True, tag="add"):
    """Another app puts a picture of its own into the first shared folder."""

    name: str = "Screenshot_1.png"


class ReceiveOnly(_Told, frozen=True, kw_only=True, tag="receive-only"):
    """The phone's side of the shared folders only receives; with `on=false`, it sends again."""

    on: bool = True


class Ignore(_Told, frozen=True, kw_only=True, tag="ignore"):
    """Ignore patterns for the phone's side of the shared folders, with commas between; none: take them away."""

    patterns: str = ""


class Rescan(_Told, frozen=True, kw_only=True, tag="rescan"):
    """Syncthing looks through its folders."""


class Doze(_Told, frozen=True, kw_only=True, tag="doze"):
    """Android sleeps, reachable for `window_s` of each `every_s`, or not at all."""

    every_s: float = 0.0
    window_s: float = 0.0


class Wake(_Told, frozen=True, kw_only=True, tag="wake"):
    pass


class Airplane(_Told, frozen=True, kw_only=True, tag="airplane"):
    on: bool = True


class Reboot(_Told, frozen=True, kw_only=True, tag="reboot"):
    pass


class Kill(_Told, frozen=True, kw_only=True, tag="kill"):
    """Android kills Syncthing."""


class Launch(_Told, frozen=True, kw_only=True, tag="launch"):
    """Somebody opens Syncthing again."""


class Delete(_Told, frozen=True, kw_only=True, tag="delete"):
    """A person deletes pictures: these, or with `*` the first `count` by name."""

    name: str = "*"
    count: int = 1


class Wipe(_Told, frozen=True, kw_only=True, tag="wipe"):
    """Every picture is deleted; with `folders` the shared folders as well."""

    folders: bool = False


class Edit(_Told, frozen=True, kw_only=True, tag="edit"):
    """A picture is changed in place: this one, or with `*` the first by name. `as_copy`: a new file beside it."""

    name: str = "*"
    as_copy: bool = False


class Fill(_Told, frozen=True, kw_only=True, tag="fill"):
    """Other apps leave only so much of the storage."""

    free_bytes: int = 0


class Charge(_Told, frozen=True, kw_only=True, tag="charge"):
    """The cable goes in or out; with a percentage, the battery is at it."""

    on: bool = True
    percent: float | None = None


class Warm(_Told, frozen=True, kw_only=True, tag="warm"):
    """It lies in the sun."""

    celsius: float


class PassTime(_Told, frozen=True, kw_only=True, tag="pass"):
    """The phone's time goes on by so much at once."""

    seconds: float


PictureOrder = FreeUp | Trickle | Delete | Wipe | Trash | Restore | EmptyBin | Rename | Move | Edit | Add
PhoneOrder = (
    Stall | Doze | Wake | Airplane | Reboot | Kill | Launch | ReceiveOnly | Ignore | Rescan | Fill | Charge | Warm
)  # fmt: skip
Order = Scan | BackUp | PassTime | PictureOrder | PhoneOrder


class Done(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order did, where there is something to count."""

    files: int | None = None
    names: tuple[str, ...] = ()


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a script. `after_s`: since the line before, on the phone's clock."""

    after_s: float
    order: Order


def order_of(verb: str, given: Mapping[str, object], *, is_text: bool = False) -> Order:
    """An order from its name and its fields. Raises ValueError saying what is wrong."""
    try:
        order: Order = msgspec.convert({**given, "do": verb}, type=Order, strict=not is_text)
        return order
    except msgspec.ValidationError as err:
        raise ValueError(f"{verb}: {err}") from err


def script(text: str) -> list[Timed]:
    """Lines `AFTER_SECONDS ORDER [FIELD=VALUE ...]`; empty ones and those behind # are skipped. Raises ValueError."""
    timed = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            after, verb, *fields = words
            given = dict(field.split("=", 1) for field in fields)
            timed.append(Timed(after_s=float(after), order=order_of(verb, given, is_text=True)))
        except ValueError as err:
            raise ValueError(f"line {number}, {line.strip()!r}: {err}") from err
    return timed
