"""Which commands there are. A new one is a file beside this and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core.commands import control, deliveries, erase, release, scan, settings, sign_in
from mediabox.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mediabox.core.commands.contract import Command

COMMANDS: tuple[type[Command[object]], ...] = (
    control.Pause,
    control.Resume,
    control.Retry,
    control.AllowDeletions,
    scan.Scan,
    sign_in.AnswerSignIn,
    sign_in.EndSignIn,
    deliveries.ConfirmDelivered,
    deliveries.Resend,
    deliveries.Withdraw,
    deliveries.CountShown,
    deliveries.ReportDevice,
    release.PlanRelease,
    release.ConfirmRelease,
    release.UndoRelease,
    settings.SetSetting,
    settings.UnsetSetting,
    erase.PlanErase,
    erase.ConfirmErase,
    erase.LiftErasure,
)


class Registry:
    """Commands by name, for surfaces that get words."""

    def __init__(self, commands: Iterable[type[Command[object]]] = COMMANDS) -> None:
        self.by_name = {each.name: each for each in commands}

    def parse(self, name: str, parameters: Mapping[str, object]) -> Command[object]:
        """The command somebody means. Raises Permanent for a name, a parameter or a value there is not."""
        if name not in self.by_name:
            raise Permanent(f"there is no command {name!r}; there are {', '.join(sorted(self.by_name))}")
        try:
            return msgspec.convert(parameters, self.by_name[name])
        except msgspec.ValidationError as err:
            raise Permanent(f"{name}: {err}") from err
