"""Pull an account over a slow line, against icloudpd; then look again when nothing is new.

Whole processes on the same simulated iCloud: 80 ms to the first byte, 5 MB/s for each connection. Ours archives,
proves and examines every picture, icloudpd writes it. Both begin signed in.

icloudpd on PyPI is one sealed program with Apple's addresses inside, so its sources are wanted in `.bench/icloudpd`
and what they need in `.bench/venv-icloudpd` (tests/bench/setup does both). Without them ours is measured alone.
"""

import json
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ground
import measure
import msgspec
from icloud_server import TESTS, Served, served
from table import Row

from mediabox.durable.private import write_private
from mediabox.sources.icloud import Settings
from mediabox.sources.icloud.endpoints import Hosts
from mediabox.sources.icloud.seal import Seal
from mediabox.sources.icloud.sign_in.vault import Kept, Vault, account_of

ASSETS = int(os.environ.get("BENCH_ICLOUD_ASSETS", "80"))
STILL_BYTES = 3_000_000
LISTED = int(
    os.environ.get("BENCH_ICLOUD_LISTED", "10000")
)  # of an account that is looked at again: icloudpd lists it all
LISTED_BYTES = 4_000
LINE = (0.08, 5_000_000)
BARS = {4: 2.5, 8: 5.0}
FASTER_AGAIN = 10.0
SOURCES = ground.BENCH / "icloudpd" / "src"
PEER_PYTHON = ground.BENCH / "venv-icloudpd" / "bin" / "python"
WANTED = (
    "no icloudpd to compare with: put github.com/icloud-photos-downloader/icloud_photos_downloader into "
    ".bench/icloudpd and its dependencies into .bench/venv-icloudpd (tests/bench/setup does both)"
)


def run() -> list[Row]:
    if not _has_peer():
        sys.stderr.write(WANTED + "\n")
    over_line = _on_server("pull", ASSETS, STILL_BYTES, *LINE)
    return [*over_line, *_on_server("again", LISTED, LISTED_BYTES), *_listing(), *_download()]


def _on_server(what: str, assets: int, still_bytes: int, *line: float) -> list[Row]:
    """Measure in a process of its own: what is measured must not count the server, nor end it."""
    ground.RUNS.mkdir(parents=True, exist_ok=True)
    with served(assets, still_bytes, 1000, 0, *line) as place:
        (ground.RUNS / "place.json").write_bytes(msgspec.json.encode(place))
        done = subprocess.run([sys.executable, __file__, what, str(assets)], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Row])


def pull(place: Served, assets: int) -> list[Row]:
    """Everything the first time, with 4 and with 8 streams."""
    us = {streams: _box(place, assets, streams) for streams in BARS}
    commands = [*us.values(), *_peer(assets)]
    seen = measure.paired(commands, ground.PAIRS)
    per_minute = [
        Row(
            what=f"{assets} pictures of 3 MB, {command.name}, pictures a minute",
            unit="",
            ours=60_000 / measure.summarise(command, measures).wall_ms_per_item,
        )
        for command, measures in zip(commands, seen, strict=True)
    ]
    compared = [
        row
        for command, measures, least in zip(us.values(), seen, BARS.values(), strict=False)
        for row in _against(command.name, [command, *commands[len(us) :]], [measures, *seen[len(us) :]], least)
    ]
    return per_minute + compared


def again(place: Served, assets: int) -> list[Row]:
    """Once more with nothing new, over the same line as the pull; what there is came without waiting for it."""
    commands = [_box(place, assets, 4), *_peer(assets)]
    measure.paired(commands, 1)
    _set_line(place)
    commands = [msgspec.structs.replace(command, before=None) for command in commands]
    return _against(f"{assets:,} photos, nothing new", commands, measure.paired(commands, ground.PAIRS), FASTER_AGAIN)


def _set_line(place: Served) -> None:
    line = msgspec.json.encode(dict(zip(("first_byte_s", "bytes_per_s"), LINE, strict=True)))
    trusted = ssl.create_default_context(cafile=place.ca_file)
    with urllib.request.urlopen(f"{place.home}/_simulator/line", data=line, context=trusted) as answer:
        answer.read()


def _against(what: str, commands: list[measure.Command], seen: list[list[measure.Measure]], least: float) -> list[Row]:
    if len(commands) == 1:
        mine = measure.summarise(commands[0], seen[0])
        time, cpu = mine.wall_ms_per_item, mine.cpu_ms_per_item
        return [
            Row(what=f"{what}, time a file", unit="ms", ours=time, note=WANTED),
            Row(what=f"{what}, CPU a file", unit="ms", ours=cpu, note=WANTED),
        ]
    us, them = commands
    return ground.against(what, (us, them), (seen[0], seen[1]), ground.Bars(wall=least))


def _box(place: Served, assets: int, streams: int) -> measure.Command:
    """The installed command, with a session as signing in leaves it."""
    home = ground.RUNS / f"home-{streams}"
    hosts = Hosts(auth=place.home, setup=place.home, home=place.home, ca_file=place.ca_file)
    account = account_of("cloud", Settings(apple_id=place.session.apple_id, hosts=hosts))

    def before() -> None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "mediabox.toml").write_text(
            f'[archive]\npath = "{home}/archive"\n'
            f'[sources.cloud]\ntype = "icloud"\napple_id = "{account.apple_id}"\nstreams = {streams}\n'
            f'[sources.cloud.hosts]\nauth = "{place.home}"\nsetup = "{place.home}"\nhome = "{place.home}"\n'
            f'ca_file = "{place.ca_file}"\n'
        )
        vault = Vault(account, Seal(home, write=write_private))
        vault.save(
            Kept(apple_id=account.apple_id, home=place.home, browser=place.session.browser, session=place.session)
        )

    argv = (str(ground.MEDIABOX), "run", "--once", "--home", str(home))
    name = f"mediabox with {streams} streams"
    return measure.Command(name=name, argv=argv, items=assets, before=before, after=_counted(home / "archive", assets))


def _peer(assets: int) -> list[measure.Command]:
    if not _has_peer():
        return []
    out = ground.RUNS / "peer"
    argv = (PEER_PYTHON, ground.PEERS / "icloudpd.py", SOURCES, ground.RUNS / "place.json", out)
    command = ground.peer("icloudpd", argv, out, items=assets)
    return [msgspec.structs.replace(command, after=_counted(out / "photos", assets))]


def _counted(folder: Path, assets: int) -> Callable[[], None]:
    """Whoever was fast because a picture is missing has not been fast."""

    def after() -> None:
        found = sum(1 for path in folder.rglob("*.[Jj][Pp][Gg]") if path.is_file() and ".mediabox" not in path.parts)
        if found != assets:
            raise RuntimeError(f"{found} of {assets} pictures are in {folder}")

    return after


def _has_peer() -> bool:
    return SOURCES.is_dir() and PEER_PYTHON.exists()


def _lines(script: str, *given: str) -> dict[str, dict[str, Any]]:
    argv = [sys.executable, str(ground.HERE / script), *given]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, env=os.environ | {"PYTHONPATH": str(TESTS)})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["what"]: line for line in lines}


def _listing() -> list[Row]:
    found = _lines("icloud_listing.py")
    first, later = found["first listing"], found["no change"]
    extra_mib = first["most_mib"] - first["idle_mib"]
    return [
        Row(what=f"first listing of {first['assets']:,}, CPU", unit="s", ours=first["cpu_s"], most=60),
        Row(what="first listing, memory above idle", unit="MiB", ours=extra_mib, most=64),
        Row(what="no change, calls", unit="", ours=later["calls"], most=3),
        Row(what="no change, CPU", unit="s", ours=later["cpu_s"], most=1),
    ]


def _download() -> list[Row]:
    overhead, large = (_lines("icloud_download.py", what)[what] for what in ("overhead", "large"))
    what = "download, CPU above plain aiohttp with hash and fsync"
    return [
        Row(what=what, unit="%", ours=overhead["overhead_percent"], most=15),
        Row(what=f"one film of {large['gigabytes']} GB, extra memory", unit="MiB", ours=large["extra_mib"], most=32),
    ]


if __name__ == "__main__":
    at = msgspec.json.decode((ground.RUNS / "place.json").read_bytes(), type=Served)
    rows = {"pull": pull, "again": again}[sys.argv[1]](at, int(sys.argv[2]))
    print(msgspec.json.encode(rows).decode())
