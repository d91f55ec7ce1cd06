"""The TypeScript client, compiled and at work in a browser, beside the portal.

That its generated types are current is checked by `make lint`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from academy.people import Role
from tests.documents import a_course, a_lecture
from tests.node import compile_client
from tests.portal.site import Site

pytestmark = pytest.mark.browser
COURSES = 14


@pytest.fixture(scope="module")
async def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await compile_client(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module", autouse=True)
async def lecture(site: Site) -> str:
    """Of the last of `COURSES` courses, which the account `teacher` owns."""
    for number in range(COURSES):
        course = a_course(
            title={"en": f"Course {number:02}", "zh": f"课程{number:02}"},
            published_at=f"2026-01-{number + 1:02}T00:00:00Z",
        )
        await site.stores.courses.add(course)
    made = a_lecture(course.slug, title={"en": "A lecture"})
    return (await site.stores.courses.add_lecture(made)).id


@pytest.fixture
async def beside(page: Page, site: Site, compiled: Path) -> Page:
    """The portal's front page, where the client can be imported from `/client/index.js`."""

    async def serve(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        await route.fulfill(
            body=(compiled / name).read_text(), content_type="text/javascript; charset=utf-8"
        )

    await page.route("**/client/*.js", serve)
    await page.goto(site.url)
    return page


async def test_it_reads_what_the_portal_shows(beside: Page) -> None:
    await expect(beside.locator("#courses")).to_have_attribute("aria-busy", "false")
    await beside.get_by_role("button", name="Load more").click()
    await expect(beside.locator("#courses h3")).to_have_count(COURSES)
    titles = await beside.evaluate(
        """async () => {
          const { createAcademy, items } = await import('/client/index.js');
          const academy = createAcademy({ baseUrl: location.origin, language: 'en' });
          const page = (cursor) =>
            academy.GET('/v1/courses', { params: { query: { limit: 5, ...(cursor && { cursor }) } } });
          const titles = [];
          for await (const course of items(page)) titles.push(course.title);
          return titles;
        }"""
    )
    assert titles == await beside.locator("#courses h3").all_inner_texts()


async def test_a_problem_is_an_error_with_a_code(beside: Page, watch) -> None:
    watch.allow("status of 404")
    problem = await beside.evaluate(
        """async () => {
          const { createAcademy, unwrap } = await import('/client/index.js');
          const academy = createAcademy({ baseUrl: location.origin });
          const path = { lecture_id: 'none' };
          try {
            await unwrap(academy.GET('/v1/lectures/{lecture_id}', { params: { path } }));
          } catch (error) {
            return [error.name, error.code, error.message, error.response.status];
          }
        }"""
    )
    assert problem[:2] == ["ProblemError", "not_found"]
    assert problem[3] == 404


async def test_it_writes_conditionally_and_as_merge_patches(beside: Page, site: Site) -> None:
    token = site.token("root", Role.ADMIN)
    seen = await beside.evaluate(
        """async (token) => {
          const { createAcademy, unwrap } = await import('/client/index.js');
          const academy = createAcademy({ baseUrl: location.origin, token: async () => token });
          const made = await academy.POST('/v1/universities', {
            body: { slug: 'by-client', name: { en: 'One' } },
            params: { header: { 'idempotency-key': 'k' } },
          });
          const params = {
            path: { slug: 'by-client' }, query: { lang: 'en' },
            header: { 'if-match': made.response.headers.get('ETag') },
          };
          const changed = academy.PATCH('/v1/universities/{slug}', { params, body: { name: { en: 'Two' } } });
          return (await unwrap(changed)).name;
        }""",
        token,
    )
    assert seen == "Two"


async def test_it_uploads_resumes_and_follows(beside: Page, site: Site, lecture: str) -> None:
    """Nine million bytes are two parts; the second client finds the first one there."""
    result = await beside.evaluate(
        """async ([token, lectureId]) => {
          const { createAcademy, recordingEvents, unwrap, uploadRecording } = await import('/client/index.js');
          const academy = createAcademy({ baseUrl: location.origin, token });
          const file = new File([new Uint8Array(9_000_000)], 'lecture.mp4', { type: 'video/mp4' });
          const stop = new AbortController();
          let uploadId;
          const onBegin = (id) => { uploadId = id; };
          let sent = 0;
          try {
            await uploadRecording(academy, lectureId, file, {
              onBegin, onProgress: () => { sent += 1; stop.abort(); }, signal: stop.signal,
            });
          } catch (aborted) {
            if (aborted.name !== 'AbortError') throw aborted;
          }
          const calls = [];
          const watched = window.fetch;
          window.fetch = (...given) => {
            if (given[1]?.method === 'PUT') calls.push(given[0]);
            return watched(...given);
          };
          const recording = await uploadRecording(academy, lectureId, file, { uploadId });
          window.fetch = watched;
          const states = [];
          for await (const event of recordingEvents(academy, lectureId)) {
            states.push(event.state);
            if (event.state === 'queued') {
              const path = { lecture_id: lectureId };
              await unwrap(academy.POST('/v1/lectures/{lecture_id}/recording/cancel', { params: { path } }));
            }
          }
          return { sent, resent: calls.length, recording, states };
        }""",
        [site.token(), lecture],
    )
    assert result["sent"] == 1
    assert result["resent"] == 1
    assert result["states"] == ["queued", "cancelled"]
    newest = await site.stores.recordings.newest(lecture)
    assert newest is not None
    assert newest.id == result["recording"]
