"""`mediabox auth icloud [ACCOUNT]`: sign in, with the person at the terminal. `mediabox auth code`: answer the box."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.auth_dialogue import Dialogue, Terminal, told_words
from mediabox.cli.home import home_of
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import answers
from mediabox.core.home import DATABASE, catalogue, poke, running
from mediabox.durable.private import write_private
from mediabox.errors import Permanent
from mediabox.sources.icloud.seal import Seal
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.messages import RateLimited, SignedIn, Unreachable
from mediabox.sources.icloud.sign_in.vault import Vault, account_of
from mediabox.store import issues
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from mediabox.config.load import Config
    from mediabox.model.issue import Issue
    from mediabox.sources.icloud.sign_in.vault import Account

ICLOUD = "icloud"
OUTCOME_WITHIN_S = 20.0  # Apple's answer to a code takes two or three
LOOK_EVERY_S = 0.25


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home)
    match arguments.action:
        case "icloud":
            account = _account(config, arguments.what or arguments.account)
            terminal = Terminal(password_from_stdin=arguments.password_stdin)
            return asyncio.run(sign_in(home, account, terminal, renews=arguments.renew))
        case _:
            account = _account(config, arguments.account)
            return asyncio.run(answer(home, account, _text(arguments)))


async def sign_in(home: Path, account: Account, terminal: Terminal, *, renews: bool = False) -> int:
    """Sign in here and now, whether a daemon runs or not; a running one is told to look. `renews`: with a new code."""
    keeper = keeper_of(home, account)
    try:
        end = await Dialogue(keeper, terminal).run(renews=renews)
    finally:
        await keeper.close()
    if isinstance(end, SignedIn):
        _tell(home, account, "reload")
        return exits.OK
    return exits.TRY_LATER if end is None else exits.NEEDS_PERSON


async def answer(home: Path, account: Account, text: str) -> int:
    """Hand what the person says to the daemon and wait for what comes of it; without one, do it here."""
    number = _tell(home, account, text) if running(home) is not None else None
    if number is not None:
        return await _outcome(home, account, number)
    keeper = keeper_of(home, account)
    try:
        said = await keeper.told(text)
    finally:
        await keeper.close()
    if said is None:
        raise Permanent(f"{text!r} is neither a code of digits nor a word mediabox knows")
    print(told_words(said, account))
    if isinstance(said, RateLimited | Unreachable):
        return exits.TRY_LATER
    return exits.OK if isinstance(said, SignedIn) else exits.NEEDS_PERSON


async def _outcome(home: Path, account: Account, number: int) -> int:
    """What came of an answer that was given to the daemon, and the exit code."""
    for _ in range(int(OUTCOME_WITHIN_S / LOOK_EVERY_S)):
        with catalogue(home) as connection:
            outcome = answers.outcome_of(connection, account.name, number)
        if outcome is not None:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    else:
        print("Given to mediabox; `mediabox status` shows what came of it.")
        return exits.OK
    if not outcome.message:
        print(f"{account.apple_id} is signed in.")
        return exits.OK
    print("\n  ".join(line for line in (outcome.message, outcome.remedy) if line))
    return exits.TRY_LATER if outcome.is_for_later else exits.NEEDS_PERSON


def keeper_of(home: Path, account: Account) -> SignIn:
    """The account's sign-in with its sealed file in `home`; issues go to the catalogue, if there is one yet."""
    return SignIn(
        account,
        vault=Vault(account, Seal(home, write=write_private)),
        clock=Clock(),
        open_issue=partial(_open_issue, home),
        close_issue=partial(_close_issue, home),
    )


def _account(config: Config, name: str | None) -> Account:
    accounts = {one.name: one for one in config.sources if one.type == ICLOUD}
    if not accounts:
        remedy = '[sources.photos]\ntype = "icloud"\napple_id = "you@example.com"'
        raise Permanent(f"no iCloud account is configured; write into {config.home / 'mediabox.toml'}:\n{remedy}")
    if name is None and len(accounts) == 1:
        name = next(iter(accounts))
    if name not in accounts:
        raise Permanent(f"which account? Configured are: {', '.join(sorted(accounts))}")
    return account_of(name, accounts[name].settings)  # type: ignore[arg-type] # by its type, the source's settings


def _text(arguments: argparse.Namespace) -> str:
    given = [arguments.what, arguments.send, "consent" if arguments.consent else None]
    given += ["terms" if arguments.terms else None]
    texts = [text for text in given if text]
    if len(texts) != 1:
        raise Permanent("give one of: the code, --send device, --send sms, --consent, --terms")
    return str(texts[0])


def _tell(home: Path, account: Account, text: str) -> int | None:
    """Put it where the daemon looks, and poke it. Its number, where one runs."""
    if not (home / DATABASE).exists():
        return None
    with catalogue(home, write=True) as connection, transaction(connection):
        number = answers.answer(connection, account.name, text, now_ms=Clock().wall_ms())
    return number if poke(home) else None


async def _open_issue(home: Path, issue: Issue) -> None:
    await _change(home, lambda connection: issues.open_issue(connection, issue, at_ms=Clock().wall_ms()))


async def _close_issue(home: Path, key: str, subject: str) -> None:
    await _change(home, lambda connection: issues.close_issue(connection, key, subject))


async def _change(home: Path, work: Callable[[sqlite3.Connection], object]) -> None:
    if (home / DATABASE).exists():
        await asyncio.to_thread(_changed, home, work)


def _changed(home: Path, work: Callable[[sqlite3.Connection], object]) -> None:
    with catalogue(home, write=True) as connection, transaction(connection):
        work(connection)
