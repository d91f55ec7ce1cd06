"""Range headers against what Python's slices say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.byte_ranges import ByteRange, Unsatisfiable, chosen_range, none_match

ETAG = '"abc"'


@given(size=st.integers(0, 50), first=st.integers(0, 60), last=st.none() | st.integers(0, 60))
def test_a_range_is_what_a_slice_is(size: int, first: int, last: int | None):
    body = bytes(range(size))
    header = f"bytes={first}-{'' if last is None else last}"
    try:
        found = chosen_range(header, None, ETAG, size)
    except Unsatisfiable:
        assert first >= size
        return
    if last is not None and last < first:
        assert found is None
    else:
        assert found is not None
        assert body[found.start : found.end] == body[first : None if last is None else last + 1]
        assert found.start < found.end


@given(size=st.integers(0, 50), count=st.integers(0, 60))
def test_a_suffix_range_counts_from_the_end(size: int, count: int):
    try:
        found = chosen_range(f"bytes=-{count}", None, ETAG, size)
    except Unsatisfiable:
        assert count == 0 or size == 0
    else:
        assert found == ByteRange(max(0, size - count), size)


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "items=0-1", "bytes=5-4",
     "bytes=0x0-1", "bytes=--1", "bytes=٠-١", f"bytes={'9' * 40}-"],
)  # fmt: skip
def test_what_is_no_single_range_is_ignored(header: str):
    assert chosen_range(header, None, ETAG, 10) is None


def test_a_range_of_another_version_is_ignored():
    assert chosen_range("bytes=0-1", ETAG, ETAG, 10) == ByteRange(0, 2)
    for other in ('"other"', 'W/"abc"', "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert chosen_range("bytes=0-1", other, ETAG, 10) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), ("*", True), ('"abc"', True), ('W/"abc"', True), ('"x", W/"abc"', True),
     ('"x"', False), ("abc", False), ("", False)],
)  # fmt: skip
def test_if_none_match_is_compared_weakly(header: str | None, expected: bool):
    assert none_match(header, ETAG) is expected
