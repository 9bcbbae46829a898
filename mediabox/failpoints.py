"""Named instants at which a power cut would hurt most. Free in production, armed by tests.

A test arms one point with the environment (`MEDIABOX_FAILPOINT=name:hit`): at the
`hit`-th passage the process kills itself with SIGKILL, as a power cut would. With
`name:hit:stop` it stops itself there instead (SIGSTOP), until it is told to go on: a
disk can be pulled at exactly that moment.
`MEDIABOX_FAILPOINT_LOG` names a file that gets each point's name once, so that a
test can tell which were never reached. Names are listed in `POINTS`; an unlisted
name is refused while a test is watching, so the list cannot rot.
"""

import os
import signal

POINTS: frozenset[str] = frozenset(
    {
        "fetch.poured",  # bytes in the spool, not synced
        "fetch.synced",  # bytes durable, no row
        "file.linked",  # final name exists, directory not synced
        "file.directory_synced",  # published, not re-read
        "file.proved",  # re-read, no row
        "file.committed",  # archived, temp still there
        "sidecar.written",  # temp written, not renamed
        "sidecar.renamed",  # renamed, directory not synced
        "volume.enrolled",  # marker written, no row
        "relocate.named",  # the original has its other name too, no row
        "relocate.unnamed",  # the first name is gone, no row
        "journal.before_commit",  # rows written, transaction open
        "journal.committed",  # durable, nobody told
        "remove.proved",  # proof renewed, source's copy still there
        "remove.removed",  # source's copy gone, no row
        "deliver.made",  # made and synced beside the outbox, not published
        "deliver.published",  # in the outbox, no row: the peer may fetch it, and let it go, before there is one
        "deliver.offered",  # the peer's program was told, no row
        "deliver.sighted",  # a destination has shown something, no row
        "release.intended",  # proved and written down, source not told
        "release.sent",  # source told, answer not written down
        "release.confirmed",  # in the source's bin, and known to be
    }
)

_ARMED, _hit, _how = (os.environ.get("MEDIABOX_FAILPOINT", "") + "::").split(":")[:3]
_LOG = os.environ.get("MEDIABOX_FAILPOINT_LOG", "")
_SIGNAL = signal.SIGSTOP if _how == "stop" else signal.SIGKILL
_left = int(_hit or "1")
_seen: set[str] = set()


def fp(name: str) -> None:
    """Pass the point `name`; die or stop here when a test armed it."""
    if _ARMED or _LOG:
        _watched(name)


def _watched(name: str) -> None:
    global _left  # noqa: PLW0603 - one process, one armed point
    if name not in POINTS:
        message = f"failpoint {name!r} is not listed in mediabox.failpoints.POINTS"
        raise LookupError(message)
    if _LOG and name not in _seen:
        _seen.add(name)
        with open(_LOG, "a", encoding="ascii") as log:
            log.write(name + "\n")
    if name == _ARMED:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), _SIGNAL)
