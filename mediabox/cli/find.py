"""`mediabox find`: photos and videos by what is known of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.exits import WrongUsage
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.core.home import catalogue
from mediabox.core.queries.find import FoundAsset, FoundPage, find_assets
from mediabox.model.query import QueryInvalid
from mediabox.search.fields import ALIASES, FIELDS
from mediabox.search.values import expected_words
from mediabox.store.asset_index import IndexDamaged
from mediabox.store.transaction import make_index_anew

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterator


_ONE_FIELD = re.compile(r"""((?:NOT\s+)?[^\W\d_]+(?:<=|>=|[:=<>]))([^"():=<>]*\s[^"():=<>]*)""")


def run(arguments: argparse.Namespace) -> int:
    if arguments.fields:
        write_found(tuple(FIELDS.values()), _field_lines(), as_json=arguments.json)
        return exits.OK
    query, home = " ".join(map(_quoted_again, arguments.query)), home_of(arguments)
    try:
        with catalogue(home) as connection:
            found = _find(connection, query, arguments)
    except IndexDamaged as damage:
        with catalogue(home, write=True) as connection:
            make_index_anew(connection, damage)
            found = _find(connection, query, arguments)
    write_found(found, _lines(found), as_json=arguments.json)
    return exits.OK if found.assets else exits.PROBLEM


def _quoted_again(word: str) -> str:
    """The shell takes the quotes off `camera:"iPhone 15"`: one field alone in an argument has all that follows."""
    found = _ONE_FIELD.fullmatch(word)
    return f'{found[1]}"{found[2]}"' if found else word


def _find(connection: sqlite3.Connection, query: str, arguments: argparse.Namespace) -> FoundPage:
    try:
        return find_assets(connection, query, today=Clock().local_day(), after=arguments.after, limit=arguments.limit)
    except QueryInvalid as error:
        shown = f"{plain(query)}\n{' ' * (error.position + len('mediabox: '))}^"
        raise WrongUsage(f"{shown} {error}{f' ({error.remedy})' if error.remedy else ''}") from error


def _lines(page: FoundPage) -> Iterator[str]:
    yield f"{count_words(page.total, 'asset')} found" if page.total else "Nothing was found."
    for one in page.assets:
        yield _line(one)
    if page.next_after:
        yield f"There are more: add --after {page.next_after}"
    if page.indexed_percent < 100:
        yield f"The index is still being built ({page.indexed_percent} %): more may be found later."


def _line(one: FoundAsset) -> str:
    taken = one.taken.replace("T", " ") or "date unknown"
    flags = f"  ({', '.join(one.flags)})" if one.flags else ""
    return f"  {taken:19}  {one.path or one.name}{flags}"


def _field_lines() -> Iterator[str]:
    also = {name: [alias for alias, meant in ALIASES.items() if meant == name] for name in FIELDS}
    for field in FIELDS.values():
        aliases = f" (also {', '.join(also[field.name])})" if also[field.name] else ""
        yield f"  {field.name + ':':11} {field.title}: {expected_words(field)}{aliases}"
