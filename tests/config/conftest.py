"""A source and its settings, as a real one would bring them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from mediabox.config.fields import AbsolutePath, Secret
from mediabox.config.load import Config, load


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera."""

    trees: Annotated[tuple[AbsolutePath, ...], Meta(min_length=1, title="Folders")]
    password: Annotated[Secret, Meta(title="Password")] = Secret("")
    first: int = 1
    last: int = 9

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("first is after last")


def camera_settings(family: str, type_: str) -> type[msgspec.Struct]:
    if (family, type_) == ("sources", "camera"):
        return CameraSettings
    if type_ == "scanner":
        raise ImportError("No module named 'sane'")
    raise LookupError(type_)


Write = Callable[[str], Path]
Load = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the person's file; gives the home folder."""

    def _write(text: str) -> Path:
        (tmp_path / "mediabox.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return _write


@pytest.fixture
def load_text(write: Write) -> Load:
    """Load a configuration from the text of the person's file."""

    def _load(text: str, **overrides: object) -> Config:
        return load(write(text), member_settings=camera_settings, **overrides)

    return _load


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Run a line in a fresh interpreter; gives what it printed."""

    def _run(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    return _run
