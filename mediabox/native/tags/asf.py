"""ASF and WMV: when the file says it was made (ASF specification 1.20, sections 3.1 and 3.2)."""

from datetime import UTC, datetime, timedelta

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.dates import utc_candidate
from mediabox.native.tags.findings import Findings

MAX_OBJECTS = 256
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # a FILETIME counts 100 ns from here
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def read_asf(source: Source, found: Findings) -> None:
    """Take the creation date, which is UTC. Raises Malformed when the header is not whole."""
    at, end = 30, min(source.size, int.from_bytes(source.bytes(16, 8), "little"))
    for _ in range(MAX_OBJECTS):
        if at + 24 > end:
            return
        size = int.from_bytes(source.bytes(at + 16, 8), "little")  # counts the GUID and itself
        if source.bytes(at, 16) == _FILE_PROPERTIES:
            made = int.from_bytes(source.bytes(at + 48, 8), "little")
            if 0 < made < 1 << 61:
                found.times.append(utc_candidate(_EPOCH + timedelta(microseconds=made // 10), TimeSource.MOVIE_HEADER))
            return
        if size < 24:
            raise Malformed(f"an ASF object of {size} bytes")
        at += size
