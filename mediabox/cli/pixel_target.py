"""The phones that are configured, and what can be found out of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediabox.config.load import load
from mediabox.destinations.pixel.folder import FolderState
from mediabox.destinations.pixel.link import folder_id_of, outbox_of, shared_folder_of
from mediabox.destinations.pixel.settings import Settings
from mediabox.errors import Permanent
from mediabox.model.delivery import Counted

if TYPE_CHECKING:
    from mediabox.config.load import Config
    from mediabox.core.delivering.rounds import Rounds

EXAMPLE = '[destinations.anna]\ntype = "pixel"'


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One phone as it is configured."""

    name: str
    settings: Settings
    folder_id: str
    outbox: Path  # root of the outbox's volume
    shared: Path  # the folder in it that the phone fetches from
    archive: Path
    home: Path


class PhoneReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one phone stands, as far as could be found out."""

    name: str
    folder_id: str
    outbox: str
    url: str = ""
    version: str = ""
    folder: FolderState | None = None
    counted: Counted | None = None
    rounds: Rounds | None = None
    account: str = ""
    photos_of: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        return self.folder is not None and self.folder.is_sound


def destination_settings(home: Path, name: str | None) -> Target:
    """The phone of that name; without one, the only phone there is. Raises Permanent, ConfigInvalid."""
    targets = phones_of(load(home))
    if not targets:
        raise Permanent(f"no phone is configured; write into {home / 'mediabox.toml'}:\n{EXAMPLE}")
    if name is None and len(targets) == 1:
        return next(iter(targets.values()))
    if name not in targets:
        raise Permanent(f"which phone? Configured are: {', '.join(sorted(targets))}")
    return targets[name]


def phones_of(config: Config) -> dict[str, Target]:
    """By name."""
    return {
        one.name: _target(config, one.name, one.settings)
        for one in config.destinations
        if isinstance(one.settings, Settings)
    }


def _target(config: Config, name: str, settings: Settings) -> Target:
    return Target(
        name=name,
        settings=settings,
        folder_id=folder_id_of(settings, name),
        outbox=outbox_of(settings, name, config.home),
        shared=shared_folder_of(settings, name, config.home),
        archive=config.path(config.archive.path),
        home=config.home,
    )
