"""Which sources and destinations exist, and the settings each asks for.

Names come from the folder alone; a module is only imported when the configuration
enables it, so that a box without a camera never pays for the camera's library.
"""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec

import mediabox

# Families whose members a person names in `mediabox.toml`, with their module constant.
FAMILIES: dict[str, str] = {"sources": "SOURCE", "destinations": "DESTINATION"}

MemberSettings = Callable[[str, str], type[msgspec.Struct]]
"""(family, type) -> the `Settings` struct. Raises LookupError when there is no such member."""


def names(family: str) -> tuple[str, ...]:
    """The members of a family, in alphabetical order; a module whose name begins with `_` is private to it."""
    folders = [str(Path(root, family)) for root in mediabox.__path__]
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_")))


def member_class(family: str, type_: str) -> type:
    """Import one member; return the class behind its constant. Raises LookupError when there is none."""
    found: type = getattr(_module(family, type_), FAMILIES[family])
    return found


def settings_of(family: str, type_: str) -> type[msgspec.Struct]:
    """The `Settings` struct beside the member's constant. Raises LookupError when there is no such member."""
    settings: type[msgspec.Struct] = _module(family, type_).Settings
    return settings


def _module(family: str, type_: str) -> ModuleType:
    """Raises LookupError; ImportError whatever it met, for that is the member's own affair."""
    if type_ not in names(family):
        message = f"mediabox.{family} has no {type_!r}"
        raise LookupError(message)
    try:
        return importlib.import_module(f"mediabox.{family}.{type_}")
    except ImportError:
        raise
    except Exception as err:
        raise ImportError(f"{type(err).__name__}: {err}") from err
