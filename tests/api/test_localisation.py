from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
async def course(add_course, add_lecture, admin):
    await admin.post(
        "/v1/universities",
        json={"slug": "fudan", "name": {"zh": "复旦大学", "en": "Fudan University"}},
    )
    await add_course(
        "words",
        published=True,
        title={"zh": "词", "en": "Words", "fr": "Mots"},
        summary={"zh": "简介"},
        universities=["fudan"],
        sections=[{"title": {"zh": "第一章", "en": "Chapter one"}}],
    )
    await add_lecture("words", published=True, title={"en": "Only English"})


@pytest.mark.parametrize(
    ("lang", "accept", "title", "language"),
    [
        (None, None, "词", "zh"),
        ("en", None, "Words", "en"),
        ("en-GB", None, "Words", "en"),
        (None, "en", "Words", "en"),
        (None, "de, fr;q=0.5, en;q=0.1", "Mots", "fr"),
        (None, "en;q=0, fr", "Mots", "fr"),
        ("fr", "en", "Mots", "fr"),
        ("de", "en", "词", "zh"),
        ("de,fr", None, "Mots", "fr"),
        (None, "*", "词", "zh"),
        (None, "nonsense;;;q=x, , en", "Words", "en"),
    ],
)
async def test_the_reader_gets_the_language_asked_for_or_the_courses_own(
    anyone, course, lang, accept, title, language
):
    headers = {"Accept-Language": accept} if accept else {}
    query = {"lang": lang} if lang else {}
    answer = await anyone.get("/v1/courses/words", params=query, headers=headers)
    assert answer.json()["title"] == title
    assert answer.headers["content-language"] == language
    # With `lang` in the address a cache on the way need not look at the header.
    assert ("Accept-Language" in answer.headers["vary"]) == (lang is None)


async def test_every_text_falls_back_on_its_own(anyone, course):
    answer = (await anyone.get("/v1/courses/words?lang=en")).json()
    assert answer["summary"] == "简介"
    assert answer["universities"] == [{"slug": "fudan", "name": "Fudan University"}]
    titles = [
        (part["title"], [each["title"] for each in part["lectures"]]) for part in answer["sections"]
    ]
    assert titles == [("Chapter one", []), (None, ["Only English"])]


async def test_a_star_returns_the_maps(anyone, course):
    answer = await anyone.get("/v1/courses/words?lang=*")
    assert answer.json()["title"] == {"zh": "词", "en": "Words", "fr": "Mots"}
    assert answer.json()["universities"][0]["name"] == {"zh": "复旦大学", "en": "Fudan University"}
    assert "content-language" not in answer.headers


async def test_a_list_names_every_language_it_is_in(anyone, course, add_course):
    await add_course("only-zh", published=True, title="只有中文")
    answer = await anyone.get("/v1/courses?lang=en&sort=title")
    assert set(answer.headers["content-language"].split(", ")) == {"en", "zh"}


async def test_what_is_no_language_is_refused(anyone, course):
    answer = await anyone.get("/v1/courses/words", params={"lang": "no language!"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/lang"


async def test_another_language_is_another_tag(anyone, course):
    one = await anyone.get("/v1/courses/words?lang=en")
    other = await anyone.get("/v1/courses/words?lang=zh")
    assert one.headers["etag"] != other.headers["etag"]
    assert one.headers["etag"].split(".")[0] == other.headers["etag"].split(".")[0]


async def test_a_plain_string_means_the_resources_own_language(teacher):
    body = {"slug": "plain", "title": "Clair", "language": "fr", "sections": [{"title": "Un"}]}
    await teacher.post("/v1/courses", json=body)
    lecture = await teacher.post("/v1/courses/plain/lectures", json={"title": "Leçon"})
    other = await teacher.post(
        "/v1/courses/plain/lectures", json={"title": "Lesson", "language": "en"}
    )
    course = (await teacher.get("/v1/courses/plain?lang=*")).json()
    assert course["title"] == {"fr": "Clair"}
    assert course["sections"][0]["title"] == {"fr": "Un"}
    titles = [
        (await teacher.get(f"/v1/lectures/{made.json()['id']}?lang=*")).json()["title"]
        for made in (lecture, other)
    ]
    assert titles == [{"fr": "Leçon"}, {"en": "Lesson"}]
