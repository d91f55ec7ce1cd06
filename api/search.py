"""Searching: what everybody may see, best first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Response

from academy.catalogue import Document, Named
from academy.localised import LanguageTag
from academy.search.entries import Kind
from academy.search.folding import folded
from academy.search.hits import CourseHit, Hit, LectureHit
from academy.search.query import LONGEST_QUERY, parse
from api import paging
from api.answers import answer
from api.context import Context, Reader
from api.found import Finding, FoundOut
from api.routing import LIST, router

routes: Final = router("catalogue")


@routes.get("/search", response_model=FoundOut, responses=LIST)
async def search(
    context: Reader,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=LONGEST_QUERY,
            description="Words in Chinese, English or French, mixed as you like; all must be there. The "
            "last one may be unfinished, unless a space follows it",
            examples=["Spark 实时计算"],
        ),
    ],
    type: Annotated[  # noqa: A002 - the contract's name
        Kind | None, Query(description="Only courses, lectures, or moments of lectures")
    ] = None,
    language: Annotated[
        LanguageTag | None,
        Query(description="Only courses and lectures taught, and captions, in this language"),
    ] = None,
    limit: paging.Limit = paging.USUAL_LIMIT,
    cursor: paging.Cursor = None,
) -> Response:
    """Courses, lectures and moments of lectures in which the words are said.

    Whole words come before words that only begin so, titles before descriptions, courses before lectures
    before moments, and what is watched more before what is watched less. `lang` chooses the language of
    the answer's texts, as everywhere; it selects nothing.
    """
    keys = context.services.backend.keys
    scope = paging.scope_of("search", q=folded(q), t=type, l=language)
    query = await asyncio.to_thread(parse, q)
    page = await context.stores.search.find(
        query,
        kinds=tuple(Kind) if type is None else (type,),
        language=language,
        limit=limit,
        after=paging.decode(keys, scope, cursor),
    )
    named = await _named(context, page.items)
    public_url = context.services.backend.settings.public_url
    finding = Finding(query, named, context.languages, public_url)
    items = await asyncio.to_thread(finding.all, page.items)
    listing = FoundOut(items=items, next_cursor=paging.encode(keys, scope, page.next))
    return answer(context, listing)


async def _named(context: Context, hits: Sequence[Hit]) -> Named:
    """Who and what the courses and lectures on this page name."""
    stores = context.stores
    courses = [hit.course for hit in hits if isinstance(hit, CourseHit)]
    lectures = [hit for hit in hits if isinstance(hit, LectureHit)]
    people = [course.instructors for course in courses]
    people += [hit.lecture.instructors or hit.course.instructors for hit in lectures]
    universities, programmes, instructors = await asyncio.gather(
        _by_slug(stores.universities.get_many, [each.universities for each in courses]),
        _by_slug(stores.programmes.get_many, [[each.programme or ""] for each in courses]),
        _by_slug(stores.instructors.get_many, people),
    )
    return Named(universities, programmes, instructors)


async def _by_slug(get_many: Any, groups: Iterable[Sequence[str]]) -> dict[str, Document]:
    slugs = sorted({slug for group in groups for slug in group if slug})
    found = await get_many(slugs) if slugs else []
    return {each.slug: {"_id": each.slug, **each.model_dump()} for each in found}
