"""A simulated phone beside one run of the box: `mediabox run --simulated-pixel`, `image-build/try --pixel`.

The phone, and a Syncthing for the box, live in a process of their own (`simulate pixel --box`) that ends with
this one. The box is told of them on its command line alone: no file of a person is written.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import pixel, pixel_target
from mediabox.config.load import load
from mediabox.destinations.pixel import pairing
from mediabox.destinations.pixel.link import client_of
from mediabox.errors import Fatal, Permanent, Retryable
from mediabox.simulate.command.pixel import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "phone"
_FOLDER = "simulated-pixel"  # in the home folder: the phone's storage, its Syncthing and the box's
# A patient owner would take days; here a picture is backed up at once and freed within seconds, but not before a busy
# box can have looked: what came and went unseen from a phone that has shown nothing yet would wait for ten minutes.
_HABITS = ("--auto", "--free-up-every", "10", "--line", "100MB")
_END_S = 30.0
_MEET_S = 60.0


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A phone that is running and paired."""

    facts: Facts
    overrides: dict[str, object]  # for the configuration


@contextmanager
def simulated_phone(home: Path) -> Iterator[Trial]:
    """Run it until the block ends. Raises Permanent without Syncthing, Fatal when it does not come up."""
    _refuse_without_syncthing()
    with _process(home / _FOLDER) as facts:
        trial = Trial(facts=facts, overrides=overrides_of(facts))
        asyncio.run(_introduce(home, trial))
        yield trial


def overrides_of(facts: Facts) -> dict[str, object]:
    """The box's `[destinations.phone]`, as a command line says it."""
    if facts.box is None:
        raise Fatal("the simulated phone was started without a Syncthing for the box")
    settings = {
        "type": "pixel",
        "model": facts.model,
        "url": facts.box.url,
        "key": facts.box.key,
        "device": facts.device_id,
        "backed_up_after_s": 0,  # its line is that fast
        "smallest_side": 0,  # and its Google Photos takes our small pictures
    }
    return {f"destinations.{NAME}.{field}": value for field, value in settings.items()}


def _refuse_without_syncthing() -> None:
    from mediabox.simulate.pixel.syncthing_process import PACKAGE, is_installed

    if not is_installed():
        message = f"the simulated phone runs a real Syncthing, which is not installed: sudo apt install {PACKAGE}"
        raise Permanent(message)


@contextmanager
def _process(folder: Path) -> Iterator[Facts]:
    leash = (sys.executable, "-s", "-P", "-m", "mediabox.simulate.pixel.leash", str(os.getpid()))
    command = (*leash, sys.executable, "-m", "mediabox", "simulate", "pixel", str(folder), "--box", "--json", *_HABITS)
    # In a session of its own, Ctrl-C on the terminal reaches it only through us, when the box has ended.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield _said(process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _said(process: subprocess.Popen[bytes]) -> Facts:
    """Its first line. What kept it from saying one, it has told on standard error."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Fatal("the simulated phone did not come up")
    return msgspec.json.decode(line, type=Facts)


async def _introduce(home: Path, trial: Trial) -> None:
    """What `mediabox pixel pair` does, without a person."""
    config = load(home, overrides=trial.overrides)
    target = pixel_target.phones_of(config)[NAME]
    await pixel.ensure_outbox(target)
    client = await asyncio.to_thread(client_of, target.settings, NAME)
    try:
        await pixel.share(client, target, trial.facts.device_id)
        if not await pairing.wait_for(client, device_id=trial.facts.device_id, timeout_s=_MEET_S):
            message = f"the simulated phone and the box's Syncthing did not meet within {_MEET_S:.0f} s"
            raise Retryable(message)
    finally:
        await client.close()
