"""Whether more deletions are to be expected, and how many were believed lately."""

from mediabox.destinations.pixel.deletions import LATELY_S, QUIET_S, Deletions


class Time:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_it_is_quiet_once_nothing_more_has_gone_for_a_while() -> None:
    now = Time()
    deletions = Deletions(now)

    assert not deletions.is_quiet([1, 2])
    now.now_s += QUIET_S - 1
    assert not deletions.is_quiet([2, 1])
    now.now_s += 1
    assert deletions.is_quiet([1, 2])


def test_each_that_goes_begins_the_while_anew() -> None:
    now = Time()
    deletions = Deletions(now)
    deletions.is_quiet([1])
    now.now_s += QUIET_S

    assert not deletions.is_quiet([1, 2])
    assert deletions.quiet_for_s == 0
    now.now_s += QUIET_S
    assert deletions.is_quiet([1, 2])
    assert deletions.quiet_for_s == QUIET_S


def test_one_that_comes_back_begins_it_anew_too() -> None:
    now = Time()
    deletions = Deletions(now)
    deletions.is_quiet([1, 2])
    now.now_s += QUIET_S

    assert not deletions.is_quiet([1])


def test_what_was_believed_is_remembered_for_some_minutes() -> None:
    now = Time()
    deletions = Deletions(now)
    deletions.believe(0)
    deletions.believe(3)
    now.now_s += LATELY_S / 2
    deletions.believe(4)

    assert deletions.lately == 7
    now.now_s += LATELY_S / 2
    assert deletions.lately == 7
    now.now_s += 1
    assert deletions.lately == 4
    now.now_s += LATELY_S
    assert deletions.lately == 0
