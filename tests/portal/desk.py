"""An instructor at the studio's desk."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from academy.jobs import Job
from tests.documents import a_course, a_lecture
from tests.portal.site import Site

PART = 256 * 1024
"""With `small_parts`, instead of 8 MiB."""
PARTS = re.compile(r"/v1/storage/parts/[^/]+/(\d+)")
"""Signed links of the disk storage."""


def part_number(url: str) -> int:
    match = PARTS.search(url)
    assert match is not None
    return int(match[1])


async def sign_in(page: Page, site: Site, fragment: str = "") -> None:
    await page.goto(f"{site.url}/studio{fragment}")
    await page.get_by_label("Access token").fill(site.token())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Signed in as teacher")).to_be_visible()


async def a_draft(site: Site) -> str:
    course = a_course()
    await site.stores.courses.add(course)
    lecture = await site.stores.courses.add_lecture(
        a_lecture(course.slug, title={"en": "The lecture"})
    )
    return lecture.id


async def claimed(site: Site, lecture: str) -> Job:
    """The job of the recording that the page completes for a lecture."""
    async for _ in site.stores.jobs.changes():
        job = await site.stores.jobs.claim_next("this test")
        if job is not None:
            assert job.lecture_id == lecture, "an earlier test left a job in the queue"
            return job
    raise AssertionError("the stream of changes ended")
