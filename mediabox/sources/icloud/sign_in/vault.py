"""What the box keeps of one account between two starts: one sealed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import NeedsHuman
from mediabox.message import Text
from mediabox.sources.icloud.endpoints import Endpoints, endpoints
from mediabox.sources.icloud.session import Browser, Session

if TYPE_CHECKING:
    from pathlib import Path

    from mediabox.sources.icloud.seal import Seal
    from mediabox.sources.icloud.settings import Settings


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose photos: the source's name, and where to sign in."""

    name: str
    apple_id: str
    endpoints: Endpoints


def account_of(name: str, settings: Settings) -> Account:
    """The account a source's settings mean."""
    return Account(name=name, apple_id=settings.apple_id, endpoints=endpoints(settings.region, hosts=settings.hosts))


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to do. Kept, so that a restart does not ask Apple once more to learn it again."""

    issue: str
    message: Text
    remedy: Text
    recheck_at_ms: int | None = None  # when we look by ourselves whether it is done; None: a person tells us

    def error(self, account: str) -> NeedsHuman:
        return NeedsHuman(self.message, issue=self.issue, subject=account, remedy=self.remedy)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Times in Unix ms."""

    apple_id: str
    home: str  # the page's origin: a session of another region is of no use
    password: str | None = None
    browser: Browser | None = None
    session: Session | None = None
    need: Need | None = None
    not_before_ms: int = 0  # Apple asked for quiet until then
    password_tried_at_ms: int = 0  # the last SRP sign-in we did by ourselves
    trusted_at_ms: int | None = None  # the last code: Apple's trust in this browser counts from there
    foretold_days: int | None = None  # which warning of the coming end has been dealt with

    def __repr__(self) -> str:
        return f"Kept(session={self.session!r}, need={self.need.issue if self.need else None})"


class Vault:
    """Reads and writes an account's sealed file. Blocking."""

    def __init__(self, account: Account, seal: Seal) -> None:
        self._account = account
        self._seal = seal
        self._stamp: tuple[int, int] | None = None

    @property
    def path(self) -> Path:
        return self._seal.folder / f"icloud-{self._account.name}.sealed"

    def load(self) -> Kept:
        """What is kept; of another Apple ID nothing, of another region the password. Raises NeedsHuman: unreadable."""
        self._stamp = self._stamp_now()
        empty = Kept(apple_id=self._account.apple_id, home=self._account.endpoints.home)
        content = self._seal.read(self.path, account=self._account.name)
        if content is None:
            return empty
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except msgspec.DecodeError:  # sealed by another version: as good as signed out
            return empty
        if kept.apple_id != empty.apple_id:
            return empty
        return kept if kept.home == empty.home else msgspec.structs.replace(empty, password=kept.password)

    def save(self, kept: Kept) -> None:
        """Replace the file. Raises NeedsHuman, OSError."""
        self._seal.write(self.path, msgspec.json.encode(kept), account=self._account.name)
        self._stamp = self._stamp_now()

    def is_changed(self) -> bool:
        """Whether another process has written the file since we read or wrote it."""
        return self._stamp_now() != self._stamp

    def _stamp_now(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns
