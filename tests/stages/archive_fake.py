"""An archive of text files in memory, for the stages that write them."""

import hashlib

from mediabox.contracts import Work, Written
from mediabox.model.job import Job


class FakeArchive:
    """Keeps what was written; counts the writes."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files or {}
        self.writes = 0

    async def read_small(self, path: str) -> bytes | None:
        return self.files.get(path)

    async def write(self, path: str, content: bytes) -> Written:
        self.files[path] = content
        self.writes += 1
        return Written(path=path, digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


def work(step: str, subject: str) -> Work:
    return Work(job=Job(id=1, step=step, subject=subject))
