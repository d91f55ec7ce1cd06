from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.errors import BadCursor
from academy.keys import KeyRing
from api import paging

KEYS = KeyRing("k" * 32)
positions = st.dictionaries(
    st.text(max_size=10), st.text(max_size=40) | st.integers() | st.booleans(), max_size=3
)


@given(positions)
def test_a_cursor_leads_back_to_its_position(position):
    cursor = paging.encode(KEYS, "courses", position)
    assert paging.decode(KEYS, "courses", cursor) == position


@given(positions, st.integers(min_value=0), st.characters())
def test_a_changed_cursor_is_refused(position, at, other):
    cursor = paging.encode(KEYS, "courses", position)
    assert cursor is not None
    at %= len(cursor)
    changed = cursor[:at] + other + cursor[at + 1 :]
    # Unused bits of the last base64 digit may differ without changing a byte.
    if changed != cursor and at < len(cursor) - 1:
        with pytest.raises(BadCursor):
            paging.decode(KEYS, "courses", changed)


@given(st.text(max_size=200))
def test_text_that_is_no_cursor_is_refused(text):
    with pytest.raises(BadCursor):
        paging.decode(KEYS, "courses", text)


def test_a_cursor_belongs_to_its_list_and_filters():
    beijing = paging.scope_of("courses", university="beihang")
    cursor = paging.encode(KEYS, beijing, {"slug": "a"})
    with pytest.raises(BadCursor):
        paging.decode(KEYS, paging.scope_of("courses", university="fudan"), cursor)
    with pytest.raises(BadCursor):
        paging.decode(KEYS, paging.scope_of("universities"), cursor)


def test_the_last_page_has_no_cursor():
    assert paging.encode(KEYS, "courses", None) is None


def test_a_cursor_survives_a_change_of_the_secret_key():
    cursor = paging.encode(KEYS, "courses", {"slug": "a"})
    assert paging.decode(KeyRing("n" * 32, "k" * 32), "courses", cursor) == {"slug": "a"}


async def walk(client, path, **query):
    """Every item of a list, page by page."""
    items, cursor = [], None
    while True:
        answer = await client.get(path, params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
        assert len(page["items"]) == query["limit"]


async def test_pages_hold_every_item_once_in_order(anyone, admin):
    slugs = [f"university-{number:02}" for number in range(23)]
    for slug in slugs:
        made = await admin.post("/v1/universities", json={"slug": slug, "name": slug})
        assert made.status_code == 201
    assert [each["slug"] for each in await walk(anyone, "/v1/universities", limit=5)] == slugs


@pytest.mark.parametrize("sort", ["newest", "title", "popular"])
async def test_courses_page_in_every_order(anyone, add_course, sort):
    wanted = {f"{sort}-{number}" for number in range(7)}
    for slug in sorted(wanted):
        await add_course(slug, published=True, title={"en": f"Title {slug}"}, level="advanced")
    query = {"limit": 3, "sort": sort, "level": "advanced"}
    found = [each["slug"] for each in await walk(anyone, "/v1/courses", **query)]
    assert len(found) == len(set(found))
    assert wanted <= set(found)
    if sort == "title":
        assert found == sorted(found)


async def test_a_bad_cursor_is_a_problem_of_its_own(anyone):
    answer = await anyone.get("/v1/courses", params={"cursor": "bm90IG9uZQ"})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:academy:problem:bad_cursor"


@pytest.mark.parametrize("limit", ["0", "101", "many"])
async def test_limits_are_1_to_100(anyone, limit):
    answer = await anyone.get("/v1/courses", params={"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/limit"
    assert answer.json()["errors"][0]["in"] == "query"
