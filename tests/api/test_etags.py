from __future__ import annotations

import pytest

from api.etags import etag, not_modified, revisions

CURRENT = etag(7, b"the bytes")


def test_a_tag_names_the_revision_and_the_bytes():
    assert CURRENT.startswith('"7.')
    assert etag(7, b"other bytes") != CURRENT
    assert etag(8, b"the bytes") != CURRENT


@pytest.mark.parametrize(
    "header",
    [CURRENT, f"W/{CURRENT}", "*", f'"1.abc", {CURRENT}', f'"1.abc" ,W/{CURRENT} , "x"'],
)
def test_if_none_match_finds_the_current_tag(header):
    assert not_modified(header, CURRENT)


@pytest.mark.parametrize("header", [None, '"7"', '"7.abc"', CURRENT.strip('"'), "", "nonsense"])
def test_if_none_match_of_anything_else_does_not_match(header):
    assert not not_modified(header, CURRENT)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, None),
        ("*", None),
        ('"7.abc"', {7}),
        ('W/"7.abc-gzip"', {7}),
        ('"7.abc", "9.def"', {7, 9}),
        ('"someone else\'s"', set()),
        ('"-1.abc", "²"', set()),
        ("7", set()),
        (f'"{"9" * 5000}.abc", "7.abc"', {7}),
    ],
)
def test_if_match_names_revisions(header, named):
    assert revisions(header) == named
