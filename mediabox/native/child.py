"""The life of a decoding child: tie itself to the daemon, import, lock the door, answer calls, go.

One thread for each lane, all started after the door is locked. A child ends when
the daemon closes its lanes, when the daemon dies, or when anything of its own goes
wrong: it never tries to recover, because a new one costs 0.3 s and carries no doubt.
"""

import ctypes
import faulthandler
import gc
import os
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

import msgspec

from mediabox.native import sandbox, wire
from mediabox.native.profiles import Profile, may_write_bytes

_TRIM_AFTER_FILES = 100  # costs the next picture of each lane 5 ms of page faults
_KEPT_BYTES = 100 << 20  # above the start: two lanes of 12-megapixel HEIC
_BROKEN_STATUS = 70  # EX_SOFTWARE, sysexits.h


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon tells a new child on its command line, as JSON. `lanes` are its inherited sockets."""

    profile: Profile
    parent: int
    memory_bytes: int
    lanes: tuple[int, ...]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer and the blobs that follow it."""

    answer: wire.Answer
    first: bytes | None = None
    second: bytes | None = None


Handler = Callable[[wire.Call, tuple[int, ...]], Reply]
Preload = Callable[[Profile], dict[str, str]]


def read_orders(arguments: list[str]) -> Orders:
    """The orders among the command line's arguments. Raises SystemExit with what was expected."""
    if len(arguments) != 1:
        raise SystemExit("mediabox starts this itself: it takes its orders as one argument")
    return msgspec.json.decode(arguments[0], type=Orders)


def live(
    orders: Orders, *, preload: Preload, handler: Handler, layers: frozenset[sandbox.Layer] = sandbox.ALL_LAYERS
) -> NoReturn:
    """Be a child until the daemon has no more use for it.

    `preload` imports all the profile needs and returns the decoders' versions.
    `handler` is called from several threads at once; the descriptors it gets are closed for it.
    """
    faulthandler.enable(all_threads=False)
    threading.excepthook = _die_of
    namespaces = sandbox.detach(orders.parent, layers=layers)
    lanes = [socket.socket(fileno=number) for number in orders.lanes]
    versions = preload(orders.profile)
    time.tzset()  # reads /etc/localtime for the last time
    gc.freeze()  # what was imported stays for good: later collections need not walk it
    gc.enable()
    heap = Heap()
    active = sandbox.arm(
        memory_bytes=orders.memory_bytes,
        threads=len(lanes),
        namespaces=namespaces,
        layers=layers,
        may_write_bytes=may_write_bytes(orders.profile),
    )
    threads = [threading.Thread(target=_serve, args=(lane, handler, heap), daemon=True) for lane in lanes[1:]]
    for thread in threads:
        thread.start()
    native_ids = (threading.get_native_id(), *(thread.native_id or 0 for thread in threads))
    wire.send_answer(lanes[0], wire.Hello(layers=active, versions=versions, threads=native_ids), number=wire.GREETING)
    _serve(lanes[0], handler, heap)
    for thread in threads:
        thread.join()
    os._exit(0)  # the libraries' own farewells have nothing to save and may crash


class Heap:
    """Gives memory back after a file that took much of it; leaves it alone after ordinary ones.

    glibc keeps what was freed, and a lane's next picture uses it without a page fault
    (10 to 25 % of the time of a JPEG). After a panorama that would be 100 MB for nothing. And small
    pieces that stay for long make the next picture go beside the gap they leave: 3 MB in a thousand
    files, were the gaps not given back now and then.
    """

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        self._trim = ctypes.CDLL(None).malloc_trim
        self._trim(0)
        self._files = 0
        self._most_bytes = self._resident_bytes() + _KEPT_BYTES

    def settle(self) -> None:
        """Call between files, from any lane."""
        self._files += 1
        if self._files % _TRIM_AFTER_FILES == 0 or self._resident_bytes() > self._most_bytes:
            self._trim(0)

    def _resident_bytes(self) -> int:
        return int(os.pread(self._statm, 128, 0).split()[1]) * resource.getpagesize()


def _serve(lane: socket.socket, handler: Handler, heap: Heap) -> None:
    """Answer the lane's calls until the daemon closes it."""
    try:
        while (received := wire.receive_call(lane)) is not None:
            _answer(lane, handler, *received)
            del received
            heap.settle()
    except (ConnectionError, wire.Broken):  # the daemon went away in the middle: so do we
        os._exit(_BROKEN_STATUS)


def _answer(lane: socket.socket, handler: Handler, number: int, call: wire.Call, descriptors: tuple[int, ...]) -> None:
    try:
        reply = handler(call, descriptors)
    except MemoryError:
        reply = Reply(answer=wire.OutOfMemory())
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    wire.send_answer(lane, reply.answer, number=number, first=reply.first, second=reply.second)


def _die_of(problem: threading.ExceptHookArgs) -> None:
    """A lane whose thread died would look busy for ever: end the whole child instead."""
    traceback.print_exception(problem.exc_type, problem.exc_value, problem.exc_traceback, file=sys.stderr)
    os._exit(_BROKEN_STATUS)
