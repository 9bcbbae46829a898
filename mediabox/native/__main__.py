"""The decoding child: `python -m mediabox.native ORDERS`, started by `native.child_process` and by nobody else."""

# ruff: noqa: E402 - what follows is imported without the collector: it would look over every new object several times
import gc

gc.disable()  # `child.live` enables it again
import importlib
import sys

import msgspec

from mediabox.errors import Permanent
from mediabox.native import child, encode, fit, sidecar, tags, wire
from mediabox.native.boxes import Malformed
from mediabox.native.decoded import NeedsProfile
from mediabox.native.examine import examine
from mediabox.native.preload import preload
from mediabox.native.profiles import Profile
from mediabox.native.tags.reader import Reader

# Late imports that only some files lead to: PyAV's for a film with subtitles, Python's for
# texts in these character sets.
_ALWAYS = (
    "encodings.latin_1", "encodings.cp1252", "encodings.mac_roman", "encodings.ascii", "encodings.idna",
    "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le", "encodings.utf_32", "encodings.shift_jis",
    "encodings.unicode_escape", "encodings.raw_unicode_escape", "encodings.utf_8_sig",
)  # fmt: skip
_OF_MOVIES = ("av.subtitles.codeccontext", "av.subtitles.stream", "av.subtitles.subtitle")


def _prepare(profile: Profile) -> dict[str, str]:
    for name in (*_ALWAYS, *(_OF_MOVIES if profile is Profile.MOVIE else ())):
        importlib.import_module(name)
    tags.preload()
    return preload(profile)


def _handle(call: wire.Call, descriptors: tuple[int, ...]) -> child.Reply:
    match call, descriptors:
        case wire.ExamineFile(), (descriptor,):
            return _examine(call, descriptor)
        case wire.Fit() | wire.Check() | wire.Convert(), (first, *others):
            return _make(call, first, *others[:2])
        case wire.MergeSidecar() | wire.ParseSidecar(), ():
            return _sidecar(call)
        case _:
            return child.Reply(answer=wire.Refused(reason=f"{len(descriptors)} descriptors came along"))


def _make(
    call: wire.Fit | wire.Check | wire.Convert, first: int, second: int | None = None, third: int | None = None
) -> child.Reply:
    """Verdicts on a file that is to be made what a destination wants."""
    try:
        if isinstance(call, wire.Check) and call.clip_offset is not None:
            fit.check_clip(Reader(first), call.clip_offset, None if third is None else Reader(third))
        return child.Reply(answer=_made(call, first, second))
    except NeedsProfile as err:
        return child.Reply(answer=wire.TryProfile(profile=err.profile))
    except (fit.Unfit, Malformed) as err:
        return child.Reply(answer=wire.Refused(reason=" ".join(str(err).split())))
    except fit.LIES as err:
        return child.Reply(answer=wire.Refused(reason=f"the file contradicts itself: {type(err).__name__}: {err}"))
    except OSError as err:
        return child.Reply(answer=wire.CannotRead(reason=str(err)))


def _made(call: wire.Fit | wire.Check | wire.Convert, first: int, second: int | None) -> wire.Answer:
    match call:
        case wire.Fit():
            clip = None if second is None else Reader(second)
            return wire.Fitted(recipe=fit.fit(Reader(first), clip, call.request))
        case wire.Check() if second is not None:
            return wire.Checked(
                facts=fit.check(Reader(first), Reader(second), media_type=call.media_type, name=call.name)
            )
        case wire.Convert() if second is not None:
            return wire.ConvertedAnswer(converted=encode.convert(first, second, call.conversion))
        case _:
            return wire.Refused(reason="one descriptor came along, two are needed")


def _examine(call: wire.ExamineFile, descriptor: int) -> child.Reply:
    try:
        seen = examine(descriptor, call.request, with_pixels=call.pixels)
    except NeedsProfile as err:
        return child.Reply(answer=wire.TryProfile(profile=err.profile))
    except OSError as err:
        return child.Reply(answer=wire.CannotRead(reason=str(err)))
    found = seen.examination
    return child.Reply(
        answer=wire.Examined(facts=found.facts, is_spent=seen.is_odd), first=found.thumbnail, second=found.preview
    )


def _sidecar(call: wire.MergeSidecar | wire.ParseSidecar) -> child.Reply:
    try:
        if isinstance(call, wire.MergeSidecar):
            return child.Reply(answer=wire.Sidecar(), first=sidecar.merge(call.existing, call.source, call.record))
        record = sidecar.parse(call.content)
    except Permanent as err:
        return child.Reply(answer=wire.Refused(reason=str(err)))
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as err:  # foreign XML, foreign habits
        return child.Reply(answer=wire.Refused(reason=f"{type(err).__name__}: {err}"))
    return child.Reply(answer=wire.Sidecar(parsed=msgspec.Raw(msgspec.msgpack.encode(record))))


if __name__ == "__main__":
    child.live(child.read_orders(sys.argv[1:]), preload=_prepare, handler=_handle)
