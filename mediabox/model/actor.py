"""Who does something: a person at a surface, a program with a key, the box itself."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What an actor may do at most; `core.access` has the table."""

    ADMIN = "admin"
    FAMILY = "family"
    UPLOADER = "uploader"
    VIEWER = "viewer"


class ActorKind(StrEnum):
    """Through what an actor is known. Stored, as the first half of the journal's `actor`."""

    PERSON = "person"  # an account of the page
    KEY = "key"  # a program, by its API key
    CONSOLE = "console"  # whoever may write to the home folder, by login name
    CHAT = "chat"
    BROKER = "broker"  # MQTT
    SYSTEM = "system"  # the box itself


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    kind: ActorKind
    name: str
    role: Role

    def __str__(self) -> str:
        """As the journal has it: `console:anna`."""
        return f"{self.kind}:{self.name}"


SYSTEM = Actor(kind=ActorKind.SYSTEM, name="mediabox", role=Role.ADMIN)
