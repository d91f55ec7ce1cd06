"""How a file is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.uploads import MIB, MOST_PARTS, SMALLEST_PART, USUAL_PART, plan_parts


@pytest.mark.parametrize(
    ("size", "part", "count"),
    [
        (1, 8, 1),
        (8 * MIB, 8, 1),
        (8 * MIB + 1, 8, 2),
        (10_000 * 8 * MIB, 8, 10_000),
        (10_000 * 8 * MIB + 1, 16, 5_001),
    ],
)
def test_parts_stay_small_until_there_would_be_too_many(size, part, count):
    plan = plan_parts(size)
    assert (plan.part_size, plan.part_count) == (part * MIB, count)


@given(st.integers(1, 5 * 1024**4))
def test_every_plan_covers_the_file_exactly_once(size):
    plan = plan_parts(size)
    assert plan.part_size * (plan.part_count - 1) < size <= plan.part_size * plan.part_count
    assert plan.part_count <= MOST_PARTS
    assert plan.part_size >= USUAL_PART > SMALLEST_PART
    assert plan.part_size == USUAL_PART or plan.part_count > MOST_PARTS // 2
