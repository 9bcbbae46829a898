"""Finding the Syncthing of this machine, wherever it keeps its configuration."""

import os
import pwd
from pathlib import Path

import pytest

from destinations.real_syncthing import RealSyncthing
from mediabox.destinations.pixel import local
from mediabox.destinations.pixel.syncthing import Syncthing


def config(address: str = "127.0.0.1:8384", *, key: str = "secret", tls: str = "false", enabled: str = "true") -> str:
    gui = f'<gui enabled="{enabled}" tls="{tls}"><address>{address}</address><apikey>{key}</apikey></gui>'
    return f'<configuration version="36">{gui}</configuration>'


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def search(root: Path, **environment: str) -> local.Search:
    return local.search({"HOME": str(root / "home"), **environment}, root)


@pytest.mark.parametrize(
    "place",
    [
        "home/.config/syncthing",
        "home/.local/state/syncthing",
        "var/lib/syncthing/.config/syncthing",
        "var/lib/syncthing/.local/state/syncthing",
        "var/lib/syncthing",
        "var/syncthing/config",
    ],
)
def test_it_is_found_where_packages_put_it(place: str, tmp_path: Path) -> None:
    path = put(tmp_path / place / "config.xml", config())

    assert search(tmp_path).found == ("http://127.0.0.1:8384", "secret", path)


@pytest.mark.parametrize("variable", ["STHOMEDIR", "STCONFDIR"])
def test_its_own_variables_come_first(variable: str, tmp_path: Path) -> None:
    put(tmp_path / "home/.config/syncthing/config.xml", config(key="other"))
    put(tmp_path / "elsewhere/config.xml", config(key="this"))

    found = search(tmp_path, **{variable: str(tmp_path / "elsewhere")}).found

    assert found is not None
    assert found.key == "this"


@pytest.mark.parametrize("variable", ["XDG_CONFIG_HOME", "XDG_STATE_HOME"])
def test_the_variables_of_the_desktop_count(variable: str, tmp_path: Path) -> None:
    put(tmp_path / "xdg/syncthing/config.xml", config())

    assert search(tmp_path, **{variable: str(tmp_path / "xdg")}).found is not None


def test_the_home_of_a_user_for_whom_systemd_starts_it_is_looked_at(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "etc/systemd/system/multi-user.target.wants/syncthing@pi.service", "")
    put(tmp_path / "etc/systemd/system/multi-user.target.wants/syncthing@gone.service", "")
    put(tmp_path / "of-pi/.config/syncthing/config.xml", config(key="of pi"))
    me = pwd.getpwuid(os.getuid())
    homes = {"pi": str(tmp_path / "of-pi")}
    monkeypatch.setattr(local.pwd, "getpwnam", lambda name: pwd.struct_passwd((*me[:5], homes[name], me[6])))

    found = search(tmp_path).found

    assert found is not None
    assert found.key == "of pi"


@pytest.mark.parametrize(
    ("address", "tls", "url"),
    [
        ("0.0.0.0:8384", "false", "http://127.0.0.1:8384"),
        (":8384", "false", "http://127.0.0.1:8384"),
        ("[::]:8384", "true", "https://[::1]:8384"),
        ("[::1]:9000", "false", "http://[::1]:9000"),
        ("192.168.1.5:8384", "true", "https://192.168.1.5:8384"),
        ("nas.lan:80", "false", "http://nas.lan:80"),
        ("/run/syncthing/gui.sock", "false", "unix:///run/syncthing/gui.sock"),
        ("unix:///run/gui.sock", "false", "unix:///run/gui.sock"),
    ],
)
def test_an_address_it_listens_on_becomes_one_to_ask(address: str, tls: str, url: str, tmp_path: Path) -> None:
    put(tmp_path / "home/.config/syncthing/config.xml", config(address, tls=tls))

    found = search(tmp_path).found

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (config(key=""), "no API key"),
        (config(enabled="false"), "switched off"),
        (config("127.0.0.1:99999"), "no address"),
        (config("127.0.0.1"), "no address"),
        ("<configuration/>", "switched off"),
        ("<configuration", "XML"),
        ("", "XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><configuration>&a;</configuration>', "XML"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_next_place_is_looked_at(text: str, says: str, tmp_path: Path) -> None:
    put(tmp_path / "home/.config/syncthing/config.xml", text)
    alone = search(tmp_path)
    put(tmp_path / "var/lib/syncthing/config.xml", config())
    followed = search(tmp_path)

    assert alone.found is None
    assert says in alone.unusable[0]
    assert followed.found is not None
    assert followed.unusable == alone.unusable


def test_nothing_anywhere_is_nothing_found(tmp_path: Path) -> None:
    assert search(tmp_path) == (None, ())


async def test_what_a_real_one_wrote_leads_to_it(box: RealSyncthing, monkeypatch) -> None:
    monkeypatch.setenv("STHOMEDIR", str(box.home))

    found = local.search().found
    assert found is not None
    client = Syncthing(found.url, found.key, name="anna")

    assert await client.my_id() == box.id
    await client.close()
