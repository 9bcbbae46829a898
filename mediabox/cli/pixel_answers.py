"""What only a person knows of a phone, asked by `mediabox pixel pair`: its model, its account, and whose photos go.

Answers go to `overrides.json` (`config.load`), never into the person's own file. Nothing is answered for anybody:
what stays open is named with the option that answers it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from mediabox.cli.words import plain
from mediabox.config.given import OVERRIDES
from mediabox.config.load import load
from mediabox.destinations.pixel.settings import EVERYONE, Model
from mediabox.durable.publish import seal
from mediabox.errors import Permanent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mediabox.config.load import Config

MODELS = get_args(Model)
QUALITIES = ("original", "storage_saver")
EVERYBODY = "everyone"
Field = Literal["model", "account", "quality", "sources"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be known. `choices`: () is a line of text."""

    field: Field
    text: str
    option: str
    choices: tuple[str, ...] = ()


QUESTIONS = {
    one.field: one
    for one in (
        Question(
            field="model",
            text="Which phone is it? (pixel: the first, of 2016; later: Pixel 6 and newer, which use up storage)",
            option="--model",
            choices=MODELS,
        ),
        Question(
            field="account",
            text="Into which Google account does Google Photos on it back up? (its address)",
            option="--account ADDRESS",
        ),
        Question(
            field="quality",
            text="Backup quality there? (Google Photos, your picture, Photos settings, Backup)",
            option="--quality",
            choices=QUALITIES,
        ),
    )
}
WHOSE = Question(
    field="sources",
    text="Whose photos go into that account? (several: with commas; Enter: nobody's yet)",
    option="--photos-of",
)


def given_in(arguments: argparse.Namespace, config: Config) -> dict[str, object]:
    """What the command line answers, by field. Raises Permanent."""
    said: dict[str, object] = {"model": arguments.model, "account": arguments.account, "quality": arguments.quality}
    people = arguments.photos_of
    return {field: value for field, value in said.items() if value} | (
        {"sources": _people(people, [one.name for one in config.sources])} if people else {}
    )


def open_questions(config: Config, name: str) -> list[Question]:
    """What nobody has answered yet of a phone, neither in a file nor here."""
    chosen = ("sources", "albums", "people")
    is_open = {field: config.origin(f"destinations.{name}.{field}") == "default" for field in (*chosen, *QUESTIONS)}
    people = tuple(one.name for one in config.sources)
    whose = msgspec.structs.replace(WHOSE, choices=(*people, EVERYBODY))
    return [one for field, one in QUESTIONS.items() if is_open[field]] + [whose] * all(
        is_open[field] for field in chosen
    )


async def ask(questions: Sequence[Question]) -> dict[str, object]:
    """At a terminal; what a person leaves out stays open."""
    answers: dict[str, object] = {}
    for one in questions:
        print("\n".join(_shown(one)), end=" ", flush=True)
        line = (await asyncio.to_thread(sys.stdin.readline)).strip()
        words = [_meant(word.strip(), one.choices) for word in line.split(",") if word.strip()]
        if one.field == "sources" and words:
            answers["sources"] = _people(words, one.choices)
        elif words:
            answers[one.field] = _one_of(words[0], one)
    return answers


def save(home: Path, name: str, answers: dict[str, object]) -> Config:
    """Keep answers, and the configuration with them. Raises ConfigInvalid when they cannot be, OSError."""
    keys = {f"destinations.{name}.{field}": value for field, value in answers.items()}
    if not keys:
        return load(home)
    load(home, overrides=keys)  # refuses what is no answer, before it is kept
    path = home / OVERRIDES
    kept = json.loads(path.read_bytes()) if path.exists() else {}
    part = path.with_suffix(".new")
    part.write_text(json.dumps(kept | keys, indent=2), encoding="utf-8")
    seal(part, path)
    return load(home)


def open_words(questions: Sequence[Question], name: str) -> Iterator[str]:
    """What is still to be said, with the command that says it."""
    for one in questions:
        choices = f" {'|'.join(one.choices)}" if one.choices else ""
        yield f"! {one.text}"
        yield f"  mediabox pixel pair {name} {one.option}{choices}"


def _shown(one: Question) -> Iterator[str]:
    yield one.text
    yield from (plain(f"  {number}. {choice}") for number, choice in enumerate(one.choices, start=1))


def _meant(word: str, choices: Sequence[str]) -> str:
    """By its number, or as it is."""
    return choices[int(word) - 1] if word.isdecimal() and 0 < int(word) <= len(choices) else word


def _one_of(word: str, one: Question) -> str:
    if one.choices and word not in one.choices:
        raise Permanent(f"{word} is none of {', '.join(one.choices)}")
    return word


def _people(names: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Raises Permanent for one that is no source."""
    if EVERYBODY in names:
        return [EVERYONE]
    if strange := [name for name in names if name not in sources]:
        raise Permanent(f"{', '.join(strange)}: no such source; there are {', '.join(sources) or 'none'}")
    return list(names)
