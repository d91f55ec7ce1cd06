from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace

import pytest
from playwright.async_api import Page, Route, expect

from academy.keys import KeyRing
from academy.playback import MediaLinks
from tests.fixtures_browser import OpenContext, Watch
from tests.portal.film import Film, Screening, a_published_lecture, begin_screening
from tests.portal.site import SECRET, Site
from tests.portal.watching import until, video

pytestmark = pytest.mark.browser


class Held:
    """A route whose requests wait until they are answered with a status; later ones pass."""

    def __init__(self) -> None:
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self, route: Route) -> None:
        if self._status.done():
            await route.fallback()
        else:
            await route.fulfill(status=await self._status)

    async def answer(self, status: int) -> None:
        self._status.set_result(status)
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
async def ready(site: Site, film: Film) -> Screening:
    """A lecture that plays."""
    screening = await begin_screening(site, film)
    await screening.finish()
    return screening


async def open_lecture(page: Page, screening: Screening) -> None:
    await page.goto(f"{screening.site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")


async def test_a_lecture_plays_and_its_time_advances(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    await page.get_by_role("button", name="Play").first.click()
    await until(page, "v.currentTime > 2 && !v.paused")
    assert await video(page, "v.videoWidth") in {320, 640}
    assert await video(page, "v.duration") == pytest.approx(16, abs=0.2)
    decoded = await video(page, "v.webkitAudioDecodedByteCount")
    assert decoded > 0, "there is no sound"


async def test_the_quality_menu_offers_each_rung_and_switches(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    await page.get_by_role("button", name="Quality").click()
    entries = page.get_by_role("menuitemradio")
    assert [re.sub(r" \(.*", "", text) for text in await entries.all_inner_texts()] == [
        "Auto",
        "360p",
        "180p",
        "Sound only",
    ]
    await page.get_by_role("menuitemradio", name="180p").click()
    await page.get_by_role("button", name="Play").first.click()
    await until(page, "v.videoWidth === 320")
    await page.get_by_role("button", name="Quality").click()
    await page.get_by_role("menuitemradio", name="360p").click()
    await until(page, "v.videoWidth === 640")
    await expect(page.get_by_role("button", name="Quality")).to_have_text("360p")


async def test_sound_alone_loads_no_picture_and_is_kept_for_the_next_lecture(
    page: Page, ready: Screening
) -> None:
    await open_lecture(page, ready)
    await page.keyboard.press("5")
    await until(page, "Math.abs(v.currentTime - 8) < 0.1 && v.readyState >= 2")
    await page.get_by_role("button", name="Quality").click()
    await page.get_by_role("menuitemradio", name="Sound only").click()
    await until(page, "v.videoWidth === 0 && v.readyState >= 2")
    assert await video(page, "v.currentTime") == pytest.approx(8, abs=0.3)
    await expect(page.locator(".player")).to_have_class(re.compile("listen"))
    await expect(page.get_by_role("button", name="Quality")).to_have_text("Sound only")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await until(page, "v?.readyState >= 2 && v.videoWidth === 0")
    await page.keyboard.press("k")
    await until(page, "v.currentTime > 9 && v.webkitAudioDecodedByteCount > 0")
    segments = [url for url in asked if url.endswith(".m4s")]
    assert segments
    assert not [url for url in segments if "/v360/" in url or "/v180/" in url]
    await page.get_by_role("button", name="Quality").click()
    await page.get_by_role("menuitemradio", name="180p").click()
    await until(page, "v.videoWidth === 320 && v.currentTime > 9 && !v.paused")
    await expect(page.locator(".player")).not_to_have_class(re.compile("listen"))


async def test_the_speed_is_kept_for_the_next_lecture(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    await page.get_by_role("button", name="Speed").click()
    await page.get_by_role("menuitemradio", name="1.5×").click()
    assert await video(page, "v.playbackRate") == 1.5
    await page.reload()
    await until(page, "v?.readyState >= 2")
    assert await video(page, "v.playbackRate") == 1.5


async def test_hovering_over_the_seek_bar_shows_the_storyboard(
    page: Page, ready: Screening
) -> None:
    await open_lecture(page, ready)
    bar = await page.locator(".seek").bounding_box()
    assert bar is not None
    tile = page.locator(".tile > div")
    # Thirteen of sixteen seconds: the fourth tile of four seconds each.
    await page.mouse.move(bar["x"] + bar["width"] * 13 / 16, bar["y"] + bar["height"] / 2)
    await expect(page.locator(".tile-time")).to_have_text("0:13")
    await expect(tile).to_have_css("background-position", "-480px 0px")
    await until(
        page,
        "performance.getEntriesByType('resource')"
        ".some((e) => e.name.includes('sprite.jpg') && e.responseStatus === 200)",
    )


async def test_the_keyboard_alone_plays_seeks_and_mutes(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    await page.keyboard.press("k")
    await until(page, "!v.paused")
    await page.keyboard.press("k")
    await until(page, "v.paused")
    await page.keyboard.press("5")
    await until(page, "Math.abs(v.currentTime - 8) < 0.1")
    await page.keyboard.press("ArrowRight")
    await until(page, "Math.abs(v.currentTime - 13) < 0.1")
    await page.keyboard.press("j")
    await until(page, "Math.abs(v.currentTime - 3) < 0.1")
    await page.keyboard.press("m")
    assert await video(page, "v.muted")
    await page.keyboard.press(">")
    assert await video(page, "v.playbackRate") == 1.25
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


async def test_menus_open_move_and_close_by_keyboard(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    button = page.get_by_role("button", name="Speed")
    await button.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitemradio", name="1×")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitemradio", name="1.25×")).to_be_focused()
    await page.keyboard.press("Enter")
    assert await video(page, "v.playbackRate") == 1.25
    await expect(button).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_be_hidden()
    await expect(button).to_be_focused()


async def test_the_seek_bar_tells_and_takes_positions_by_keyboard(
    page: Page, ready: Screening
) -> None:
    await open_lecture(page, ready)
    slider = page.get_by_role("slider", name="Position")
    await slider.focus()
    await page.keyboard.press("ArrowRight")
    await until(page, "Math.abs(v.currentTime - 5) < 0.1")
    await expect(slider).to_have_attribute("aria-valuetext", "5 secs of 16 secs")
    await page.keyboard.press("End")
    await until(page, "v.currentTime > 15")


async def test_watching_resumes_where_it_stopped(page: Page, ready: Screening) -> None:
    await open_lecture(page, ready)
    await page.keyboard.press("6")
    await until(page, "Math.abs(v.currentTime - 9.6) < 0.1")
    await page.reload()
    await until(page, "v?.readyState >= 2 && Math.abs(v.currentTime - 9.6) < 0.2")
    await expect(page.get_by_text("Resumed at 0:09")).to_be_visible()
    await page.get_by_role("button", name="Start over").click()
    await until(page, "v.currentTime < 0.1")
    await page.goto(f"{ready.site.url}/courses/{ready.course.slug}")
    await expect(page.get_by_role("link", name="Continue: The lecture")).to_be_visible()


async def test_the_next_lecture_is_linked_and_listed(
    page: Page, site: Site, film: Film, ready: Screening
) -> None:
    second = await a_published_lecture(site, {"en": "The second"}, ready.course.slug)
    after = await begin_screening(site, film, second)
    await after.finish()
    await open_lecture(page, ready)
    await page.locator("a.next").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The second")
    beside = page.locator("#beside")
    await expect(beside.get_by_role("link", name="The second")).to_have_attribute(
        "aria-current", "page"
    )


async def test_addresses_that_expire_are_renewed_without_losing_the_moment(
    page: Page, ready: Screening, watch: Watch
) -> None:
    """As after twelve hours: what is below the old token is gone, the API hands out a new one."""
    watch.allow("status of 410")
    links = MediaLinks(KeyRing(SECRET), ready.site.url)
    later = replace(links, clock=lambda: time.time() + 13 * 3600)
    old, new = (each.base(ready.media.id, public=True) for each in (links, later))
    assert old != new
    expired = False
    asked: list[str] = []

    async def lecture(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.text()
        await route.fulfill(response=answer, body=body.replace(old, new) if expired else body)

    async def media(route: Route) -> None:
        if expired and route.request.url.startswith(old):
            await route.fulfill(status=410)
        else:
            asked.append(route.request.url)
            await route.continue_()

    await page.route("**/v1/lectures/*", lecture)
    await page.route("**/v1/media/**", media)
    await page.add_init_script("localStorage.setItem('academy.speed', '2')")
    # Held back, so that something is still to be asked for when the addresses expire.
    await page.route("**/5-1.m4s", hold := Held())
    await open_lecture(page, ready)
    await page.keyboard.press("k")
    await until(page, "v.currentTime > 1")
    expired = True
    await hold.answer(410)
    await until(page, "v.currentTime > 11 && !v.paused")
    assert any(url.startswith(new) for url in asked)


async def test_a_lecture_without_a_recording_says_so(page: Page, site: Site) -> None:
    lecture = await a_published_lecture(site, {"en": "Not yet"})
    await page.goto(f"{site.url}/lectures/{lecture.id}")
    await expect(page.get_by_role("heading", name="There is no recording yet")).to_be_visible()


async def test_an_unknown_lecture_is_a_sentence_not_a_blank_page(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 404")
    await page.goto(f"{site.url}/lectures/nothing")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such lecture.")
    await expect(page.get_by_role("alert").get_by_role("link", name="All courses")).to_be_visible()


async def test_a_phone_gets_a_player_as_wide_as_its_screen(
    open_context: OpenContext, ready: Screening
) -> None:
    context = await open_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = await context.new_page()
    await open_lecture(page, ready)
    box = await page.locator(".player").bounding_box()
    assert box is not None
    assert box["width"] == 390
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
