"""A learner in the portal: enrols, watches, completes, gets a certificate, and everybody can check it."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from academy.certificates import Certificate
from academy.completion_rules import CompletionRules
from academy.enrolment import Enrolment
from academy.people import Role
from academy.store_values import Changes
from tests.fixtures_browser import OpenContext, Watch
from tests.portal.film import Film, Screening, begin_screening
from tests.portal.site import Site
from tests.portal.test_accessibility import complaints
from tests.portal.watching import until, video

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def screening(site: Site, film: Film) -> Screening:
    """A course of one lecture of sixteen seconds, of which a fifth must be watched."""
    begun = await begin_screening(site, film)
    await begun.finish()
    course = await site.stores.courses.get(begun.course.slug)
    rules = CompletionRules(share=0.2).model_dump()
    await site.stores.courses.change(
        course.slug, Changes(revision=course.revision, fields={"completion": rules})
    )
    return begun


async def sign_in(page: Page, site: Site, subject: str) -> None:
    await page.get_by_label("Access token").fill(site.token(subject, Role.LEARNER))
    await page.get_by_role("button", name="Sign in").click()


async def watched(site: Site, screening: Screening, subject: str, seconds: float) -> float:
    """Waits until the account has that much of the lecture; returns where it stopped."""
    while True:
        kept = await site.stores.progress.of_course(subject, screening.course.slug)
        progress = kept.get(screening.lecture.id)
        if progress is not None and progress.covered(16) >= seconds:
            return progress.position
        await asyncio.sleep(0.1)


async def test_a_learner_enrols_watches_completes_and_is_certified(
    page: Page, open_context: OpenContext, site: Site, screening: Screening
) -> None:
    await page.goto(f"{site.url}/courses/{screening.course.slug}")
    await page.get_by_role("link", name="Sign in to enrol").click()
    await sign_in(page, site, "lea")
    await page.get_by_role("button", name="Enrol").click()
    await expect(page.get_by_role("link", name="Enrolled")).to_be_visible()

    await page.get_by_role("link", name="Enrolled").click()
    await expect(page.get_by_text("0 of 1 lectures done")).to_be_visible()
    assert await complaints(page) == []
    await page.get_by_role("link", name="Begin: The lecture").click()
    await until(page, "v?.readyState >= 2")
    await page.get_by_role("button", name="Play").first.click()
    await until(page, "v.currentTime > 1.6")
    # A dragged slider does not count; leaving the page reports without being asked.
    await video(page, "v.currentTime = 10")
    await until(page, "v.currentTime > 12.2")
    await page.goto(f"{site.url}/learn")
    position = await watched(site, screening, "lea", 3.2)
    assert position > 12

    await page.reload()
    await expect(page.get_by_text("1 of 1 lectures done")).to_be_visible()
    share = await page.locator(".attendance .bar").get_attribute("aria-label")
    assert share is not None
    assert int(share.removesuffix("% watched")) < 60

    await page.get_by_label("Name on the certificate").fill("Léa 张三")
    await page.get_by_role("button", name="Get the certificate").click()
    await page.wait_for_url("**/certificates/*")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Léa 张三")

    stranger = await (await open_context()).new_page()
    await stranger.goto(page.url)
    await expect(stranger.get_by_text("This certificate is genuine and valid")).to_be_visible()
    await expect(stranger.get_by_role("link", name="The course")).to_be_visible()
    assert await complaints(stranger) == []
    printed = await stranger.get_by_role("link", name="Print it (PDF)").get_attribute("href")
    answer = await stranger.request.get(f"{site.url}{printed}")
    assert answer.headers["content-type"] == "application/pdf"
    assert (await answer.body()).startswith(b"%PDF-")


async def test_one_resumes_on_another_device(
    open_context: OpenContext, site: Site, screening: Screening
) -> None:
    await site.stores.enrolments.enrol(Enrolment(subject="max", course=screening.course.slug))
    desk = await (await open_context()).new_page()
    await desk.goto(f"{site.url}/learn?next=/lectures/{screening.lecture.id}")
    await sign_in(desk, site, "max")
    await until(desk, "v?.readyState >= 2")
    await video(desk, "v.currentTime = 7")
    await video(desk, "v.play()")
    await until(desk, "v.currentTime > 8")
    await video(desk, "v.pause()")
    position = await watched(site, screening, "max", 0.5)

    phone = await (await open_context(viewport={"width": 390, "height": 800})).new_page()
    await phone.goto(f"{site.url}/learn")
    await sign_in(phone, site, "max")
    await phone.get_by_role("link", name="Continue: The lecture").click()
    await until(phone, "v?.readyState >= 2 && v.currentTime > 6")
    assert await video(phone, "v.currentTime") == pytest.approx(position, abs=0.5)


async def test_a_code_that_is_none_is_said_to_be_none(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("404")
    await page.goto(f"{site.url}/certificates/00000-00000-00000-00000-00000")
    await expect(page.get_by_text("This certificate cannot be verified")).to_be_visible()


async def test_a_revoked_certificate_is_said_to_be_revoked_and_why(page: Page, site: Site) -> None:
    title = {"en": "A course that was"}
    held = Certificate(
        subject="cheat", name="Somebody", course="was", title=title, language="en", lectures=1,
        duration=60.0, share=0.9,
    )  # fmt: skip
    await site.stores.certificates.issue(held)
    await site.stores.certificates.revoke(held.code, "Somebody else watched.")
    await page.goto(f"{site.url}/certificates/{held.code}")
    verdict = page.locator("#certificate").get_by_role("status")
    await expect(verdict).to_contain_text("This certificate was revoked on")
    await expect(verdict).to_contain_text("Somebody else watched.")
    await expect(page.get_by_text("genuine and valid")).to_have_count(0)


async def test_a_learner_takes_and_erases_their_data(
    page: Page, site: Site, screening: Screening
) -> None:
    await page.goto(f"{site.url}/learn")
    await sign_in(page, site, "ida")
    await expect(page.get_by_text("You are not enrolled in a course yet")).to_be_visible()
    await page.goto(f"{site.url}/courses/{screening.course.slug}")
    await page.get_by_role("button", name="Enrol").click()
    await page.get_by_role("link", name="Enrolled").click()
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Download my data").click()
    path = await (await saving.value).path()
    assert screening.course.slug in path.read_text()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Erase my data").click()
    await expect(page.get_by_text("You are not enrolled in a course yet")).to_be_visible()
    assert await site.stores.enrolments.get("ida", screening.course.slug) is None


async def test_the_studio_shows_how_far_learners_get(
    page: Page, site: Site, screening: Screening
) -> None:
    await page.goto(f"{site.url}/studio#/courses/{screening.course.slug}")
    await page.get_by_label("Access token").fill(site.token())
    await page.get_by_role("button", name="Sign in").click()
    audience = page.locator("#statistics")
    await expect(audience.get_by_text("Enrolled")).to_be_visible()
    await expect(audience.locator("svg polyline")).to_have_count(1)
    await expect(audience.get_by_text("The lecture:")).to_be_visible()
    assert await complaints(page) == []
