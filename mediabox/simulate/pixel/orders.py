"""What can be asked of a phone: by a test, over HTTP, or line by line in a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.simulate.pixel.phone import Phone


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
    """Google Photos' "Free up space"; without an age, as the phone's habits have it."""

    min_age_days: float | None = None


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
    """A picture is changed in place: this one, or with `*` the first by name."""

    name: str = "*"


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


Order = (
    Scan | Stall | BackUp | FreeUp | Doze | Wake | Airplane | Reboot | Kill | Launch
    | Delete | Wipe | Edit | Fill | Charge | Warm | PassTime
)  # fmt: skip


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


async def carry_out(phone: Phone, order: Order) -> Done:  # noqa: C901, PLR0912 - one line for each order
    """Do it. Raises KeyError when there is no such picture, OSError."""
    if isinstance(order, PassTime):
        await phone.tick(order.seconds)
        return Done()
    async with phone.held():
        match order:
            case Scan():
                return Done(files=await phone.scan())
            case Stall():
                phone.media_store.is_stalled = order.on
            case BackUp():
                return Done(files=await phone.back_up())
            case FreeUp():
                return _done(await phone.free_up(min_age_days=order.min_age_days))
            case Doze():
                await phone.doze(every_s=order.every_s, window_s=order.window_s)
            case Wake():
                await phone.wake()
            case Airplane():
                await phone.airplane(on=order.on)
            case Reboot():
                await phone.reboot()
            case Kill():
                await phone.kill_syncthing()
            case Launch():
                await phone.launch()
            case Delete():
                return _done(await phone.delete((await _named(phone, order.name))[: order.count]))
            case Wipe():
                return _done(await phone.wipe(folders=order.folders))
            case Edit():
                name = (await _named(phone, order.name))[0]
                await phone.edit(name)
                return _done([name])
            case Fill():
                await phone.fill(free_bytes=order.free_bytes)
            case Charge():
                phone.battery.is_charging = order.on
                phone.battery.percent = phone.battery.percent if order.percent is None else order.percent
            case Warm():
                phone.battery.celsius = order.celsius
            case _:
                assert_never(order)
    return Done()


def _done(names: list[str]) -> Done:
    return Done(files=len(names), names=tuple(names))


async def _named(phone: Phone, name: str) -> list[str]:
    """The pictures a person means: all by name, or those called so. Raises KeyError."""
    found = [each for each in sorted(await phone.files()) if name in ("*", each, each.rpartition("/")[2])]
    if not found:
        raise KeyError(f"there is no picture {name} on the phone")
    return found
