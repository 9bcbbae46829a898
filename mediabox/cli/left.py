"""`mediabox left`: every name the folders hold that is not taken in, with the reason. Looks at the folders now."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediabox.assembly import excluded_roots
from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.words import plain
from mediabox.config.load import load
from mediabox.errors import NeedsHuman, Permanent, Retryable
from mediabox.model.layouts import Reason
from mediabox.model.signature import kind_of
from mediabox.sources.folder import Folder, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.config.load import Config
    from mediabox.model.asset import RemoteResource

NEITHER = "neither"  # picture nor video, by its content


def run(arguments: argparse.Namespace) -> int:
    folders = list(_folders(load(home_of(arguments)), arguments.what))
    if not folders:
        raise NeedsHuman(
            f"there is no folder source {arguments.what or ''}".rstrip(),
            issue="config",
            remedy='Name a source of type "folder" from mediabox.toml, or a folder.',
        )
    for folder in folders:
        folder.note = _tell
        asyncio.run(_walk(folder))
    return exits.OK


def _folders(config: Config, what: str | None) -> Iterator[Folder]:
    roots = excluded_roots(config)
    chosen = {one.name: one.settings for one in config.sources if isinstance(one.settings, Settings)}
    if what is not None:
        chosen = {what: chosen[what]} if what in chosen else {}
        if not chosen and Path(what).is_dir():
            chosen = {"folder": Settings(trees=(os.path.abspath(what),), settle_s=0)}
    for name, settings in chosen.items():  # looked at once: nothing is to be watched
        yield Folder(msgspec.structs.replace(settings, watch="poll"), name=name, excluded_roots=roots)


async def _walk(folder: Folder) -> None:
    async for page in folder.pages(None):
        for one in page.undecided:
            if (reason := await _look(folder, one)) is not None:
                _tell(reason, one.remote_id.partition("/")[2])
    await folder.close()


async def _look(folder: Folder, one: RemoteResource) -> str | None:
    """Why a file whose name does not say what it is stays where it is; None when it is taken in."""
    try:
        is_ours = one.size_bytes and kind_of(await folder.peek(one), one.name) is not None
    except (Permanent, Retryable):
        return Reason.UNREADABLE
    return None if is_ours else NEITHER


def _tell(reason: str, path: str) -> None:
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    sys.stdout.write(plain(f"{reason:16}  {name}") + "\n")
