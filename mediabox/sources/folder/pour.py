"""Read one file's bytes: whole, once, and only if it stays the version that was listed."""

import os

from mediabox.contracts import Sink
from mediabox.errors import Permanent, Retryable
from mediabox.message import message
from mediabox.model.signature import HEAD_BYTES
from mediabox.sources.folder.blocking import BlockingCall
from mediabox.sources.folder.tree import Tree, show, version_of

# Read, hashed and written while it is in the L2 cache, which 1 MiB no longer is; and not less, because at each of the
# three calls another thread may take the interpreter: 256 KiB cost 1.5 ms more CPU a photo of 3.5 MB.
CHUNK_BYTES = 1 << 19


class Buffers:
    """Chunks of CHUNK_BYTES, used again: a fresh one costs 128 page faults each time."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def take(self) -> bytearray:
        return self._free.pop() if self._free else bytearray(CHUNK_BYTES)

    def give(self, buffer: bytearray) -> None:
        self._free.append(buffer)


def head(tree: Tree, parts: tuple[str, ...]) -> bytes:
    """The first 4 KiB at most. Raises as `pour` does, save that the version is not looked at."""
    with tree.file(parts) as (descriptor, status):
        _refuse_empty(parts, status)
        try:
            return os.pread(descriptor, HEAD_BYTES, 0)
        except OSError as err:
            raise tree.translate(err, parts) from err


def pour(
    tree: Tree, parts: tuple[str, ...], *, version: str, sink: Sink, buffer: bytearray, call: BlockingCall
) -> None:
    """Pour the whole file into `sink`.

    Always from the beginning: a folder has no checksum to hold an interrupted fetch against, and
    after a power cut or a change of the file its bytes need not be this version's beginning.
    A chunk handed to `sink.write` is only valid during that call: the buffer is used again.
    Raises Away, Permanent (gone, refused, empty, not a file), Retryable when it changed.
    """
    with tree.file(parts) as (descriptor, before):
        _refuse_changed(parts, before, version)
        _refuse_empty(parts, before)
        offset = 0
        if sink.offset:
            sink.restart()
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        view = memoryview(buffer)
        while offset < before.st_size:
            try:
                count = os.preadv(descriptor, [view[: before.st_size - offset]], offset)
            except OSError as err:
                raise tree.translate(err, parts) from err
            if count == 0 or call.is_stopped:
                break
            sink.write(view[:count])
            offset += count
            call.beats += 1
        _refuse_changed(parts, os.fstat(descriptor), version)
        if offset < before.st_size and not call.is_stopped:
            raise Retryable(
                message(
                    "{path} ended after {offset:n} of {size:n} bytes",
                    path=show(parts),
                    offset=offset,
                    size=before.st_size,
                )
            )


def _refuse_changed(parts: tuple[str, ...], status: os.stat_result, version: str) -> None:
    if version_of(status) != version:
        raise Retryable(message("{path} changed while it was read", path=show(parts)))


def _refuse_empty(parts: tuple[str, ...], status: os.stat_result) -> None:
    if status.st_size == 0:
        raise Permanent(message("{path} is empty (0 bytes)", path=show(parts)))
