"""Chapters in the player, and a lecture that has no picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from academy.media import ChapterMark
from tests.fixtures_footage import Footage
from tests.portal.film import Film, Screening, begin_screening, make_film
from tests.portal.site import Site
from tests.portal.watching import until, video

pytestmark = pytest.mark.browser

PARTS = ((0.0, 5.0), (5.0, 11.5), (11.5, 16.0))


@pytest.fixture(scope="module")
async def parts(site: Site, film: Film) -> Screening:
    """Three chapters, each with the same thumbnail."""
    chapters = [
        ChapterMark(
            start=start,
            end=end,
            title={"zh": f"第 {number} 页", "en": f"Slide {number}"},
            thumbnail="poster.jpg",
        )
        for number, (start, end) in enumerate(PARTS, 1)
    ]
    publication = film.publication.model_copy(update={"chapters": chapters})
    screening = await begin_screening(site, replace(film, publication=publication))
    await screening.finish()
    return screening


async def open_lecture(page: Page, screening: Screening) -> None:
    await page.goto(f"{screening.site.url}/lectures/{screening.lecture.id}")
    await until(page, "v?.readyState >= 2")


async def test_chapters_lead_to_their_moment_and_tell_where_one_is(
    page: Page, parts: Screening
) -> None:
    await open_lecture(page, parts)
    entries = page.locator(".chapter")
    await expect(entries).to_have_count(3)
    await expect(entries.nth(0)).to_have_attribute("aria-current", "true")
    await expect(entries.nth(1)).to_contain_text("Slide 2")
    await expect(entries.nth(1)).to_contain_text("0:05")
    await entries.nth(2).click()
    await until(page, "Math.abs(v.currentTime - 11.5) < 0.1")
    await expect(entries.nth(2)).to_have_attribute("aria-current", "true")
    await expect(entries.nth(0)).not_to_have_attribute("aria-current", "true")
    await until(
        page, "[...document.querySelectorAll('.chapter img')].every((i) => i.naturalWidth > 0)"
    )


async def test_the_seek_bar_shows_where_chapters_begin_and_names_them(
    page: Page, parts: Screening
) -> None:
    await open_lecture(page, parts)
    marks = page.locator(".seek-marks i")
    await expect(marks).to_have_count(2)
    bar = await page.locator(".seek-track").bounding_box()
    mark = await marks.nth(0).bounding_box()
    assert bar is not None
    assert mark is not None
    assert mark["x"] + mark["width"] / 2 == pytest.approx(bar["x"] + bar["width"] * 5 / 16, abs=2)
    await page.mouse.move(bar["x"] + bar["width"] * 8 / 16, bar["y"] + bar["height"] / 2)
    await expect(page.locator(".tile-chapter")).to_have_text("Slide 2")


async def test_a_lecture_without_chapters_has_no_strip(page: Page, site: Site, film: Film) -> None:
    screening = await begin_screening(site, film)
    await screening.finish()
    await open_lecture(page, screening)
    await expect(page.locator(".chapter-strip")).to_be_hidden()


async def test_a_lecture_to_listen_to_shows_its_picture_while_it_plays(
    page: Page, site: Site, footage: Footage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("listening")
    made = await make_film(folder, footage("audio_only"))
    screening = await begin_screening(site, made)
    await screening.finish()
    await open_lecture(page, screening)
    await page.get_by_role("button", name="Play").first.click()
    await until(page, "v.currentTime > 0.5 && !v.paused")
    assert await video(page, "v.videoWidth") == 0
    picture = await page.locator(".player").evaluate("(e) => getComputedStyle(e).backgroundImage")
    assert "poster.jpg" in picture
    shown = await page.locator(".player video").evaluate(
        "(e) => getComputedStyle(e).backgroundColor"
    )
    assert shown == "rgba(0, 0, 0, 0)"
