from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcoding.urgency import FIRST, HELP, NEXT, SHORT, priority

HOUR = 3600.0


def test_the_first_seconds_of_anyone_go_before_later_ones_of_someone() -> None:
    newcomer = priority(0.0, duration=2 * HOUR, late=False, rank=20)
    assert newcomer > priority(FIRST, duration=60.0, late=False, rank=0)
    start = priority(NEXT - 1, duration=2 * HOUR, late=False, rank=20)
    assert start > priority(NEXT, duration=60.0, late=False, rank=0)


def test_short_goes_before_long() -> None:
    short = priority(NEXT, duration=SHORT, late=False, rank=5)
    assert short > priority(NEXT, duration=SHORT + 1, late=False, rank=0)


def test_an_instructors_second_lecture_waits_for_others_first() -> None:
    ranks = [priority(500.0, duration=HOUR, late=False, rank=rank) for rank in range(4)]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 4


@given(
    start=st.floats(0, 2 * HOUR),
    duration=st.floats(1, 2 * HOUR),
    rank=st.integers(0, 1000),
    other=st.integers(0, 1000),
)
def test_second_passes_wait_for_every_first_and_help_for_all(
    start: float, duration: float, rank: int, other: int
) -> None:
    first = priority(start, duration=duration, late=False, rank=rank)
    second = priority(0.0, duration=1.0, late=True, rank=other)
    assert 0 >= first > second > first - HELP
