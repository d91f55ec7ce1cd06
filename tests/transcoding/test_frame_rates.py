"""Judging frame rates from times alone."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoding.frame_rates import FASTEST, SLOWEST, STANDARD, judge

pytestmark = pytest.mark.real

MILLISECOND = Fraction(1, 1000)
NTSC = Fraction(30000, 1001)


def stamps(rate: Fraction, tick: Fraction, count: int = 150, first: int = 0) -> list[int]:
    return [round((first + n) / rate / tick) for n in range(count)]


@pytest.mark.parametrize("rate", STANDARD)
@pytest.mark.parametrize("tick", [MILLISECOND, Fraction(1, 90000), Fraction(1, 15360)])
def test_each_standard_rate_is_recognised_without_being_told(
    rate: Fraction, tick: Fraction
) -> None:
    windows = [stamps(rate, tick), stamps(rate, tick, first=7000)]
    assert judge(windows, tick, []) == (rate, False)


@given(
    rate=st.sampled_from(STANDARD),
    wrong=st.sampled_from(STANDARD),
    first=st.integers(0, 10**6),
    count=st.integers(60, 150),
)
def test_times_are_believed_before_the_header(
    rate: Fraction, wrong: Fraction, first: int, count: int
) -> None:
    found, variable = judge([stamps(rate, MILLISECOND, count, first)], MILLISECOND, [wrong])
    assert not variable
    assert abs(found - rate) <= rate / 500


def test_other_constant_rates_are_kept() -> None:
    for rate in (Fraction(15), Fraction(25, 2), Fraction(10), Fraction(120)):
        assert judge([stamps(rate, Fraction(1, 90000))], Fraction(1, 90000), [rate]) == (
            rate,
            False,
        )


def test_rare_frames_are_raised_to_five_per_second() -> None:
    assert judge([[0, 10_000, 20_000]], MILLISECOND, [Fraction(1, 10)]) == (SLOWEST, False)


@pytest.mark.parametrize("rate", [1000, 1400, 1600, 10_000, 90_000])
def test_what_is_faster_than_a_thousand_per_second_counts_as_that(rate: int) -> None:
    tick = Fraction(1, 90_000)
    assert judge([stamps(Fraction(rate), tick)], tick, [Fraction(rate)]) == (FASTEST, False)


def test_nothing_known_is_twenty_five() -> None:
    assert judge([], MILLISECOND, []) == (Fraction(25), False)
    assert judge([[0]], MILLISECOND, [Fraction(0)]) == (Fraction(25), False)
    assert judge([[5, 5, 5]], MILLISECOND, [Fraction(90000)]) == (Fraction(25), False)


def test_a_single_frame_keeps_what_the_header_says() -> None:
    assert judge([[0]], MILLISECOND, [Fraction(2997, 100)]) == (NTSC, False)


def test_one_lost_frame_does_not_make_a_rate_variable() -> None:
    times = stamps(Fraction(30), MILLISECOND)
    del times[70]
    assert judge([times], MILLISECOND, []) == (Fraction(30), False)


def test_a_telephones_jitter_is_constant_enough() -> None:
    tick = Fraction(1, 90000)
    times = [3000 * n + (n * 37 % 11 - 5) * 40 for n in range(150)]
    assert judge([times], tick, []) == (Fraction(30), False)


def test_a_screen_recorder_that_skips_still_moments_is_variable() -> None:
    steps = [33, 33, 34, 100, 33, 33, 34, 500, 33, 33, 34, 33, 967] * 10
    assert judge([list(accumulate(steps))], MILLISECOND, []) == (Fraction(30), True)


def test_a_rate_that_changes_within_the_recording_is_variable() -> None:
    windows = [stamps(Fraction(60), MILLISECOND), stamps(Fraction(30), MILLISECOND, first=900)]
    rate, variable = judge(windows, MILLISECOND, [])
    assert variable
    assert rate in {30, 60}


@given(
    steps=st.lists(st.integers(0, 100_000), min_size=1, max_size=60),
    told=st.lists(st.fractions(min_value=0, max_value=10**6), max_size=3),
)
def test_whatever_the_times_a_usable_rate_comes_out(steps: list[int], told: list[Fraction]) -> None:
    rate, _ = judge([list(accumulate(steps))], Fraction(1, 90000), told)
    assert SLOWEST <= rate <= 90_000
