"""Searching as clients do it. The index follows the catalogue by itself here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from academy.search.entries import Cue
from academy.wiring import Backend
from tests.fixtures_api import Client

Make = Callable[..., Awaitable[dict[str, Any]]]
PATIENCE = 30
"""Seconds until something hangs for sure."""


async def search(client: Client, q: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/search", params={"q": q, "limit": 100, **parameters})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """The index follows within milliseconds; how many is nothing to assert."""
    async with asyncio.timeout(PATIENCE):
        while True:
            value = await holds()
            if value:
                return value
            await asyncio.sleep(0.02)


async def appears(client: Client, q: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await until(lambda: search(client, q, **parameters))
    return found


async def test_a_course_is_found_once_it_is_published_and_gone_with_unpublishing(
    anyone: Client, teacher: Client, add_course: Make
) -> None:
    await add_course("entropy", title={"zh": "信息熵导论", "en": "Entropy of information"})
    await add_course("a-later-one", title={"en": "Thermodynamics"}, published=True)
    await appears(anyone, "thermodynamics")  # so the index is past the draft
    assert await search(anyone, "熵") == []
    assert await search(teacher, "熵") == [], "not even its owner searches drafts"
    await teacher.post("/v1/courses/entropy/publish")
    (hit,) = await appears(anyone, "熵")
    assert (hit["type"], hit["course"]["slug"]) == ("course", "entropy")
    await teacher.post("/v1/courses/entropy/unpublish")
    assert await search(anyone, "熵") == [], "at once, without waiting for the index"


async def test_lectures_are_gone_with_their_own_or_their_courses_publication(
    anyone: Client, teacher: Client, add_course: Make, add_lecture: Make
) -> None:
    await add_course("graphs", published=True)
    first = await add_lecture("graphs", title={"en": "Bipartite graphs"}, published=True)
    second = await add_lecture("graphs", title={"en": "Bipartite matching"}, published=True)
    await until(lambda: _count(anyone, "bipartite", 2))
    await teacher.delete(f"/v1/lectures/{first['id']}")
    (hit,) = await search(anyone, "bipartite")
    assert hit["lecture"]["id"] == second["id"]
    await teacher.post("/v1/courses/graphs/unpublish")
    assert await search(anyone, "bipartite") == []


async def _count(client: Client, q: str, wanted: int) -> bool:
    return len(await search(client, q)) == wanted


async def test_a_moment_says_where_in_which_lecture_the_words_are_said(
    anyone: Client, backend: Backend, add_course: Make, add_lecture: Make
) -> None:
    await add_course("streams", title={"zh": "流", "en": "Streams"}, published=True)
    lecture = await add_lecture("streams", title={"zh": "窗口", "en": "Windows"}, published=True)
    cues = [
        Cue(start=0, end=4, text="欢迎大家"),
        Cue(start=61.5, end=65.0, text="水位線 <watermark> 決定窗口何時關閉"),
    ]
    await backend.stores.search.index_captions(lecture["id"], "zh", cues)
    (hit,) = await appears(anyone, "水位线", type="moment", lang="en")
    assert hit["lecture_id"] == lecture["id"]
    assert (hit["start"], hit["end"]) == (61.5, 65.0)
    assert hit["text"] == "水位線 <watermark> 決定窗口何時關閉"
    assert hit["lecture_title"] == "Windows"
    assert hit["course"] == {"slug": "streams", "title": "Streams"}
    (highlight,) = hit["highlights"]
    assert highlight["field"] == "text"
    assert highlight["html"] == "<mark>水位線</mark> &lt;watermark&gt; 決定窗口何時關閉"
    await backend.stores.search.index_captions(lecture["id"], "zh", [])
    assert await search(anyone, "水位线") == []


async def test_highlights_are_escaped_whatever_a_title_says(
    anyone: Client, add_course: Make
) -> None:
    title = "<script>alert('quasar')</script> & \"quasar\""
    await add_course("hostile", title={"en": title}, published=True)
    (hit,) = await appears(anyone, "quasar")
    (highlight,) = hit["highlights"]
    bare = highlight["html"].replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert highlight["html"].count("<mark>quasar</mark>") == 2
    assert hit["course"]["title"] == title


async def test_a_highlight_may_be_of_another_language_than_the_answers(
    anyone: Client, add_course: Make
) -> None:
    await add_course("ontology", title={"zh": "本体论", "en": "Ontology"}, published=True)
    (hit,) = await appears(anyone, "本体论", lang="en")
    assert hit["course"]["title"] == "Ontology"
    (highlight,) = hit["highlights"]
    assert highlight["language"] == "zh"


async def test_courses_are_found_by_who_teaches_them(
    anyone: Client, admin: Client, teacher: Client, add_course: Make
) -> None:
    person = {"slug": "noether", "name": {"en": "Emmy Noether", "zh": "埃米·诺特"}}
    assert (await admin.post("/v1/instructors", json=person)).status_code == 201
    await add_course("algebra", title={"en": "Rings"}, instructors=["noether"], published=True)
    (hit,) = await appears(anyone, "noether")
    assert hit["course"]["slug"] == "algebra"
    assert [each["field"] for each in hit["highlights"]] == ["instructor"]
    renamed = await admin.patch("/v1/instructors/noether", json={"name": {"en": "Amalie Noether"}})
    assert renamed.status_code == 200
    await appears(anyone, "amalie")


async def test_pages_follow_one_another_without_gap_or_repetition(
    anyone: Client, add_course: Make, add_lecture: Make
) -> None:
    await add_course("tensors", title={"en": "Tensors"}, published=True)
    for number in range(6):
        await add_lecture("tensors", title={"en": f"Tensor {number}"}, published=True)
    await until(lambda: _count(anyone, "tensor", 7))
    everything = [key(each) for each in await search(anyone, "tensor")]
    for limit in (1, 2, 3, 7):
        cursor, seen = None, []
        while True:
            asked = {"q": "tensor", "limit": limit} | ({"cursor": cursor} if cursor else {})
            page = (await anyone.get("/v1/search", params=asked)).json()
            assert len(page["items"]) <= limit
            seen += [key(each) for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == everything


def key(hit: dict[str, Any]) -> str:
    return json.dumps([hit["type"], hit.get("course", hit.get("lecture")), hit.get("start")])


async def test_a_cursor_belongs_to_its_query(anyone: Client, add_course: Make) -> None:
    for slug in ("monad-1", "monad-2"):
        await add_course(slug, title={"en": "Monads"}, published=True)
    await until(lambda: _count(anyone, "monads", 2))
    page = await anyone.get("/v1/search", params={"q": "monads", "limit": 1})
    cursor = page.json()["next_cursor"]
    for changed in ({"q": "functors"}, {"q": "monads", "type": "course"}):
        answer = await anyone.get("/v1/search", params={**changed, "cursor": cursor})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "parameters", [{}, {"q": ""}, {"q": "x" * 201}, {"q": "x", "type": "person"}]
)
async def test_a_wrong_question_is_told_so(anyone: Client, parameters: dict[str, str]) -> None:
    answer = await anyone.get("/v1/search", params=parameters)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("q", ["   ", "!?…", "\x00", "的", "(.*)[", "𠮷", "a\u0301", "$where"])
async def test_any_text_may_be_asked_for(anyone: Client, q: str) -> None:
    answer = await anyone.get("/v1/search", params={"q": q})
    assert answer.status_code == 200
