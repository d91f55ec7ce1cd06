"""Whatever clients send, the answer is never a 500."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["zh", "a-slug", "\ud800", "\x00", "$set", "a.b", 2**63, 10**30]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["zh", "en", "id", "title", "number", "md5", "$x", "\ud800", ""]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
texts = st.characters(codec="utf-8")
MEMBERS = {
    "slug": "a-slug",
    "title": {"en": "T"},
    "name": "N",
    "language": "en",
    "sections": [{"title": "S"}],
    "filename": "f",
    "size": 5,
    "numbers": [1],
    "parts": [{"number": 1}],
    "position": 1,
    "content_type": "a/b",
    "visiting": True,
    "universities": ["a-slug"],
    "website": "https://a.test",
    "subject": "x",
    "summary": "s",
}


@st.composite
def bodies(draw):
    """Some members as they should be, some not; sometimes no object at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values)
    chosen = draw(st.sets(st.sampled_from(sorted(MEMBERS)), max_size=5))
    wrong = draw(st.sets(st.sampled_from(sorted(MEMBERS)), max_size=2))
    return {name: draw(values) if name in wrong else MEMBERS[name] for name in chosen | wrong}


@pytest.fixture(scope="module")
async def paths(add_course, add_lecture, teacher):
    await add_course("any")
    lecture = (await add_lecture("any"))["id"]
    begun = await teacher.post(f"/v1/lectures/{lecture}/uploads", json={"filename": "a", "size": 5})
    return [
        ("POST", "/v1/courses"),
        ("PATCH", "/v1/courses/any"),
        ("POST", "/v1/courses/any/lectures"),
        ("PATCH", f"/v1/lectures/{lecture}"),
        ("POST", f"/v1/lectures/{lecture}/uploads"),
        ("POST", f"/v1/uploads/{begun.json()['id']}/parts"),
        ("POST", "/v1/universities"),
        ("POST", "/v1/programmes"),
        ("POST", "/v1/instructors"),
    ]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies(), which=st.integers(0, 8), key=st.none() | st.text(max_size=5))
async def test_any_body_is_taken_or_refused(admin, paths, body, which, key):
    method, path = paths[which]
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key
    encoded = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    answer = await admin.request(method, path, content=json.dumps(body), headers=encoded)
    assert answer.status_code < 500, answer.text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["lang", "limit", "cursor", "sort", "level", "university", "language"]),
        st.text(texts, max_size=6),
        max_size=3,
    ),
    st.text(texts, max_size=6),
)
async def test_any_query_and_path_are_answered(anyone, query, name):
    name = quote(name)
    for path in ("/v1/courses", f"/v1/courses/{name}x", f"/v1/media/{name}/{name}x"):
        answer = await anyone.get(path, params=query, headers={"Accept-Language": "x;q=y"})
        assert answer.status_code < 500, answer.text
