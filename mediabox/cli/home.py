"""Which home folder a command is about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def default_home() -> Path:
    """systemd's StateDirectory, else the XDG base directory for data."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mediabox"


def home_of(arguments: argparse.Namespace) -> Path:
    return Path(arguments.home).expanduser().absolute() if arguments.home else default_home()
