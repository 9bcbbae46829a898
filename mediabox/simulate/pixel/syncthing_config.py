"""A Syncthing's config.xml, made quiet before its first start: it must never call anybody but its peers.

Element names are the same in 1.19 and 2.x (docs.syncthing.net/users/config.html); what a version does not
know it drops.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from defusedxml import ElementTree

if TYPE_CHECKING:
    from pathlib import Path

_QUIET = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "stunKeepaliveStartS": "0",
    "crashReportingEnabled": "false",
    "urAccepted": "-1",
    "autoUpgradeIntervalH": "0",
    "startBrowser": "false",
    "announceLANAddresses": "false",
    "reconnectionIntervalS": "1",  # the other side is on this machine: look again soon
    "progressUpdateIntervalS": "1",
    "setLowPriority": "false",  # it is the tests' counterpart, not a guest
}


def quieten(config: Path, *, gui_port: int, listen_port: int, tls: bool = False) -> str:
    """Loopback only, no discovery, no reports. Returns the API key it is given."""
    tree = ElementTree.parse(config)
    root = tree.getroot()
    key = secrets.token_hex(16)
    gui = _child(root, "gui")
    gui.set("tls", str(tls).lower())
    _set(gui, "address", f"127.0.0.1:{gui_port}")
    _set(gui, "apikey", key)
    options = _child(root, "options")
    for name, value in {**_QUIET, "listenAddress": f"tcp://127.0.0.1:{listen_port}"}.items():
        _set(options, name, value)
    tree.write(config, encoding="unicode")
    return key


def read(config: Path) -> tuple[str, str, str]:
    """GUI address, API key and listen address of a home that was made quiet before."""
    root = ElementTree.parse(config).getroot()
    found = [root.findtext(path) for path in ("gui/address", "gui/apikey", "options/listenAddress")]
    address, key, listen = (text or "" for text in found)
    return f"http://{address}", key, listen


def _child(parent: Element, name: str) -> Element:
    found = parent.find(name)
    return found if found is not None else SubElement(parent, name)


def _set(parent: Element, name: str, value: str) -> None:
    """One element of this name, whatever was there."""
    for spare in parent.findall(name)[1:]:
        parent.remove(spare)
    _child(parent, name).text = value
