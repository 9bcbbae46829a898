"""The Syncthing on this machine: where its REST API is, and the key to it, from its own configuration.

Where it keeps that: `lib/locations/locations.go` of 2.1.3 and of 1.19.2; Debian's and others' packages for the rest.
"""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from defusedxml import ElementTree as Xml
from defusedxml.common import DefusedXmlException

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIG = "config.xml"
MOST_BYTES = 16 << 20  # a configuration of 10,000 folders has 20 MB; ours of a household some 10 kB
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- read here, not listened on
IN_HOME = (".config/syncthing", ".local/state/syncthing")  # before 1.27, and since
OF_A_SYSTEM = ("var/lib/syncthing", "var/lib/syncthing/config", "var/syncthing/config", "etc/syncthing")
UNITS = "etc/systemd/system/multi-user.target.wants"


class SyncthingPlace(NamedTuple):
    """What `Syncthing` is to be opened with."""

    url: str
    key: str
    config: Path


class Search(NamedTuple):
    """What was found, and what could not be used, with the reasons."""

    found: SyncthingPlace | None
    unusable: tuple[str, ...]


def search(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Search:
    """Look in every place; the first usable one counts. `root`: of the file system. Blocking, some milliseconds."""
    unusable: list[str] = []
    for config in dict.fromkeys(folder / CONFIG for folder in _folders(environment, root)):
        try:
            return Search(_read(config), tuple(unusable))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as err:
            unusable.append(f"{config}: {err.strerror or err}")
        except _Unusable as err:
            unusable.append(f"{config}: {err}")
    return Search(None, tuple(unusable))


class _Unusable(Exception):
    """Why a configuration is of no use."""


def _folders(environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    for variable in ("STCONFDIR", "STHOMEDIR"):
        if environment.get(variable):
            yield Path(environment[variable])
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        if environment.get(variable):
            yield Path(environment[variable], "syncthing")
    homes = [Path(environment["HOME"])] if environment.get("HOME") else []
    homes += _homes_of_units(root)
    homes.append(root / "var/lib/syncthing")
    yield from (home / place for home in homes for place in IN_HOME)
    yield from (root / place for place in OF_A_SYSTEM)


def _homes_of_units(root: Path) -> list[Path]:
    """Of the users for whom systemd starts one: `syncthing@pi.service`."""
    names = [path.name[len("syncthing@") : -len(".service")] for path in (root / UNITS).glob("syncthing@*.service")]
    homes = []
    for name in sorted(names):
        try:
            homes.append(Path(pwd.getpwnam(name).pw_dir))
        except KeyError:  # the user is gone, the unit is not
            continue
    return homes


def _read(config: Path) -> SyncthingPlace:
    if config.stat().st_size > MOST_BYTES:
        raise _Unusable("too large to be Syncthing's")
    try:
        gui = Xml.fromstring(config.read_bytes()).find("gui")
    except (Xml.ParseError, DefusedXmlException, ValueError, LookupError) as err:
        raise _Unusable(f"cannot be read as XML ({err})") from err
    if gui is None or gui.get("enabled", "true") != "true":
        raise _Unusable("its page, and with it the REST API, is switched off")
    key = (gui.findtext("apikey") or "").strip()
    if not key:
        raise _Unusable("has no API key")
    return SyncthingPlace(_url(gui.findtext("address") or "", has_tls=gui.get("tls") == "true"), key, config)


def _url(listens: str, *, has_tls: bool) -> str:
    """How to reach what listens there: `0.0.0.0:8384`, `[::1]:8384`, `:8384`, `/run/sock`, `unix:///run/sock`."""
    address = listens.strip()
    if address.startswith(("/", "unix://")):
        return "unix://" + address.removeprefix("unix://")
    match = re.fullmatch(r"(?:https?://)?(?:\[([^\]]*)\]|([^:/\[\]]*)):(\d{1,5})/?", address)
    if match is None or int(match[3]) not in range(1, 65536):
        raise _Unusable(f"its page listens on {listens!r}, which is no address mediabox can ask")
    host = match[1] if match[1] is not None else match[2]
    host = WILDCARDS.get(host, host)
    return f"{'https' if has_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{match[3]}"
