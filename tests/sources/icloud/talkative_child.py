"""A sign-in child that fills its standard error before it answers."""

import contextlib
import sys

import msgspec

from mediabox.sources.icloud.sign_in.messages import NeedsPassword, Reply

if __name__ == "__main__":
    sys.stdin.buffer.readline()
    for _ in range(200):
        with contextlib.suppress(BlockingIOError):
            sys.stderr.write("x" * 4096)
            sys.stderr.flush()
    sys.stdout.buffer.write(msgspec.json.encode(Reply(answer=NeedsPassword())) + b"\n")
    sys.stdout.flush()
