"""Which parts the store has, whatever travelled together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from academy.coverage import coverage
from academy.uploads import Part
from tests.documents import an_upload

PARTS = 9
SIZE = 43
"""Nine parts of five bytes, the last of three."""
UPLOAD = an_upload("lecture", 1, size=SIZE, part_size=5, part_count=PARTS)


def part(number: int, size: int) -> Part:
    return Part(number=number, size=size, etag=f"e{number}")


def wide(number: int, count: int = 1) -> Part:
    return part(number, UPLOAD.expected_size(number, count))


def widths(total: int) -> st.SearchStrategy[list[int]]:
    """Ways to cut `total` parts into neighbours that travel together."""
    return st.lists(st.booleans(), min_size=total - 1, max_size=total - 1).map(
        lambda cuts: [
            len(run) + 1 for run in "".join("|" if cut else "-" for cut in cuts).split("|")
        ]
    )


WHOLE = widths(PARTS).map(
    lambda counts: [wide(1 + sum(counts[:at]), count) for at, count in enumerate(counts)]
)
"""Parts that make up the file, in order."""
ANYTHING = st.dictionaries(st.integers(1, PARTS), st.integers(0, SIZE + 5)).map(
    lambda sizes: [part(number, size) for number, size in sizes.items()]
)


@given(WHOLE, st.randoms())
def test_any_mixture_that_covers_the_file_makes_it_up(whole, random):
    arrived = random.sample(whole, len(whole))
    found = coverage(UPLOAD, arrived)
    assert (found.parts, found.wanted) == (whole, [])
    assert sum(each.size for each in found.parts) == SIZE


@given(WHOLE, st.data())
def test_what_was_taken_away_is_named_and_nothing_else(whole, data):
    lost = data.draw(st.sets(st.sampled_from(whole), min_size=1))
    found = coverage(UPLOAD, [each for each in whole if each not in lost])
    ends = {each.number: each.number + -(-each.size // 5) for each in lost}
    named = [number for begin, end in ends.items() for number in range(begin, end)]
    assert (found.missing, found.wrong) == (sorted(named), [])


@given(ANYTHING, st.data())
def test_once_all_that_is_named_is_sent_together_or_alone_nothing_is_missing(arrived, data):
    there = {each.number: each for each in arrived}
    found = coverage(UPLOAD, there.values())
    waiting = found.wanted
    while waiting:
        run = 1
        while run < len(waiting) and waiting[run] == waiting[0] + run and waiting[run] not in there:
            run += 1
        count = data.draw(st.integers(1, run))
        there[waiting[0]] = wide(waiting[0], count)
        del waiting[:count]
    done = coverage(UPLOAD, there.values())
    assert done.wanted == []
    assert sum(each.size for each in done.parts) == SIZE
    assert set(found.parts) <= set(done.parts), "nothing that counted had to be sent again"
    assert len(done.parts) == len(there), "Ceph completes only with all that arrived"


def test_ten_thousand_parts_are_quick_to_judge_whatever_they_are():
    upload = an_upload("lecture", 1, size=10_000, part_size=1, part_count=10_000)
    arrived = [part(number, 10_001 - number) for number in range(1, 10_001)]
    assert coverage(upload, arrived).wrong == list(range(1, 10_000))


def test_the_beginning_of_a_wide_part_sent_again_alone_stands_for_itself_only():
    assert coverage(UPLOAD, [wide(1, 4), wide(5, 5)]).wanted == []
    found = coverage(UPLOAD, [wide(1), wide(5, 5)])
    assert (found.missing, found.wrong) == ([2, 3, 4], [])


def test_a_wide_part_does_not_stand_for_what_arrived_by_itself():
    found = coverage(UPLOAD, [wide(1, 4), wide(3), wide(5, 5)])
    assert (found.missing, found.wrong) == ([2, 4], [1])
    assert [each.number for each in found.parts] == [3, 5]


def test_a_part_that_ends_within_another_or_after_the_file_is_wrong():
    for size in (0, 4, 6, 11, SIZE - 1, SIZE + 1):
        assert coverage(UPLOAD, [part(1, size)]).wrong == [1]
    assert coverage(UPLOAD, [wide(1, 8), part(9, 5)]).wrong == [9]
    assert coverage(UPLOAD, [wide(1, 9)]).wanted == []


def test_without_a_plan_any_size_is_right_and_only_gaps_are_named():
    upload = an_upload("lecture", 1, size=0, part_size=0, part_count=0)
    found = coverage(upload, [part(1, 7), part(4, 99), part(2, 1)])
    assert [each.number for each in found.parts] == [1, 2, 4]
    assert (found.missing, found.wrong, found.count) == ([3], [], 4)
    assert coverage(upload, []).missing == [1]
