"""`mediabox auth icloud`: sign in, with the person at the terminal; `code`: answer the box; `out`: sign out."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.auth_dialogue import Dialogue, Terminal
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import requests
from mediabox.core.commands.sign_in import AnswerSignIn, EndSignIn
from mediabox.core.home import DATABASE, catalogue, running
from mediabox.durable.private import write_private
from mediabox.errors import Permanent
from mediabox.messages.reader import in_words
from mediabox.model.sign_in import ReadAgain, SignOut, step_of
from mediabox.sources.icloud.seal import Seal
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.messages import SignedIn
from mediabox.sources.icloud.sign_in.vault import Vault, account_of
from mediabox.store import issues
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from mediabox.config.load import Config
    from mediabox.model.issue import Issue
    from mediabox.model.sign_in import SignInResult, SignInStep
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
        case "out":
            account = _account(config, arguments.what or arguments.account)
        case _:
            account = _account(config, arguments.account)
    return asyncio.run(answer(home, account, _step(arguments)))


async def sign_in(home: Path, account: Account, terminal: Terminal, *, renews: bool = False) -> int:
    """Sign in here and now, whether a daemon runs or not; a running one looks then. `renews`: with a new code."""
    keeper = keeper_of(home, account)
    try:
        end = await Dialogue(keeper, terminal).run(renews=renews)
    finally:
        await keeper.close()
    if isinstance(end, SignedIn):
        if (home / DATABASE).exists():
            execute(home, AnswerSignIn(source=account.name, step=ReadAgain()))
        return exits.OK
    return exits.TRY_LATER if end is None else exits.NEEDS_PERSON


async def answer(home: Path, account: Account, step: SignInStep) -> int:
    """Have the daemon take the step and wait for what comes of it; without one, take it here."""
    result = await (_by_daemon(home, account, step) if running(home) is not None else _here(home, account, step))
    if result is None:
        print("Given to mediabox; `mediabox status` shows what came of it.")
        return exits.OK
    print("\n  ".join(in_words(each) for each in (result.message, result.remedy) if each))
    if result.is_for_later:
        return exits.TRY_LATER
    is_over = result.is_signed_in or (result.is_done and isinstance(step, SignOut))
    return exits.OK if is_over else exits.NEEDS_PERSON


async def _by_daemon(home: Path, account: Account, step: SignInStep) -> SignInResult | None:
    """None when nothing came of it within OUTCOME_WITHIN_S."""
    name = account.name
    command = EndSignIn(source=name) if isinstance(step, SignOut) else AnswerSignIn(source=name, step=step)
    (number,) = execute(home, command)[0].requests
    for _ in range(int(OUTCOME_WITHIN_S / LOOK_EVERY_S)):
        with catalogue(home) as connection:
            result = requests.result_of(connection, number, now_ms=Clock().wall_ms())
        if result is not None:
            return result
        await asyncio.sleep(LOOK_EVERY_S)
    return None


async def _here(home: Path, account: Account, step: SignInStep) -> SignInResult:
    keeper = keeper_of(home, account)
    try:
        return await keeper.take(step)
    finally:
        await keeper.close()


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


def _step(arguments: argparse.Namespace) -> SignInStep:
    if arguments.action == "out":
        return SignOut()
    given = [arguments.what, arguments.send, "consent" if arguments.consent else None]
    given += ["terms" if arguments.terms else None]
    texts = [text for text in given if text]
    if len(texts) != 1:
        raise Permanent("give one of: the code, --send device, --send sms, --consent, --terms")
    step = step_of(texts[0])
    if step is None:
        raise Permanent(f"{texts[0]!r} is neither a code of digits nor a word mediabox knows")
    return step


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
