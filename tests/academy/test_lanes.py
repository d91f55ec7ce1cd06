"""How many parts a request of `academy upload` carries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.commands.lanes import LONGEST, MOST_BYTES, PARALLEL, Lane, Waiting
from academy.uploads import MIB, USUAL_PART

MANY = 1000


def lane_at(rate: float) -> Lane:
    lane = Lane(USUAL_PART)
    lane.arrived(USUAL_PART, USUAL_PART / rate)
    return lane


@pytest.mark.parametrize(
    ("rate", "together"),
    [(0.05, 1), (0.4, 1), (0.79, 1), (0.81, 2), (1.21, 3), (1.61, 4), (100, 4)],
)
def test_a_request_takes_what_arrives_in_twenty_seconds_and_four_parts_at_most(rate, together):
    assert lane_at(rate * MIB).takes(MANY) == together


def test_a_lane_begins_with_one_part_and_goes_back_to_it_after_a_break():
    assert Lane(USUAL_PART).takes(MANY) == 1
    lane = lane_at(100 * MIB)
    lane.broke(1)
    assert lane.takes(MANY) == 1
    lane.arrived(USUAL_PART, 0.1)
    assert lane.takes(MANY) == 4


def test_what_was_too_much_once_is_halved_for_good():
    lane = lane_at(100 * MIB)
    for broken, after in ((4, 2), (2, 1)):
        lane.broke(broken)
        assert lane.takes(MANY) == 1
        lane.arrived(USUAL_PART, 0.1)
        assert lane.takes(MANY) == after


def test_towards_the_end_every_lane_gets_something_unless_all_of_it_goes_out_in_a_moment():
    slow, fast = lane_at(2 * MIB), lane_at(100 * MIB)
    assert [slow.takes(left) for left in (24, 18, 12, 6, 1)] == [4, 3, 2, 1, 1]
    assert fast.takes(6) == 4


def test_large_parts_travel_alone():
    lane = Lane(2 * MOST_BYTES)
    lane.arrived(2 * MOST_BYTES, 0.001)
    assert lane.takes(MANY) == 1


@given(
    rates=st.lists(st.floats(1e3, 1e9), max_size=8),
    breaks=st.lists(st.integers(1, 4), max_size=4),
    waiting=st.integers(1, 10_000),
)
def test_no_request_is_too_large_or_too_long(rates, breaks, waiting):
    lane = Lane(USUAL_PART)
    for count in breaks:
        lane.broke(count)
    for rate in rates:
        lane.arrived(USUAL_PART, USUAL_PART / rate)
    taken = lane.takes(waiting)
    assert 1 <= taken <= MOST_BYTES // USUAL_PART
    if taken > 1:
        assert taken * USUAL_PART / lane.rate <= LONGEST * 1.0001
        assert waiting <= taken * PARALLEL or taken == lane.most or lane.rate < 2 * USUAL_PART


def test_what_arrived_and_must_be_sent_again_begins_a_request():
    waiting = Waiting([1, 2, 3, 4], arrived=[1, 3])
    assert [waiting.take(4), waiting.take(4)] == [(1, 2), (3, 2)]


@given(st.sets(st.integers(1, 40)), st.lists(st.integers(1, 5)))
def test_runs_have_no_gaps_and_nothing_is_taken_twice_or_lost(numbers, wishes):
    waiting = Waiting(numbers)
    taken: list[int] = []
    for most in wishes:
        if not waiting:
            break
        first, count = waiting.take(most)
        assert count <= most
        waiting.give_back(first + 1, count - 1)
        taken.append(first)
    while waiting:
        first, count = waiting.take(4)
        taken += range(first, first + count)
    assert taken == sorted(numbers)
