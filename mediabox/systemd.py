"""Tell systemd how we are (sd_notify(3)). Without systemd every call does nothing."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from mediabox.log import get_logger
from mediabox.waiting import ends_within

log = get_logger(__name__)


def ready() -> None:
    """Start-up is over. May be said again."""
    _notify("READY=1")


def status(text: str) -> None:
    """One line for `systemctl status`."""
    _notify(f"STATUS={' '.join(text.split())}")  # a line break would begin another assignment


def stopping() -> None:
    _notify("STOPPING=1")


def watchdog_period_s() -> float | None:
    """Seconds within which systemd wants to hear from us; None when it does not (sd_watchdog_enabled(3))."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # meant for the process that started us
    try:
        period_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return None
    return period_s if period_s > 0 else None


async def _loop_turns() -> None:
    await asyncio.sleep(0)


async def watchdog(proof: Callable[[], Awaitable[object]] = _loop_turns) -> None:
    """Tell systemd twice in each period that we are alive; return at once when it does not ask.

    Only after `proof` returned: pass what touches whatever must not hang. As long as it
    does not return, or raises, systemd hears nothing, and restarts us.
    """
    period_s = watchdog_period_s()
    if period_s is None:
        return
    while True:
        if await ends_within(proof(), period_s / 2):
            _notify("WATCHDOG=1")
        else:
            log.error("watchdog_withheld", period_s=period_s)
        await asyncio.sleep(period_s / 2)


def _notify(state: str) -> None:
    if os.environ.get("NOTIFY_SOCKET"):
        import sdnotify  # needed under systemd alone

        # sdnotify 0.3.2 encodes as Latin-1 and drops, without a word, what that cannot hold (an ellipsis, a name).
        sdnotify.SystemdNotifier().notify(state.encode("utf-8", "replace").decode("latin-1"))
