"""A decoding child that does what the file's name tells it, armed like the real one.

Started as `scripted_child.py LAYERS ORDERS`, LAYERS being the layers to arm, comma-separated.
"""

import ctypes
import fcntl
import json
import math
import os
import socket
import sys
import threading
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
import attacks

from mediabox.model.facts import Facts
from mediabox.model.place import Place
from mediabox.model.recipe import Converted, Insert, Recipe
from mediabox.native import child, sandbox, wire
from mediabox.native.profiles import Profile

_entered = 0
_send_answer = wire.send_answer
_last: tuple[wire.Answer, dict[str, object]] | None = None
_company = threading.Condition()
_orders: child.Orders


def _wait_for_company() -> bool:
    """Wait until a second lane is busy too; False in a child of one lane, where none can come."""
    if len(_orders.lanes) == 1:
        return False
    with _company:
        _company.wait_for(lambda: _entered >= 2)
    return True


def _fault() -> None:
    ctypes.string_at(0)


def _descriptors() -> int:
    count = 0
    for number in range(256):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
        except OSError:
            continue
        count += 1
    return count


def _obey_fit(call: wire.Fit | wire.Convert, descriptors: tuple[int, ...]) -> child.Reply:
    name = call.request.name if isinstance(call, wire.Fit) else call.conversion.name
    match name:
        case "crash":
            _fault()
        case "crash-once" if len(_orders.lanes) > 1:
            _fault()
        case "hang":
            threading.Event().wait()
    if isinstance(call, wire.Convert):
        size_bytes = -1 if name == "less than nothing" else call.conversion.size_bytes
        converted = Converted(size_bytes=size_bytes, width=1, height=1)
        return child.Reply(answer=wire.ConvertedAnswer(converted=converted))
    contents = [b"%d" % _descriptors()] if name == "descriptors" else [os.pread(one, 100, 0) for one in descriptors]
    recipe = Recipe(pieces=tuple(Insert(content=content) for content in contents), media_type=call.request.media_type)
    return child.Reply(answer=wire.Fitted(recipe=recipe))


def _obey(call: wire.ExamineFile, descriptor: int) -> child.Reply:  # noqa: C901, PLR0912 - a list of orders
    words = call.request.name.split()
    caption = None
    is_spent = False
    if not call.pixels:
        if "unreadable" in words:
            _fault()
        return _examined(call, caption="tags only")
    match words[0]:
        case "crash":
            _fault()
        case "crash-in-company":
            _wait_for_company()
            _fault()
        case "crash-once" if len(_orders.lanes) > 1:
            _fault()
        case "suffer-in-company":
            if _wait_for_company():
                threading.Event().wait()
        case "hang":
            threading.Event().wait()
        case "hang-in-company":
            _wait_for_company()
            threading.Event().wait()
        case "spin":
            while True:
                hash(words[0])
        case "take":
            bytearray(int(words[1]) << 20)
        case "nowhere-on-earth":
            return _examined(call, place=Place(latitude=math.nan, longitude=8.5))
        case "negative-hash":
            return _examined(call, perceptual_hashes=(-1,))
        case "nest":
            wire.send_answer = lambda lane, _, *, number, **__: _nest(lane, number)
        case "say-again":
            wire.send_answer = _say_again
        case "babble":
            os.write(_orders.lanes[0], bytes(64))
        case "say":
            os.write(2, call.request.name.encode() * 3000)
            _fault()
        case "spent":
            is_spent = True
        case "pid":
            caption = str(os.getpid())
        case "large" if _orders.profile is not Profile.LARGE:
            return child.Reply(answer=wire.TryProfile(profile=Profile.LARGE))
        case "nowhere":
            return child.Reply(answer=wire.TryProfile(profile=_orders.profile))
        case "descriptors":
            caption = str(_descriptors())
        case "attack":
            caption = json.dumps(attacks.attack_all(words[1]))
        case "read":
            caption = os.pread(descriptor, 100, 0).decode()
    return _examined(call, caption=caption, is_spent=is_spent)


def _nest(lane: socket.socket, number: int) -> None:
    """Lists in lists, where a reader looks for nothing."""
    message = b"\x82\xa4type\xa8examined\xa1x" + b"\x91" * 100_000
    wire._send(lane, [wire._HEAD.pack(number, len(message), wire.ABSENT, wire.ABSENT), message], [])


def _say_again(lane: socket.socket, answer: wire.Answer, **words: object) -> None:
    """As a child out of step does: the answer of before in the place of every further one."""
    global _last  # noqa: PLW0603 - one process, one script
    _last = _last or (answer, words)
    _send_answer(lane, _last[0], **_last[1])


def _examined(call: wire.ExamineFile, *, is_spent: bool = False, **found: object) -> child.Reply:
    facts = Facts(kind=call.request.kind, media_type="image/jpeg", **found)
    blob = b"t" * call.request.size_bytes if call.request.renditions else None
    return child.Reply(answer=wire.Examined(facts=facts, is_spent=is_spent), first=blob, second=blob)


def _handle(call: wire.Call, descriptors: tuple[int, ...]) -> child.Reply:
    global _entered  # noqa: PLW0603 - one process, one script
    if isinstance(call, wire.Fit | wire.Convert):
        return _obey_fit(call, descriptors)
    if isinstance(call, wire.MergeSidecar):  # the answer to another asset's, or none at all
        return child.Reply(answer=wire.Sidecar(parsed=b""), first=call.source)
    if isinstance(call, wire.ParseSidecar):
        return child.Reply(answer=wire.Sidecar(parsed=call.content))
    assert isinstance(call, wire.ExamineFile)
    (descriptor,) = descriptors
    with _company:
        _entered += 1
        _company.notify_all()
    try:
        return _obey(call, descriptor)
    finally:
        with _company:
            _entered -= 1


def _preload(profile: Profile) -> dict[str, str]:
    return {"script": profile}


if __name__ == "__main__":
    _orders = msgspec.json.decode(sys.argv[2], type=child.Orders)
    _layers = frozenset(sandbox.Layer(name) for name in sys.argv[1].split(",") if name)
    child.live(_orders, preload=_preload, handler=_handle, layers=_layers)
