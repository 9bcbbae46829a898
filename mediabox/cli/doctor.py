"""`mediabox doctor`: look at everything that has to be right, and say what to do about what is not."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.cli import doctor_phones, exits, left_words
from mediabox.cli.check import Check
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.standing import CLOCK_REMEDY, absence, issue_of
from mediabox.cli.words import bytes_words, count_words, plain
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.config.problems import ConfigInvalid
from mediabox.core import mending, soundness
from mediabox.core.governor import HOME_RESERVE_BYTES
from mediabox.core.home import DATABASE, archive_of, catalogue, poke, running
from mediabox.core.queries.conditions import ConditionReason, archive_conditions, catalogue_conditions
from mediabox.core.surroundings import free_bytes, look_around
from mediabox.core.timeline import REMEDY, timeline
from mediabox.durable.filesystem import filesystem_of, is_network
from mediabox.errors import MediaboxError, NeedsHuman
from mediabox.message import Text
from mediabox.model.issue import Severity
from mediabox.sources.folder.remedies import permission_remedy
from mediabox.store import issues, journal, listings, witness
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterable, Iterator

    from mediabox.config.load import Config
    from mediabox.native.profiles import Profile
    from mediabox.native.wire import Hello

LIBRARIES = ("pillow", "pillow-heif", "pillow-jxl-plugin", "av", "numpy", "pyvips", "pyvips-binary", "msgspec")
UNSET = "it is before 2025: it was never set since the box was switched on"
LOW_FREE_BYTES = 2_000_000_000


MEND = "If that is the archive, its marker was deleted: `mediabox doctor --mend-marker` proves it and writes it anew."


def run(arguments: argparse.Namespace) -> int:
    if arguments.mend_marker:
        return _mend_marker(home_of(arguments))
    checks = list(_checks(home_of(arguments)))
    write_found(checks, _lines(checks), as_json=arguments.json)
    return exits.PROBLEM if any(check.state == "problem" for check in checks) else exits.OK


def _lines(checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        yield from f"{check.state:8} {check.what}: {check.why}".splitlines()
        if check.remedy:
            yield f"         What to do: {check.remedy}"


def _mend_marker(home: Path) -> int:
    config = load(home)
    root = config.path(config.archive.path)
    with catalogue(home, write=True) as connection, transaction(connection):
        found = mending.mend(connection, root, now_ms=Clock().wall_ms())
    poke(home)
    print(plain(f"{root} is the archive: {count_words(found, 'known file')} found there. Its marker is back."))
    return exits.OK


def _is_mendable(config: Config) -> bool:
    try:
        with catalogue(config.home) as connection:
            return mending.is_mendable(connection, config.path(config.archive.path))
    except MediaboxError:  # told of by its own check
        return False


def _checks(home: Path) -> Iterator[Check]:
    yield _system()
    yield _clock(home)
    yield from _home(home)
    try:
        config = load(home)
    except ConfigInvalid as error:
        yield Check(what="configuration", state="problem", why=str(error), remedy=error.remedy)
        return
    yield Check(what="configuration", state="ok", why=count_words(len(config.sources), "source"))
    yield from _archive(config)
    yield from _sources(config)
    yield from doctor_phones.checks(config)
    yield from _catalogue(config)
    yield from _decoders()


def _system() -> Check:
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    why = f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores; {libraries}"
    return Check(what="system", state="ok", why=why)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _clock(home: Path) -> Check:
    """As `release plan` judges it."""
    clock = Clock()
    doubt: Text | None = None if clock.is_trusted() else UNSET
    remedy: Text = CLOCK_REMEDY
    with suppress(MediaboxError), catalogue(home) as connection:
        doubt, remedy = doubt or timeline(connection, clock).doubt(), REMEDY
    if doubt is not None:
        return Check(what="clock", state="warning" if doubt == UNSET else "problem", why=doubt, remedy=remedy)
    why = "kept right by the network" if clock.is_synchronised() else "nothing is known to keep it right: "
    more = "" if clock.is_synchronised() else "waiting times count only while the box runs"
    return Check(what="clock", state="ok", why=why + more)


def _home(home: Path) -> Iterator[Check]:
    pid = running(home)
    state = f"in use by process {pid}" if pid else "not in use"
    if not home.is_dir():
        yield _home_to_be(home)
        return
    filesystem = filesystem_of(home)
    if is_network(filesystem):
        remedy = "Choose a --home on a local disk; the archive may stay on the network."
        yield Check(
            what="home", state="problem", why=f"{home} is on a network file system ({filesystem})", remedy=remedy
        )
    elif not os.access(home, os.W_OK):
        remedy = f"Give the user of mediabox the folder: sudo chown -R $(id -un) {home}"
        yield Check(what="home", state="problem", why=f"{home} cannot be written", remedy=remedy)
    elif (free := free_bytes(home)) is not None and free < HOME_RESERVE_BYTES:
        why = f"only {bytes_words(free)} are free on the disk of {home}: the catalogue needs room"
        yield Check(what="home", state="problem", why=why, remedy="Free space on that disk.")
    else:
        yield Check(what="home", state="ok", why=f"{home} ({filesystem}), {state}")


def _home_to_be(home: Path) -> Check:
    nearest = next(parent for parent in home.parents if parent.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        return Check(what="home", state="warning", why=f"{home} does not exist yet; `mediabox run` makes it")
    remedy = f"Make it and give it to the user of mediabox, or name another --home: sudo install -d -o $(id -un) {home}"
    why = f"{home} does not exist and {nearest} cannot be written"
    return Check(what="home", state="problem", why=why, remedy=remedy)


def _archive(config: Config) -> Iterator[Check]:
    root = config.path(config.archive.path)
    if not root.is_dir():
        known = (config.home / DATABASE).exists()
        remedy = (
            "Plug the disk in or mount it." if known else "It is made at the first run if its parent folder exists."
        )
        yield Check(what="archive", state="problem" if known else "warning", why=f"{root} is not there", remedy=remedy)
        return
    free = free_bytes(root)
    if (why := _absence(config)) is not None:
        remedy = MEND if _is_mendable(config) else "Mount the archive's disk there."
        yield Check(what="archive", state="problem", why=why, remedy=remedy)
    elif not os.access(root, os.W_OK):
        yield Check(what="archive", state="problem", why=f"{root} is read-only", remedy="Check the disk and its mount.")
    elif free is not None and free < LOW_FREE_BYTES:
        remedy = "Free space or move the archive to a larger disk."
        yield Check(what="archive", state="warning", why=f"only {bytes_words(free)} are free on {root}", remedy=remedy)
    else:
        yield Check(what="archive", state="ok", why=f"{root} ({filesystem_of(root)}), {bytes_words(free or 0)} free")


def _absence(config: Config) -> Text | None:
    with suppress(MediaboxError), catalogue(config.home) as connection:  # an error has a check of its own
        return next(map(absence, archive_conditions(connection, look_around(config.home, Clock()))), None)
    return None


def _sources(config: Config) -> Iterator[Check]:
    for source in config.sources:
        for tree in getattr(source.settings, "trees", ()):
            what = f"source {source.name}"
            if not Path(tree).is_dir():
                yield Check(
                    what=what, state="warning", why=f"{tree} is not there", remedy="Mount it, or correct `trees`."
                )
            elif not os.access(tree, os.R_OK | os.X_OK):
                yield Check(
                    what=what, state="problem", why=f"{tree} cannot be read", remedy=permission_remedy(str(tree))
                )
            else:
                yield Check(what=what, state="ok", why=f"{tree}")


def _catalogue(config: Config) -> Iterator[Check]:
    home, path = config.home, config.home / DATABASE
    if not path.exists():
        if (archive := archive_of(home)) is not None:
            why = f"there is none in {home}, but there is an archive at {archive}"
            yield Check(what="catalogue", state="problem", why=why, remedy="Run `mediabox rebuild`, or bring it back.")
        return
    remedy = f"Stop mediabox, keep {path} aside and run `mediabox rebuild`; the archive holds everything needed."
    try:
        with catalogue(home) as connection:
            met = listings.surveys(connection)
            damage, heads = soundness.damage_of(connection), soundness.heads_of(home, config.path(config.archive.path))
            unproved = None if damage else _unproved(connection, heads, is_needed=config.release.enabled)
            is_unsigned = journal.is_unsigned(connection)
            around = look_around(home, Clock())
            open_now = [*issues.open_issues(connection)]
            open_now += [
                issue_of(one, at_ms=around.at_ms)
                for one in catalogue_conditions(connection, around)
                if one.reason is not ConditionReason.UNPROVED
            ]
    except MediaboxError as error:
        yield Check(what="catalogue", state="problem", why=str(error), remedy=remedy)
        return
    if damage is not None:
        yield Check(what="catalogue", state="problem", why=damage, remedy=remedy)
    elif unproved is not None:
        state = "warning" if is_unsigned else "problem"
        yield Check(what="catalogue", state=state, why=str(unproved), remedy=unproved.remedy)
    else:
        yield Check(what="catalogue", state="ok", why=f"{path}, {bytes_words(path.stat().st_size)}, journal unbroken")
    for name, survey in met.items():
        yield from left_words.checks(name, survey)
    for issue in open_now:
        state = "warning" if issue.severity is Severity.NOTICE else "problem"
        yield Check(what=f"issue {issue.key}", state=state, why=issue.message, remedy=issue.remedy)


def _unproved(connection: sqlite3.Connection, heads: tuple[Path, ...], *, is_needed: bool) -> NeedsHuman | None:
    """Why the journal is not the one this box wrote. Rows from before it signed any matter to releases alone."""
    if is_needed:
        return soundness.unsoundness(connection, *heads, is_answer=True)
    reason = witness.unwitnessed(connection, *heads)
    return soundness.unsound(reason) if reason is not None else None


def _decoders() -> Iterator[Check]:
    """Start each child and ask what holds it in."""
    from mediabox.native.profiles import Profile

    for profile in Profile:
        what = f"{profile} decoder"
        try:
            hello = asyncio.run(_greet(profile))
        except NeedsHuman as error:
            yield Check(what=what, state="problem", why=str(error), remedy=error.remedy)
        except MediaboxError as error:
            remedy = "Free memory, or start the box anew, and ask again."
            yield Check(what=what, state="problem", why=str(error), remedy=remedy)
        else:
            layers = [name.replace("_", " ") for name in hello.layers.__struct_fields__ if getattr(hello.layers, name)]
            yield Check(what=what, state="ok", why=f"confined by {', '.join(layers)}")


async def _greet(profile: Profile) -> Hello:
    from mediabox.native.worker import MediaWorkers

    workers = MediaWorkers(1)
    try:
        return await workers.greet(profile)
    finally:
        await workers.close()
