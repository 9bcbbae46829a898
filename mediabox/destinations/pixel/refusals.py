"""What an answer of Syncthing other than the one hoped for means, in one place.

Words Syncthing uses, seen in 1.19.2 and read in 2.1.3: 404 `no such folder`, `folder is
paused`, `folder is not running`, `No such object in the index`; 403 `Forbidden`, `CSRF
Error` or `Not Authorized` for a wrong key, `Host check error` for an address it does not
know itself by; 500 with the reason in plain text, for a scan one of the first three or `folder marker missing (...)`.
"""

from __future__ import annotations

from typing import Protocol

from mediabox.errors import Away, NeedsHuman, Permanent, Retryable

ABSENT = (
    "See that Syncthing runs (`systemctl status syncthing@NAME`, or its page) and that `url` in the configuration "
    "names its address. Nothing is lost; the deliveries go on when it answers."
)
KEY = (
    "Copy the API key from Syncthing's page (Actions, Settings, General) into `key` of this destination, "
    "or leave it out where Syncthing's configuration can be read on this box."
)
HOST = (
    "Syncthing does not know itself by that name: write its address with numbers into `url`, or set its GUI listen "
    "address to that name."
)
STRANGER = (
    "What answers there is no Syncthing, or something stands in between: open that address in a browser, then "
    "correct `url` of this destination."
)
CERTIFICATE = (
    "Its certificate is not one this box trusts: use Syncthing on this box, or give it a certificate the system "
    "trusts, or reach it through an SSH tunnel to 127.0.0.1."
)
PAIR = "Run `mediabox pixel pair {name}`: it sets the folder up again, or says what stands against it."
RESUME = "Resume the folder on Syncthing's page."
MOUNT = "Mount the disk of the outbox. Never make the marker by hand: an empty folder would count as all deleted."
SOON = "It comes by itself once Syncthing is ready; if not, its log says why."


class Asked(Protocol):
    """Whom we asked."""

    name: str  # of the destination
    shown: str  # the address


def check(asked: Asked, path: str, status: int, content: bytes) -> None:
    """Return if the answer is a good one. Raises Away, NeedsHuman, Retryable, Permanent."""
    if 200 <= status < 300:
        return
    words = " ".join(content[:300].decode(errors="replace").split())
    told = f"Syncthing at {asked.shown} answered {status} to {path}: {words or 'nothing'}"
    if "<html" in words.lower() or 300 <= status < 400:
        raise stranger(asked, path, f"{status} with {'a page' if '<' in words else words or 'a redirect'}")
    if status in (401, 403):
        raise _key_refused(asked, told)
    if "no such folder" in words:
        raise _person(asked, told, "destination.folder", PAIR.format(name=asked.name))
    if "folder is paused" in words:
        raise _person(asked, told, "destination.paused", RESUME)
    if "folder marker missing" in words or "folder path missing" in words:
        raise Away(told, part=f"destination:{asked.name}", remedy=MOUNT)
    if "not running" in words:
        raise Away(told, part=f"destination:{asked.name}", remedy=SOON)
    if status == 404:
        raise _person(asked, told, "destination.folder", PAIR.format(name=asked.name))
    if status >= 500 or status == 429:  # RFC 9110 section 15.6, RFC 6585 section 4
        raise Retryable(f"{told}. It is asked again; if it stays so, see Syncthing's log")
    raise Permanent(f"{told}. Please report this: mediabox asked for something Syncthing does not know")


def away(asked: Asked, path: str, err: BaseException, *, within_s: float) -> Away:
    """Nobody answered."""
    reason = f"no answer within {within_s:.0f} s" if isinstance(err, TimeoutError) else str(err) or type(err).__name__
    told = f"Syncthing at {asked.shown} cannot be reached for {path} ({reason})"
    return Away(told, part=f"destination:{asked.name}", remedy=ABSENT)


def stranger(asked: Asked, path: str, what: str) -> NeedsHuman:
    """Somebody else answered."""
    return _person(
        asked, f"{asked.shown} does not answer {path} as Syncthing does ({what})", "destination.url", STRANGER
    )


def distrusted(asked: Asked, why: str) -> NeedsHuman:
    return _person(asked, f"the certificate of {asked.shown} is refused ({why})", "destination.url", CERTIFICATE)


def unusable(asked: Asked, what: str, *, issue: str) -> NeedsHuman:
    """What is configured cannot be used at all."""
    remedy = KEY if issue == "destination.key" else STRANGER
    return _person(asked, f"{asked.shown} cannot be asked: {what}", issue, remedy)


def _key_refused(asked: Asked, told: str) -> NeedsHuman:
    return _person(asked, told, "destination.key", HOST if "host check" in told.lower() else KEY)


def _person(asked: Asked, told: str, issue: str, remedy: str) -> NeedsHuman:
    return NeedsHuman(told, issue=issue, subject=asked.name, remedy=remedy)
