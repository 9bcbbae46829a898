"""The daemon's part of a release in a process of its own, to be killed: `python -m whole.releasing ROOT`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec
from core.release_world import EASY, World, signer
from patience import PATIENCE_S
from sources.icloud.signed_in import EAGER, session_of

from mediabox.clock import Clock
from mediabox.core.bus import Bus
from mediabox.core.issues import IssueBook
from mediabox.core.parts import Parts
from mediabox.core.release import Releases
from mediabox.durable.volume import Volume
from mediabox.model.sign_in import SignInResult, SignInStep
from mediabox.sources.icloud import ICloud, Settings
from mediabox.sources.icloud.budget import Budget
from mediabox.sources.icloud.endpoints import Hosts
from mediabox.sources.icloud.session import Cookie, Session
from mediabox.store.database import Database
from whole.box import OURS

ERRAND = "errand.json"


class Errand(msgspec.Struct, frozen=True):
    """What the process has to know of the iCloud that its parent simulates."""

    home: str
    authority: str
    session: Session


class KeptSession:
    """Obeys `connection.Keeper`: signed in from the start."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def session(self) -> Session:
        return self._session

    def expired(self, session: Session) -> None:
        raise AssertionError("the simulator keeps its sessions")

    def renewed(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        """Not written down: it keeps the session it has."""

    async def seal(self) -> None:
        """Nothing was renewed."""

    async def take(self, step: SignInStep) -> SignInResult:
        """Nobody asks this one anything."""
        return SignInResult(is_done=True)

    async def close(self) -> None:
        """Nothing is under way."""


async def look_in_child(world: World, *, env: dict[str, str] | None = None, kill_after_s: float | None = None) -> int:
    """One look of a daemon that is started for it. Its exit code; -9 when it was killed."""
    errand = Errand(
        home=world.icloud.hosts.home,
        authority=str(world.icloud.certificate_authority),
        session=session_of(world.icloud, world.icloud.account()),
    )
    (world.root / ERRAND).write_bytes(msgspec.json.encode(errand))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "whole.releasing", str(world.root), env=os.environ | OURS | (env or {})
    )
    if kill_after_s is not None:
        await asyncio.sleep(kill_after_s)
        if process.returncode is None:
            process.kill()
    return await asyncio.wait_for(process.wait(), PATIENCE_S)


async def main(root: Path) -> None:
    errand = msgspec.json.decode((root / ERRAND).read_bytes(), type=Errand)
    hosts = Hosts(auth=errand.home, setup=errand.home, home=errand.home, ca_file=errand.authority)
    clock = Clock()
    source = ICloud(
        Settings(apple_id="someone@example.com", hosts=hosts, release=True),
        name="cloud",
        keeper=KeptSession(errand.session),
        budget=Budget(clock=clock, limits=EAGER),
        clock=clock,
    )
    volume = Volume.enroll(root / "archive", now_ms=1, name="archive", reserve_percent=0)
    async with Database(root / "mediabox.db") as database:
        issues = IssueBook(database, Bus(), clock)
        service = Releases(
            database=database,
            sources={"cloud": source},
            volumes={volume.identity.uuid: volume},
            signer=signer(),
            settings=EASY,
            parts=Parts(clock, issues),
            issues=issues,
            clock=clock,
        )
        await service.look()
    await source.close()
    volume.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
