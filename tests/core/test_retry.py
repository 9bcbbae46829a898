"""Waits grow, are spread, are bounded, and are never shorter than the other side asked for."""

from mediabox.core import retry


def test_waits_double_up_to_the_longest() -> None:
    for attempts in range(40):
        ceiling = min(retry.LONGEST_S, retry.FIRST_S * 2**attempts)
        assert all(ceiling / 2 <= retry.delay_s(attempts) <= ceiling for _ in range(50))


def test_the_other_sides_wish_is_a_minimum() -> None:
    assert retry.delay_s(0, retry_after_s=120) == 120
    assert retry.delay_s(20, retry_after_s=1) >= retry.LONGEST_S / 2


def test_waits_are_spread() -> None:
    assert len({retry.delay_s(5) for _ in range(20)}) == 20
