"""Carry out what was ordered of a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.simulate.pixel.orders import (
    Add,
    Airplane,
    BackUp,
    Charge,
    Delete,
    Done,
    Doze,
    Edit,
    EmptyBin,
    Fill,
    FreeUp,
    Ignore,
    Kill,
    Launch,
    Move,
    Order,
    PassTime,
    PhoneOrder,
    PictureOrder,
    Reboot,
    ReceiveOnly,
    Rename,
    Rescan,
    Restore,
    Scan,
    Stall,
    Trash,
    Trickle,
    Wake,
    Warm,
    Wipe,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.simulate.pixel.phone import Phone


async def carry_out(phone: Phone, order: Order) -> Done:
    """Do it. Raises KeyError when there is no such picture, OSError."""
    if isinstance(order, PassTime):
        await phone.tick(order.seconds)
        return Done()
    async with phone.held():
        match order:
            case Scan():
                return Done(files=await phone.scan())
            case BackUp():
                return Done(files=await phone.back_up())
            case (
                FreeUp() | Trickle() | Delete() | Wipe() | Trash() | Restore() | EmptyBin()
                | Rename() | Move() | Edit() | Add()
            ):  # fmt: skip
                names = await _handle_pictures(phone, order)
                return Done(files=len(names), names=tuple(names))
            case _:
                await _handle_phone(phone, order)
    return Done()


async def _handle_phone(phone: Phone, order: PhoneOrder) -> None:  # noqa: C901, PLR0912 - one line for each order
    match order:
        case Stall():
            phone.media_store.is_stalled = order.on
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
        case ReceiveOnly():
            await phone.receive_only(on=order.on)
        case Ignore():
            await phone.ignore(*filter(None, order.patterns.split(",")))
        case Rescan():
            await phone.rescan()
        case Fill():
            await phone.fill(free_bytes=order.free_bytes)
        case Charge():
            phone.battery.is_charging = order.on
            phone.battery.percent = phone.battery.percent if order.percent is None else order.percent
        case Warm():
            phone.battery.celsius = order.celsius
        case _:
            assert_never(order)


async def _handle_pictures(phone: Phone, order: PictureOrder) -> list[str]:
    """Which pictures, by their names before or, where they stay there, now."""
    match order:
        case FreeUp():
            return await phone.free_up(min_age_days=order.min_age_days, count=order.count, batches=order.batches)
        case Trickle():
            return await phone.trickle(count=order.count, min_age_days=order.min_age_days)
        case Delete():
            return await phone.delete((await _named(phone, order.name))[: order.count])
        case Wipe():
            return await phone.wipe(folders=order.folders)
        case Trash():
            names = (await _named(phone, order.name))[: order.count]
            await phone.trash(names)
            return names
        case Restore():
            binned = _meant(order.name, [one.name for one in phone.bin.pictures()], "in the bin")
            return await phone.restore(binned[: order.count])
        case EmptyBin():
            return await phone.empty_bin()
        case Rename():
            return [await _move(phone, order.name, "", order.to)]
        case Move():
            return [await _move(phone, order.name, order.to)]
        case Edit():
            return [await _edit(phone, (await _named(phone, order.name))[0], as_copy=order.as_copy)]
        case Add():
            name = f"{(await phone.folders.states())[0].path}/{order.name}"
            await phone.add(name)
            return [name]
        case _:
            assert_never(order)


async def _edit(phone: Phone, name: str, *, as_copy: bool) -> str:
    if as_copy:
        return await phone.copy(name)
    await phone.edit(name)
    return name


async def _named(phone: Phone, name: str) -> list[str]:
    """The pictures a person means: all by name, or those called so. Raises KeyError."""
    return _meant(name, sorted(await phone.files()), "on the phone")


def _meant(name: str, names: Sequence[str], where: str) -> list[str]:
    """Raises KeyError."""
    found = [each for each in names if name in ("*", each, each.rpartition("/")[2])]
    if not found:
        raise KeyError(f"there is no picture {name} {where}")
    return found


async def _move(phone: Phone, name: str, folder: str, to: str = "") -> str:
    """The first picture meant, to a folder relative to its own (with `/`: to the shared storage), as `to`."""
    old = (await _named(phone, name))[0]
    own, _, last = old.rpartition("/")
    place = folder[1:] if folder.startswith("/") else f"{own}/{folder}"
    return await phone.rename(old, f"{place.strip('/')}/{to or last}")
