"""From a destination's settings to the Syncthing, the folder and the outbox it means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mediabox.destinations.pixel import local
from mediabox.destinations.pixel.syncthing import Syncthing
from mediabox.durable.outbox import PHOTOS
from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from pathlib import Path

    from mediabox.destinations.pixel.settings import Settings


def client_of(settings: Settings, name: str) -> Syncthing:
    """Opens nothing yet. Where the settings leave it out, from Syncthing's own. Blocking. Raises NeedsHuman."""
    url, key = settings.url, settings.key.reveal() if settings.key else ""
    if not url or not key:
        found = local.search()
        if found.found is None:
            raise _not_found(name, found.unusable)
        url, key = url or found.found.url, key or found.found.key
    return Syncthing(url, key, name=name)


def folder_id_of(settings: Settings, name: str) -> str:
    return settings.folder_id or f"mediabox-{name}"


def outbox_of(settings: Settings, name: str, home: Path) -> Path:
    """Root of the outbox's volume; what the phone sees is a folder in it."""
    return home / os.path.expanduser(settings.outbox or f"outbox/{name}")


def shared_folder_of(settings: Settings, name: str, home: Path) -> Path:
    """The folder of the outbox that Syncthing shares (`contracts.Outbox.folder`)."""
    return outbox_of(settings, name, home) / PHOTOS


def _not_found(name: str, unusable: tuple[str, ...]) -> NeedsHuman:
    looked = f" ({'; '.join(unusable)})" if unusable else ""
    return NeedsHuman(
        f"No Syncthing was found on this box for {name}{looked}",
        issue="destination.syncthing",
        subject=name,
        remedy="Install it (`apt install syncthing`, then `systemctl enable --now syncthing@USER`), or set `url` and "
        f"`key` in [destinations.{name}].",
    )
