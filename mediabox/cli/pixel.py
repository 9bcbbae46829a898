"""`mediabox pixel pair NAME`: set Syncthing and a phone up. `mediabox pixel status [NAME]`: how they stand.

What people say of deliveries is in `pixel_orders`.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits, pixel_answers, pixel_archive, pixel_orders, pixel_prove
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.pixel_answers import open_words
from mediabox.cli.pixel_target import PhoneReport, Target, destination_settings, phones_of
from mediabox.cli.pixel_words import STEPS, asking_words, paired_words, qr_lines, standing_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.home import DATABASE, archive_of, database_of, locked, running
from mediabox.destinations.pixel import pairing
from mediabox.destinations.pixel.folder import PhoneFolder
from mediabox.destinations.pixel.link import client_of
from mediabox.errors import MediaboxError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mediabox.cli.pixel_answers import Question
    from mediabox.destinations.pixel.pairing import Paired
    from mediabox.destinations.pixel.syncthing import Syncthing


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    match arguments.action:
        case "pair":
            target, questions = asyncio.run(answered(home, arguments))
            device = arguments.device or ""
            return asyncio.run(pair(target, device, questions, wait_s=arguments.wait, as_json=arguments.json))
        case "archive":
            return pixel_archive.run(destination_settings(home, arguments.name), arguments.into)
        case "prove":
            target = destination_settings(home, arguments.name)
            return pixel_prove.run(target, Path(arguments.takeout), as_json=arguments.json)
        case "tell" | "believe" | "resend" | "clear" | "unverified" | "count":
            return pixel_orders.run(arguments, destination_settings(home, arguments.name).name)
        case _:
            return asyncio.run(status(home, arguments.name, as_json=arguments.json))


async def answered(home: Path, arguments: argparse.Namespace) -> tuple[Target, list[Question]]:
    """The phone with what was said of it just now, and what is still open. Raises Permanent, ConfigInvalid."""
    name, config = destination_settings(home, arguments.name).name, load(home)
    answers = pixel_answers.given_in(arguments, config)
    left = [one for one in pixel_answers.open_questions(config, name) if one.field not in answers]
    if left and not arguments.json and sys.stdin.isatty():
        answers |= await pixel_answers.ask(left)
    config = pixel_answers.save(home, name, answers)
    if answers and running(home) is not None:
        print("Restart mediabox: it goes by the new answers from then on.")
    return phones_of(config)[name], pixel_answers.open_questions(config, name)


async def pair(
    target: Target, device_id: str, questions: Sequence[Question] = (), *, wait_s: float, as_json: bool
) -> int:
    """As far as it goes: the folder, the device once it is known, and a look whether the two are connected."""
    await ensure_outbox(target)
    client = await asyncio.to_thread(client_of, target.settings, target.name)
    try:
        paired = await share(client, target, device_id or target.settings.device)
        if not as_json:
            _show(paired, target)
            chosen = "" if paired.device_id else await _choose(client, wait_s)
            paired = await share(client, target, chosen) if chosen else paired
        if paired.device_id and not paired.is_connected:
            paired = await _connected(client, paired, wait_s=0 if as_json else wait_s)
    finally:
        await client.close()
    paired = msgspec.structs.replace(paired, unanswered=tuple(one.field for one in questions))
    write_found(paired, (*paired_words(paired, target.name), *open_words(questions, target.name)), as_json=as_json)
    if not paired.device_id or any(one.field == "sources" for one in questions):
        return exits.NEEDS_PERSON
    return exits.OK if paired.is_connected else exits.TRY_LATER


async def status(home: Path, name: str | None, *, as_json: bool) -> int:
    """Every phone that is configured, or the one of that name."""
    targets = phones_of(load(home))
    chosen = [destination_settings(home, name)] if name or not targets else list(targets.values())
    told = [await told_of(target) for target in chosen]
    now_ms = Clock().wall_ms()
    write_found(told, (line for one in told for line in standing_words(one, now_ms=now_ms)), as_json=as_json)
    return exits.OK if all(one.is_well for one in told) else exits.PROBLEM


async def told_of(target: Target) -> PhoneReport:
    """What can be found out; an error is part of it."""
    known = pixel_orders.known_of(target)
    told = PhoneReport(
        name=target.name,
        folder_id=target.folder_id,
        outbox=str(target.shared),
        counted=known.counted if known else None,
        rounds=known.rounds if known else None,
        account=target.settings.account,
        photos_of=target.settings.sources,
    )
    try:
        client = await asyncio.to_thread(client_of, target.settings, target.name)
        told = msgspec.structs.replace(told, url=client.url)
        try:
            told = msgspec.structs.replace(told, version=await client.version())
            folder = PhoneFolder(client, target.folder_id, outbox=target.shared, device=target.settings.device)
            return msgspec.structs.replace(told, folder=await folder.state())
        finally:
            await client.close()
    except MediaboxError as err:
        return msgspec.structs.replace(told, problem=str(err), remedy=getattr(err, "remedy", ""))


async def share(client: Syncthing, target: Target, device_id: str) -> Paired:
    """Share its outbox with this device, or with the one it has."""
    return await pairing.pair(
        client,
        folder_id=target.folder_id,
        label=f"mediabox {target.name}",
        outbox=target.shared,
        archive=target.archive,
        home=target.home,
        device_id=device_id,
    )


async def _connected(client: Syncthing, paired: Paired, *, wait_s: float) -> Paired:
    if wait_s:
        print(f"Waiting up to {wait_s:.0f} s for the phone ...", flush=True)
    is_connected = await pairing.wait_for(client, device_id=paired.device_id, timeout_s=wait_s)
    return msgspec.structs.replace(paired, is_connected=is_connected)


async def _choose(client: Syncthing, wait_s: float) -> str:
    """Which of those that ask is the phone, as the person says; "" when nobody is there to say it, or to ask."""
    if not sys.stdin.isatty():
        return ""
    print(f"Waiting up to {wait_s:.0f} s for the phone to ask ...", flush=True)
    if not await pairing.wait_for(client, timeout_s=wait_s):
        return ""
    found = await pairing.asking(client)
    print("\n".join(asking_words(found)))
    print("Which one is the phone (its number, Enter: none of them)?", end=" ", flush=True)
    line = (await asyncio.to_thread(sys.stdin.readline)).strip()
    return found[int(line) - 1].device_id if line.isdecimal() and 0 < int(line) <= len(found) else ""


async def ensure_outbox(target: Target) -> None:
    """Enroll and make the outbox, as the daemon would; a running one does it itself."""
    if target.shared.is_dir() or running(target.home) is not None:
        return
    if archive_of(target.home) is not None and not (target.home / DATABASE).exists():
        return  # a catalogue made now would hide that the box has lost its own
    from mediabox.core import enrolment
    from mediabox.durable.outbox import OutboxFolder

    with locked(target.home):
        async with database_of(target.home) as database:
            name, clock = target.name, Clock()
            opened = await enrolment.outbox_volume(database, target.outbox, destination=name, clock=clock)
            with closing(opened) as volume:
                await OutboxFolder(volume).prepare()


def _show(paired: Paired, target: Target) -> None:
    if paired.is_connected:
        return
    print("\n".join(qr_lines(paired.box_id)))
    print(STEPS.format(box_id=paired.box_id, name=target.name))
