from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from academy.jobs import Failure, FailureKind
from tests.fixtures_browser import Watch
from tests.portal.film import Film, a_published_lecture, begin_screening
from tests.portal.site import Site
from tests.portal.watching import until, video

pytestmark = pytest.mark.browser


async def test_a_lecture_is_watched_while_it_grows_and_turns_final_without_a_jump(
    page: Page, site: Site, film: Film
) -> None:
    screening = await begin_screening(site, film)
    await page.goto(f"{site.url}/lectures/{screening.lecture.id}")
    await expect(page.get_by_role("heading", name="This lecture is being prepared")).to_be_visible()

    await screening.show(2)
    await until(page, "v?.readyState >= 2")  # by itself: nobody reloads the page
    assert await video(page, "v.currentTime") == 0
    notice = page.locator("#notices")
    await expect(notice).to_contain_text("4 secs of 16 secs can be watched")
    await expect(page.locator(".time")).to_contain_text("/ 0:16")

    await page.evaluate(
        """() => {
          const video = document.querySelector('video');
          video.playbackRate = 2;
          window.jumps = [];
          let last = video.currentTime;
          video.addEventListener('timeupdate', () => {
            if (video.currentTime < last || video.currentTime > last + 2) jumps.push([last, video.currentTime]);
            last = video.currentTime;
          });
          for (const name of ['emptied', 'loadstart']) video.addEventListener(name, () => jumps.push(name));
        }"""
    )
    await page.keyboard.press("k")
    await until(page, "v.currentTime > 3")
    await expect(page.get_by_text("The next part is being processed")).to_be_visible()
    await screening.show(5)
    await until(page, "v.currentTime > 6")
    await expect(page.get_by_text("The next part is being processed")).to_be_hidden()
    await expect(notice).to_contain_text("10 secs of 16 secs can be watched")

    await screening.finish()
    await expect(notice).to_contain_text("Processing has finished")
    await until(page, "v.ended")
    assert await video(page, "v.currentTime") == pytest.approx(16, abs=0.3)
    assert await page.evaluate("jumps") == []


async def test_what_is_not_there_yet_cannot_be_reached(page: Page, site: Site, film: Film) -> None:
    screening = await begin_screening(site, film)
    await screening.show(3)
    await page.goto(f"{site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")
    await page.keyboard.press("9")
    await until(page, "v.currentTime > 5 && v.currentTime < 6")
    await site.stores.jobs.cancel(screening.job.recording_id)


async def test_a_growing_lecture_that_fails_says_so(
    page: Page, site: Site, film: Film, watch: Watch
) -> None:
    watch.allow("status of 410")
    screening = await begin_screening(site, film)
    await screening.show(2)
    await page.goto(f"{site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")
    failure = Failure(code="broken", message="It broke.", kind=FailureKind.BUG)
    await site.stores.jobs.fail(screening.job, failure)
    await expect(
        page.get_by_role("heading", name="The recording could not be processed")
    ).to_be_visible(timeout=20_000)
    await expect(page.locator("video")).to_have_count(0)


async def test_a_replacement_that_is_being_processed_leaves_the_old_recording_playing(
    page: Page, site: Site, film: Film
) -> None:
    lecture = await a_published_lecture(site, {"en": "Twice recorded"})
    await (await begin_screening(site, film, lecture)).finish()
    second = await begin_screening(site, film, lecture)
    await second.show(2)
    await page.goto(f"{site.url}/lectures/{lecture.id}")
    await until(page, "v?.readyState >= 2")
    assert await video(page, "v.duration") == pytest.approx(16, abs=0.2)
    await expect(page.locator("#notices")).to_be_empty()
    await second.finish()


COUNT_LOADS = """() => {
  window.loads = 0;
  document.querySelector('video').addEventListener('emptied', () => (loads += 1));
}"""


async def test_rungs_that_come_later_are_taken_at_a_pause_without_losing_the_moment(
    page: Page, site: Site, film: Film
) -> None:
    screening = await begin_screening(site, film, later=["v360"])
    await screening.show(3)
    await page.goto(f"{site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")
    await page.evaluate(COUNT_LOADS)
    await page.keyboard.press("k")
    await until(page, "v.currentTime > 2")
    assert await video(page, "v.videoWidth") == 320
    await screening.finish()
    await expect(page.locator("#notices")).to_contain_text("Processing has finished")
    assert await page.evaluate("loads") == 0, "playing must not be disturbed"
    before = await video(page, "v.currentTime")
    await page.keyboard.press("k")
    await until(page, "loads === 1 && v.paused && v.readyState >= 2 && v.videoWidth === 640")
    assert before <= await video(page, "v.currentTime") < before + 2
    await expect(page.locator(".frozen")).to_have_count(0)
    await page.keyboard.press("k")
    await until(page, "v.ended")
    assert await page.evaluate("loads") == 1


async def test_a_viewer_who_asks_for_a_later_rung_gets_it_at_once_and_goes_on_playing(
    page: Page, site: Site, film: Film
) -> None:
    screening = await begin_screening(site, film, later=["v360"])
    await screening.show(3)
    await page.goto(f"{site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")
    await page.keyboard.press("k")
    await until(page, "v.currentTime > 1")
    await screening.finish()
    await expect(page.locator("#notices")).to_contain_text("Processing has finished")
    at = await video(page, "v.currentTime")
    await page.get_by_role("button", name="Quality").click()
    await page.get_by_role("menuitemradio", name="360p").click()
    await until(page, f"v.videoWidth === 640 && !v.paused && v.currentTime > {at}")
