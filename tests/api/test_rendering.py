"""Read models are rendered by hand: what comes out has the shapes that the API's description promises."""

from __future__ import annotations

import pytest

from api.app import KEPT
from api.representations import CourseDetail, CourseOut, LectureOut, Listing
from tests.openapi_drift import described


@pytest.fixture(scope="module")
async def lecture(admin, add_course, add_lecture):
    await admin.post("/v1/instructors", json={"slug": "li", "name": {"en": "Li"}})
    await admin.post("/v1/universities", json={"slug": "same", "name": {"en": "Wuhan"}})
    await admin.post("/v1/programmes", json={"slug": "same", "name": {"en": "Data science"}})
    made = await add_course(
        "rendered",
        published=True,
        instructors=["li"],
        universities=["same"],
        programme="same",
        summary={"en": "In short"},
        description={"en": "At length"},
        level="beginner",
        sections=[{"title": "One"}, {"title": "Two"}],
    )
    await add_lecture("rendered", published=True)
    section = made["sections"][1]["id"]
    return await add_lecture("rendered", published=True, section=section, instructors=["li"])


@pytest.mark.parametrize("lang", ["en", "*"])
@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/courses", Listing[CourseOut]),
        ("/v1/courses/rendered", CourseDetail),
        ("/v1/lectures/{id}", LectureOut),
    ],
)
async def test_what_is_rendered_has_every_member_described_and_no_other(
    anyone, lecture, path, shape, lang
):
    answer = await anyone.get(path.format(**lecture), params={"lang": lang})
    assert answer.status_code == 200, answer.text
    assert shape.model_validate(answer.json(), strict=False).model_dump(mode="json") == (
        answer.json()
    )


async def test_a_programme_and_a_university_of_one_slug_keep_their_names(anyone, lecture):
    course = (await anyone.get("/v1/courses/rendered?lang=en")).json()
    assert course["programme"]["name"] == "Data science"
    assert course["universities"][0]["name"] == "Wuhan"
    assert [section["title"] for section in course["sections"]] == ["One", "Two", None]
    assert [len(section["lectures"]) for section in course["sections"]] == [0, 1, 1]


def test_the_cache_knows_every_parameter_of_what_it_keeps(app):
    """A parameter that is left out of the key would give one reader another's answer."""
    operations = {
        operation["operationId"]: (path, operation)
        for path, methods in described()["paths"].items()
        for operation in methods.values()
    }
    addresses = {each.template: each for each in app.state.response_cache.addresses}
    assert set(KEPT) <= set(operations)
    assert len(addresses) == len(KEPT)
    for name in KEPT:
        path, operation = operations[name]
        described_ = {
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"
        }
        assert addresses[path].parameters == described_, name
        headers = {
            each["name"].lower()
            for each in operation.get("parameters", ())
            if each["in"] == "header"
        }
        assert headers <= {"accept-language", "if-none-match"}, name
