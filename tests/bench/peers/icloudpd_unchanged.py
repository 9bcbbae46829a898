"""icloudpd as published, nothing of it changed, in front of the simulator under Apple's own names.

    unshare --net --mount python icloudpd_unchanged.py ICLOUDPD [WORDS]     as root, `tests` in PYTHONPATH

ICLOUDPD is its program (from PyPI it is one file), WORDS what it is told besides. In a network and mount namespace of
its own Apple's names are in /etc/hosts, and port 443 of two loopback addresses leads to the simulator's servers. It
signs in by SRP with a token of trust; the rules are the strictest. Prints what came and which calls it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.directory import Attempt
from mediabox.simulate.icloud.records import SQUARE
from mediabox.simulate.icloud.simulator import Simulator

APPLE_ID, PASSWORD = "someone@example.com", "correct horse"
PHOTOS = 120
DAY_MS = 86_400_000
APPLE, CONTENT = "127.0.0.1", "127.0.0.2"
NAMES = {
    **dict.fromkeys(("idmsa.apple.com", "setup.icloud.com", "www.icloud.com", "p61-ckdatabasews.icloud.com"), APPLE),
    "cvws.icloud-content.com": CONTENT,
}


def fill(simulator: Simulator) -> None:
    """Photos on two pages, one Live and edited, a film, an album, a shared library, zones that are none."""
    library = simulator.add_account(APPLE_ID, PASSWORD).library
    rome = library.make_album("Rome")
    for number in range(PHOTOS):
        picture = of_bytes(SQUARE.content + b"%d" % number)
        taken_ms, album = 1_600_000_000_000 + number * DAY_MS, rome.name if number % 40 == 0 else None
        library.add(picture, file_name=f"IMG_{number:04}.JPG", taken_ms=taken_ms, album=album)
    live = library.add(of_bytes(SQUARE.content + b"live"), file_name="IMG_0900.HEIC", live=of_bytes(b"clip" * 100))
    library.edit(live.name, of_bytes(SQUARE.content + b"edited"), live=of_bytes(b"edited clip" * 50))
    library.add(of_bytes(b"film" * 500), file_name="IMG_0901.MOV")
    library.add(of_bytes(SQUARE.content + b"ours"), file_name="IMG_0902.JPG", zone=library.start_sharing())
    library.share_an_album()
    library.share_a_link()


def trust(simulator: Simulator, folder: Path) -> None:
    """Leave what an earlier sign-in of it would: a token that spares the code."""
    attempt = Attempt(simulator.account(), None)  # type: ignore[arg-type]
    attempt.is_verified = True
    kept = {"client_id": "auth-simulated", "trust_token": simulator.directory.trust_token(attempt)}
    folder.mkdir()
    (folder / "".join(filter(str.isalnum, APPLE_ID))).with_suffix(".session").write_text(json.dumps(kept))


def name_hosts(folder: Path) -> None:
    subprocess.run(["/usr/sbin/ip", "link", "set", "lo", "up"], check=True)
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for name, address in {"localhost": APPLE, **NAMES}.items()))
    subprocess.run(["/usr/bin/mount", "--bind", str(hosts), "/etc/hosts"], check=True)


def leading_to(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pour(reader, outer), _pour(inner, writer))

    return lead


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(program: str, *words: str) -> int:
    folder = Path(tempfile.mkdtemp())
    name_hosts(folder)
    simulator = Simulator(folder / "simulator", has_apples_names=True)
    fill(simulator)
    trust(simulator, folder / "cookies")
    async with simulator:
        await asyncio.start_server(leading_to(simulator.hosts.port), APPLE, 443)
        await asyncio.start_server(leading_to(simulator.hosts.content_port), CONTENT, 443)
        command = [program, "--username", APPLE_ID, "--password", PASSWORD, "--no-progress-bar", "--log-level", "error"]
        places = ["--directory", str(folder / "photos"), "--cookie-directory", str(folder / "cookies")]
        trusted = os.environ | {"REQUESTS_CA_BUNDLE": str(simulator.certificate_authority)}
        process = await asyncio.create_subprocess_exec(*command, *places, *words, env=trusted)
        code = await process.wait()
        files = [path for path in (folder / "photos").rglob("*") if path.is_file()]
        print(f"exit {code}, {len(files)} files, {dict(simulator.calls)}")
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
