"""An instructor at the studio's desk."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.documents import a_course, a_lecture
from tests.portal.site import Site


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
