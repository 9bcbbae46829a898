"""Make an archived file what a destination wants without decoding it: recipes, and proof of what they made.

`fit` is the door; a module for each format behind it. A recipe names bytes of the files
at hand and brings few of its own, so nothing is written here and nothing large is held.
"""

from typing import Protocol

from mediabox.contracts import ExamineRequest
from mediabox.model.facts import Facts
from mediabox.model.recipe import FitRequest, Insert, Recipe
from mediabox.model.signature import kind_of_type
from mediabox.native.boxes import Source
from mediabox.native.fit import heif, jpeg, movie, png, webp
from mediabox.native.fit.clip import check_clip
from mediabox.native.fit.unfit import Unfit
from mediabox.native.profiles import HEIF_TYPES
from mediabox.native.tags import read_tags
from mediabox.native.tags.findings import LIES

__all__ = ["LIES", "Unfit", "check", "check_clip", "fit"]

MOST_INSERTED_BYTES = 3 << 20  # an answer holds 4 MiB (`wire`); a large gain map takes one


class _StillForm(Protocol):
    """What a module for stills has."""

    def fit(self, first: Source, clip: Source | None, request: FitRequest) -> Recipe: ...
    def same_picture(self, result: Source, first: Source) -> None: ...


_MOVIES = frozenset(("video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2"))
_STILLS: dict[str, _StillForm] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/webp": webp,
    **dict.fromkeys((*HEIF_TYPES, "image/avif"), heif),
}


def fit(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    """How to put the file together. Raises Unfit, and any of `LIES` for bytes that contradict their format."""
    recipe = _recipe(first, clip, request)
    inserted = sum(len(piece.content) for piece in recipe.pieces if isinstance(piece, Insert))
    if inserted > MOST_INSERTED_BYTES:
        raise Unfit(f"{inserted:,} bytes would have to be added")
    return recipe


def check(result: Source, first: Source, *, media_type: str, name: str) -> Facts:
    """The made file's facts, once its picture data are proved to be those of `first`. Raises as `fit` does."""
    same_picture = movie.same_picture if media_type in _MOVIES else _still_form(media_type).same_picture
    same_picture(result, first)
    facts, before = (_facts(one, media_type, name) for one in (result, first))
    if facts.damage != before.damage:
        raise Unfit(f"it reads back damaged: {facts.damage}")
    return facts


def _recipe(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    if request.media_type not in _MOVIES:
        return _still_form(request.media_type).fit(first, clip, request)
    if clip is not None:
        raise Unfit("a video cannot hold another")
    return movie.fit(first, request)


def _facts(source: Source, media_type: str, name: str) -> Facts:
    kind = kind_of_type(media_type)
    if kind is None:
        raise Unfit(f"{media_type} is no picture and no video")
    return read_tags(source, ExamineRequest(name=name, kind=kind, size_bytes=source.size))


def _still_form(media_type: str) -> _StillForm:
    form = _STILLS.get(media_type)
    if form is None:
        raise Unfit(f"{media_type} cannot hold what is to be added")
    return form
