"""A course's statistics, for those who teach it."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from api.answers import answer
from api.context import Writer
from api.learner_representations import CourseStatistics
from api.routing import problems, router

routes: Final = router("statistics")


@routes.get(
    "/courses/{slug}/statistics",
    response_model=CourseStatistics,
    responses=problems(401, 403, 404, 422, 503),
)
async def get_statistics(context: Writer, slug: str) -> Response:
    """How many learners, how far they get, and where they leave. Counts only, never who."""
    audience = await context.services.learners.audiences.of(context.access, slug)
    return answer(context, CourseStatistics.of(slug, audience, context.languages))
