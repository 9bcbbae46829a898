"""Sign-in children that say what a test scripted, and remember what they were asked."""

from collections.abc import Sequence

from mediabox.model.issue import Issue
from mediabox.sources.icloud.endpoints import WORLD
from mediabox.sources.icloud.session import DAY_MS, Browser, Cookie, Session
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.messages import Answer, Reply, Request, SignedIn, Start
from mediabox.sources.icloud.sign_in.vault import Account, Kept

ACCOUNT = Account(name="anna", apple_id="anna@example.com", endpoints=WORLD)
NOW_MS = 1_800_000_000_000


def session(*, days: float = 34, now_ms: int = NOW_MS) -> Session:
    cookie = Cookie(
        name="X-APPLE-WEBAUTH-TOKEN", value="t", domain=".icloud.com", expires_at_ms=now_ms + int(days * DAY_MS)
    )
    return Session(
        apple_id=ACCOUNT.apple_id,
        dsid="1",
        browser=Browser(client_id="c", cookies=(cookie,)),
        photos_url="https://p61-ckdatabasews.icloud.com:443",
        upload_url=None,
        country="FRA",
        is_trusted=True,
        signed_in_at_ms=now_ms,
    )


def signed_in(*, days: float = 34, now_ms: int = NOW_MS) -> SignedIn:
    return SignedIn(session=session(days=days, now_ms=now_ms))


class ScriptedChild:
    def __init__(self, apple: "ScriptedApple") -> None:
        self._apple = apple
        self.is_alive = True

    async def ask(self, request: Request) -> Reply:
        assert self.is_alive
        self._apple.asked.append(request)
        answer = self._apple.answers.pop(0)
        if isinstance(answer, Exception):
            self.is_alive = False
            raise answer
        if isinstance(answer, Reply):
            return answer
        used_password = isinstance(request, Start) and request.password is not None
        browser = answer.session.browser if isinstance(answer, SignedIn) else Browser(client_id="c")
        return Reply(answer=answer, browser=browser, used_password=used_password)

    async def close(self) -> None:
        self.is_alive = False


class ScriptedApple:
    """`answers` are given in order; running out of them is a call too many."""

    def __init__(self, answers: Sequence[Answer | Reply | Exception]) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.children: list[ScriptedChild] = []

    async def spawn(self) -> ScriptedChild:
        assert all(not child.is_alive for child in self.children), "one child at a time"
        self.children.append(ScriptedChild(self))
        return self.children[-1]

    @property
    def alive(self) -> int:
        return sum(child.is_alive for child in self.children)


class HandClock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.is_sure = True

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_s(self) -> float:
        return self.now_ms / 1000

    def is_trusted(self) -> bool:
        return self.is_sure

    def advance(self, *, hours: float) -> None:
        self.now_ms += int(hours * 3_600_000)


class MemoryVault:
    """What a sealed file does, without the file."""

    def __init__(self, **fields) -> None:
        self.kept = Kept(apple_id=ACCOUNT.apple_id, home=WORLD.home, **fields)

    def load(self) -> Kept:
        return self.kept

    def save(self, kept: Kept) -> None:
        self.kept = kept

    def is_changed(self) -> bool:
        return False


class Issues:
    """Open issues, by key."""

    def __init__(self) -> None:
        self.open: dict[str, Issue] = {}
        self.history: list[str] = []

    async def open_issue(self, issue: Issue) -> None:
        self.history.append(issue.key)
        self.open[issue.key] = issue

    async def close_issue(self, key: str, subject: str) -> None:
        assert subject == ACCOUNT.name
        self.open.pop(key, None)


class Household:
    """A sign-in with everything around it."""

    def __init__(self, *answers: Answer | Reply | Exception, **kept) -> None:
        self.apple, self.clock, self.issues = ScriptedApple(answers), HandClock(), Issues()
        self.vault = MemoryVault(**kept)
        self.sign_in = self.restarted()

    def restarted(self) -> SignIn:
        self.sign_in = SignIn(
            ACCOUNT,
            vault=self.vault,
            clock=self.clock,
            open_issue=self.issues.open_issue,
            close_issue=self.issues.close_issue,
            child_factory=self.apple.spawn,
        )
        return self.sign_in
