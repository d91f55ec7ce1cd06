"""An access token expires while a recording is sent: whoever sends it signs in again, and it goes on.

The expired token takes the place of the good one when the test says so; the API refuses it as it does any.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from academy import tokens
from academy.keys import KeyRing
from academy.people import Role
from tests.fixtures_browser import Watch
from tests.portal.desk import PART, PARTS, a_draft, claimed, part_number, sign_in
from tests.portal.site import SECRET, Site

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("small_parts")]


@pytest.fixture(scope="module")
def recording_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five parts."""
    path = tmp_path_factory.mktemp("recording") / "long.mp4"
    path.write_bytes(b"".join(bytes([part]) * PART for part in range(4)) + b"end")
    return path


async def expire(page: Page) -> None:
    stale = tokens.issue(KeyRing(SECRET), Role.INSTRUCTOR, "teacher", timedelta(seconds=-60))
    await page.evaluate("token => sessionStorage.setItem('academy.token', token)", stale)


async def sign_in_again(page: Page, token: str) -> None:
    dialog = page.get_by_role("dialog", name="Sign in again")
    await dialog.get_by_label("Access token").fill(token)
    await dialog.get_by_role("button", name="Sign in").click()


async def one_by_one(route: Route) -> None:
    """One lane, one part in each request."""
    served = await route.fetch()
    text = await served.text()
    for usual, here in (("LANES = 6;", "LANES = 1;"), ("32 * 1024 * 1024", "1")):
        assert usual in text
        text = text.replace(usual, here)
    await route.fulfill(response=served, body=text)


class Line:
    """What goes out of the page: the parts that are named wait until the line is open."""

    def __init__(self, *held: int) -> None:
        self.held = set(held)
        self.sent: list[int] = []
        self.all_wait = asyncio.Event()
        self.open = asyncio.Event()

    async def part(self, route: Route) -> None:
        number = part_number(route.request.url)
        if number in self.held:
            self.held.remove(number)
            if not self.held:
                self.all_wait.set()
            await self.open.wait()
        self.sent.append(number)
        await route.continue_()


async def arrived(site: Site, lecture: str, recording_file: Path) -> None:
    job = await claimed(site, lecture)
    recording = await site.stores.recordings.get(job.recording_id)
    pieces = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert pieces == recording_file.read_bytes()
    await site.stores.jobs.cancel(recording.id)


async def test_links_that_an_expired_token_gets_no_more_of_come_with_the_next_one(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 401")
    lecture = await a_draft(site)
    line = Line(2)
    await page.route("**/studio/lane.js", one_by_one)
    await page.route(PARTS, line.part)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_text("Uploading long.mp4")).to_be_visible()
    await line.all_wait.wait()
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "24")

    await expire(page)
    line.open.set()
    dialog = page.get_by_role("dialog", name="Sign in again")
    await expect(dialog).to_be_visible()
    await expect(page.get_by_text("It goes on when you have signed in again")).to_be_visible()
    # Closed without a token, it can be had again.
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    before = list(line.sent)
    assert before == sorted({*before, 1, 2})
    assert len(before) < 5
    await page.locator("#upload").get_by_role("button", name="Sign in").click()
    await sign_in_again(page, site.token())
    await expect(dialog).to_have_count(0)
    await arrived(site, lecture, recording_file)
    assert line.sent == [1, 2, 3, 4, 5], "in one run, nothing twice"


async def test_what_has_arrived_in_full_is_completed_with_the_next_token(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 401")
    lecture = await a_draft(site)
    line = Line(1, 2, 3, 4, 5)
    await page.route(PARTS, line.part)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.locator("#file").set_input_files(recording_file)
    await line.all_wait.wait()
    await expire(page)
    line.open.set()
    await sign_in_again(page, "nonsense")
    await expect(page.get_by_text("It goes on when you have signed in again")).to_be_visible()
    await sign_in_again(page, site.token())
    await arrived(site, lecture, recording_file)
    assert sorted(line.sent) == [1, 2, 3, 4, 5]
    await expect(page.get_by_text("Signed in as teacher")).to_be_visible()


async def test_after_a_reload_with_an_expired_token_the_next_one_finds_the_upload_where_it_was(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 40[14]")
    lecture = await a_draft(site)
    line = Line(3, 4, 5)
    await page.route(PARTS, line.part)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "49")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await expire(page)
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("not valid or has expired")
    again = Line()
    await page.route(PARTS, again.part)
    await page.get_by_label("Access token").fill(site.token())
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("stopped at 49%")).to_be_visible()
    await page.locator("#file").set_input_files(recording_file)
    await arrived(site, lecture, recording_file)
    assert sorted(again.sent) == [3, 4, 5]
