"""What a disk answers is a state of the volume or of the file, with a remedy that fits it; never a fault of ours."""

import errno
import os

import pytest

from mediabox.durable.refusal import refusal
from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable


def refused(code: int) -> MediaboxError | None:
    err = OSError(code, os.strerror(code))
    return refusal(err, volume="archive", place="/mnt/my disk", attempt="read back 2024/a.jpg")


@pytest.mark.parametrize(
    ("code", "issue", "words"),
    [
        ("ENOSPC", "volume.full", "df -i"),
        ("EDQUOT", "volume.full", "quota"),
        ("EROFS", "volume.read_only", "lock switch"),
        ("EACCES", "volume.read_only", f"sudo chown -R {os.geteuid()} '/mnt/my disk'"),
        ("EPERM", "volume.read_only", "lsattr"),
        ("EIO", "volume.failing", "cable"),
    ],
)
def test_what_only_a_person_can_mend_has_a_remedy_of_its_own(code: str, issue: str, words: str) -> None:
    found = refused(getattr(errno, code))

    assert isinstance(found, NeedsHuman)
    assert (found.issue, found.subject) == (issue, "archive")
    assert words in str(found.remedy or "")
    assert ("lock switch" in str(found.remedy or "")) == (code == "EROFS")


def test_a_right_that_is_missing_is_not_called_a_disk_that_cannot_be_written_to() -> None:
    assert "cannot be written to" not in str(refused(errno.EACCES))
    assert "quota is used up" in str(refused(errno.EDQUOT))


@pytest.mark.parametrize("code", ["ENAMETOOLONG", "ELOOP", "ENOTDIR", "EISDIR", "EILSEQ", "EFBIG"])
def test_what_is_wrong_with_one_path_ends_that_file_s_step_with_its_reason(code: str) -> None:
    found = refused(getattr(errno, code))

    assert isinstance(found, Permanent)
    assert not isinstance(found, NeedsHuman)


@pytest.mark.parametrize("code", ["ENOTCONN", "ESTALE", "ENODEV", "EHOSTDOWN", "ETIMEDOUT"])
def test_a_disk_that_is_gone_is_away(code: str) -> None:
    assert isinstance(refused(getattr(errno, code)), Away)


@pytest.mark.parametrize("code", ["EMFILE", "ENFILE", "ENOMEM", "EBUSY"])
def test_what_the_box_is_short_of_comes_right(code: str) -> None:
    assert isinstance(refused(getattr(errno, code)), Retryable)
