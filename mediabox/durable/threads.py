"""Methods that block, as coroutines."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Self_ = TypeVar("Self_")
Args = ParamSpec("Args")
Result = TypeVar("Result")


def in_thread(
    method: Callable[Concatenate[Self_, Args], Result],
) -> Callable[Concatenate[Self_, Args], Coroutine[Any, Any, Result]]:
    """The method, run in a thread whenever it is called."""

    @wraps(method)
    async def awaited(self: Self_, /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
        return await asyncio.to_thread(method, self, *args, **kwargs)

    return awaited
