"""The administrators' page: what failed, with ffmpeg's last lines, and trying it again."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from academy.jobs import Failure, FailureKind, JobState
from academy.people import Role
from tests.documents import a_claim_of, a_lecture_in
from tests.fixtures_browser import Watch
from tests.portal.film import a_published_lecture
from tests.portal.site import Site
from tests.portal.test_accessibility import complaints

pytestmark = pytest.mark.browser


async def sign_in(page: Page, site: Site, role: Role) -> None:
    await page.goto(f"{site.url}/admin")
    await page.get_by_label("Access token").fill(site.token("root", role))
    await page.get_by_role("button", name="Sign in").click()


async def test_an_administrator_sees_why_a_job_failed_and_tries_it_again(
    page: Page, site: Site
) -> None:
    lecture = await a_lecture_in(site.stores)
    job = await a_claim_of(site.stores, lecture)
    failure = Failure(
        code="broken", message="It broke.", kind=FailureKind.BUG, detail="[h264] <b>bad</b> NAL"
    )
    await site.stores.jobs.fail(job, failure)
    await site.stores.operating.report(
        "host:7", leases=0, encoders=4, encoder="9.0", profile="default"
    )
    await sign_in(page, site, Role.ADMIN)
    await expect(page.get_by_role("heading", name="host:7")).to_be_visible()
    for panel, figure in (("Queue", "Failed"), ("Storage", "Total")):
        shown = page.locator("section", has=page.get_by_role("heading", name=panel, exact=True))
        await expect(shown.locator("dt", has_text=figure)).to_be_visible()
    await page.get_by_text("Last lines of ffmpeg").click()
    await expect(page.get_by_text("[h264] <b>bad</b> NAL")).to_be_visible()
    assert await complaints(page) == []
    await page.get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("Tried again")).to_be_visible()
    newest = await site.stores.jobs.newest(job.recording_id)
    assert newest is not None
    assert (newest.state, newest.id != job.id) == (JobState.QUEUED, True)
    await page.get_by_label("State").select_option("queued")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_text("There are no such jobs.")).to_be_visible()


async def test_an_instructor_is_sent_away(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("403")
    await sign_in(page, site, Role.INSTRUCTOR)
    await expect(page.get_by_text("not an administrator’s")).to_be_visible()


async def test_an_administrator_takes_a_lecture_down_and_its_viewers_are_told(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 404")
    lecture = await a_published_lecture(site, {"en": "Not for everybody"})
    job = await a_claim_of(site.stores, lecture)
    await site.stores.jobs.fail(
        job, Failure(code="broken", message="It broke.", kind=FailureKind.BUG)
    )
    await sign_in(page, site, Role.ADMIN)
    await expect(page.get_by_text("Nothing has been taken down.")).to_be_visible()
    await page.get_by_label("Address or id").fill(f"{site.url}/lectures/{lecture.id}?t=3")
    await page.get_by_label("Reason").fill("Complaint 17")
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Take down").click()
    await expect(page.get_by_role("heading", name="Not for everybody")).to_be_visible()
    await expect(page.get_by_text("Complaint 17")).to_be_visible()
    again = page.get_by_role("link", name="Upload a corrected recording")
    await expect(again).to_have_attribute("href", f"/studio#/lectures/{lecture.id}")
    assert await complaints(page) == []
    await page.evaluate("sessionStorage.clear()")
    await page.goto(f"{site.url}/lectures/{lecture.id}")
    await expect(page.get_by_role("heading", name="This lecture was taken down")).to_be_visible()
    await expect(page.get_by_role("alert").get_by_role("link", name="All courses")).to_be_visible()
