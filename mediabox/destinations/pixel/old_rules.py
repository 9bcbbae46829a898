"""The rules of before, as a query: a configuration that has them still loads."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class OldRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a query says since version 2026.12."""

    albums: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    kinds: Annotated[tuple[Literal["picture", "video"], ...], Meta(min_length=1)] = ("picture", "video")
    since: Annotated[
        str,
        Meta(
            pattern=r"^(\d{4}(-\d\d(-\d\d)?)?)?$",
            extra_json_schema={"x-expects": "a date such as 2024, 2024-05 or 2024-05-12"},
        ),
    ] = ""
    favorites_only: bool = False

    @property
    def query(self) -> str:
        return " ".join(
            filter(
                None,
                (
                    _any_of("album", self.albums),
                    _any_of("person", self.people),
                    f"kind:{self.kinds[0]}" if len(set(self.kinds)) == 1 else "",
                    f"date>={self.since}" if self.since else "",
                    "is:favorite" if self.favorites_only else "",
                ),
            )
        )


def _any_of(field: str, names: Iterable[str]) -> str:
    terms = " OR ".join(f"{field}={_quoted(name)}" for name in names)
    return f"({terms})" if " OR " in terms else terms


def _quoted(name: str) -> str:
    escaped = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
