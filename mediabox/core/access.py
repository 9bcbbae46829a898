"""Who may give which command: pure, the same for every surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core.commands.contract import Danger
from mediabox.model.actor import ActorKind, Role

if TYPE_CHECKING:
    from mediabox.core.commands.contract import Command
    from mediabox.model.actor import Actor

# Which roles' commands a role may give. An uploader sees nothing, a viewer changes nothing.
_COVERS = {
    Role.ADMIN: set(Role),
    Role.FAMILY: {Role.FAMILY, Role.UPLOADER, Role.VIEWER},
    Role.UPLOADER: {Role.UPLOADER},
    Role.VIEWER: {Role.VIEWER},
}
# What is dangerous is for people who saw what they confirm: chats, keys and brokers can be replayed (I19).
_MAY_ENDANGER = {ActorKind.PERSON, ActorKind.CONSOLE}


def refusal(actor: Actor, command: type[Command[object]]) -> str | None:
    """Why this actor may not give such a command; None when they may."""
    if command.role not in _COVERS[actor.role]:
        return f"`{command.name}` is for {command.role}; {actor.name} is {actor.role}"
    if command.danger is not Danger.NONE and actor.kind not in _MAY_ENDANGER:
        return f"`{command.name}` can do harm: only a person on the page or the command line may give it"
    return None


def may(actor: Actor, command: type[Command[object]]) -> bool:
    return refusal(actor, command) is None
