"""Put a file together by a recipe: blocks shared where the file system can, else poured piece by piece.

FICLONE: ioctl_ficlone(2). What the archive's disk refuses is Retryable; OSErrors are those of the target.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Made
from mediabox.durable.temporary import write_all
from mediabox.errors import Retryable
from mediabox.message import message
from mediabox.model.recipe import Insert, Part, Recipe, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FICLONE = 0x40049409  # linux/fs.h
_BLOCK_BYTES = 1 << 20


def copied(descriptor: int, recipe: Recipe, files: Mapping[Part, int]) -> Made | None:
    """A whole file as it is, its blocks shared; None where that is not asked for, or not possible here."""
    if not any(is_whole_of(recipe, part, files) for part in files):
        return None
    (source,) = (files[piece.part] for piece in recipe.pieces if isinstance(piece, Span))
    try:
        fcntl.ioctl(descriptor, _FICLONE, source)
    except OSError:  # another file system, or one that cannot
        return None
    return Made(digest=digest_of(descriptor), size_bytes=recipe.size_bytes)


def poured(descriptor: int, recipe: Recipe, files: Mapping[Part, int]) -> Made:
    digest = sha256()
    for block in _blocks(recipe, files):
        write_all(descriptor, block)
        digest.update(block)
    return Made(digest=digest.hexdigest(), size_bytes=recipe.size_bytes)


def _blocks(recipe: Recipe, files: Mapping[Part, int]) -> Iterator[bytes]:
    for piece in recipe.pieces:
        match piece:
            case Insert(content=content):
                yield content
            case Span():
                with _of_original():
                    yield from read(files[piece.part], piece.offset, piece.length)


@contextmanager
def _of_original() -> Iterator[None]:
    """What the archive's disk refuses is not the outbox's to answer for."""
    try:
        yield
    except OSError as err:
        raise Retryable(message("an archived file is not readable: {reason}", reason=err.strerror or str(err))) from err


def read(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    """Raises Retryable when the file is shorter than that."""
    end = offset + length
    while offset < end:
        block = os.pread(descriptor, min(_BLOCK_BYTES, end - offset), offset)
        if not block:
            raise Retryable(
                message(
                    "an archived file ends after {found:n} bytes; {wanted:n} were expected", found=offset, wanted=end
                )
            )
        yield block
        offset += len(block)


def is_whole_of(recipe: Recipe, part: Part, files: Mapping[Part, int]) -> bool:
    """Whether the result is that file and nothing else: its hash is the file's."""
    whole = Span(part=part, offset=0, length=os.fstat(files[part]).st_size)
    return recipe.pieces == (whole,)


def digest_of_original(descriptor: int) -> str:
    with _of_original():
        return digest_of(descriptor)


def digest_of(descriptor: int) -> str:
    digest, offset = sha256(), 0
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()
