"""`python -m mediabox.sources.icloud.sign_in.child`: pyicloud in a process of its own, for one sign-in.

It costs some 75 MiB while it lives and is gone afterwards. Requests come on standard input,
replies go to standard output, one JSON message a line. It ends with its input, or when
nothing was said for PATIENCE_S: nobody has to remember it.
"""

from __future__ import annotations

import logging
import os
import resource
import select
import sys
import traceback
from types import TracebackType

import msgspec

from mediabox.sources.icloud.sign_in.conversation import Conversation
from mediabox.sources.icloud.sign_in.messages import Request

PATIENCE_S = 900.0  # a code is good for some minutes; who comes later asks for a new one


def main(patience_s: float = PATIENCE_S) -> None:
    """Answer until there is nothing more to answer."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the password
    sys.excepthook = _say_where
    logging.disable(logging.CRITICAL)  # pyicloud's log quotes Apple's answers
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    sys.stdout = sys.stderr  # whatever prints does not end up among the replies
    conversation = Conversation()
    while (line := _next_line(patience_s)) is not None:
        request = msgspec.json.decode(line, type=Request)
        replies.write(msgspec.json.encode(conversation.reply(request)) + b"\n")


def _next_line(patience_s: float) -> bytes | None:
    """The next request; None when there is none any more. Requests never overlap, so no line waits in a buffer."""
    if not select.select([0], [], [], patience_s)[0]:
        return None
    return sys.stdin.buffer.readline() or None


def _say_where(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """Where we failed, without a message: it may quote what must not be told."""
    places = " < ".join(
        f"{os.path.basename(each.filename)}:{each.lineno}" for each in traceback.extract_tb(trace)[::-1]
    )
    print(f"iCloud sign-in child failed: {kind.__name__} at {places}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
