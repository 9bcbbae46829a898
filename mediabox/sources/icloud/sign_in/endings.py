"""How a request to Apple ends early: with an answer that settles it, or with no answer at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyicloud.exceptions import PyiCloudConnectionException, PyiCloudException

from mediabox.sources.icloud.sign_in.messages import Answer, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ended(Exception):
    """Apple's answer settles the request: nothing more may be tried for it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(type(answer).__name__)
        self.answer = answer


class RepairAsked(Exception):
    """Apple answered 412 (`verdict.wants_repair`): the page would call `repair/complete` now."""


@contextmanager
def reaching() -> Iterator[None]:
    """Turn "no answer from Apple" and unknown refusals into an end that says so, without Apple's text."""
    try:
        yield
    except PyiCloudConnectionException as err:
        reason = type(err.__cause__).__name__ if err.__cause__ else "no answer"
        raise Ended(Unreachable(detail=reason)) from None
    except PyiCloudException as err:
        code = getattr(err, "code", None)
        detail = f"{type(err).__name__.removeprefix('PyiCloud')}" + (f" ({code})" if code else "")
        raise Ended(Refused(detail=detail)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as err:  # an answer of another shape than pyicloud expects
        raise Ended(Refused(detail=f"an answer that was not understood ({type(err).__name__})")) from None
