"""Searching in the portal, from the first letter to the moment that plays."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from academy.search.entries import Cue, Kind
from academy.search.query import parse
from tests.documents import a_course, a_lecture
from tests.fixtures_browser import OpenContext
from tests.portal.film import Film, begin_screening
from tests.portal.site import Site
from tests.portal.watching import until, video

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> & 熵"


@pytest.fixture(scope="module", autouse=True)
async def lecture_id(site: Site, film: Film) -> str:
    """A lecture of sixteen seconds in which entropy is spoken of at the tenth."""
    courses = site.stores.courses
    course = a_course(
        title={"zh": "信息论", "en": "Information theory"}, published_at="2026-09-01T00:00:00Z"
    )
    await courses.add(course)
    lecture = await courses.add_lecture(
        a_lecture(course.slug, title={"zh": "编码", "en": "Coding"}, published=True)
    )
    screening = await begin_screening(site, film, lecture)
    await screening.finish()
    cues = [
        Cue(start=0, end=4, text="同学们好"),
        Cue(start=10, end=14, text=f"香農定義了信息熵 {HOSTILE}"),
    ]
    await site.stores.search.index_captions(lecture.id, "zh", cues)
    await _known(site, "香农")
    return lecture.id


async def _known(site: Site, word: str) -> None:
    """The service follows the catalogue by itself."""
    async with asyncio.timeout(60):
        while True:
            page = await site.stores.search.find(parse(word), kinds=[Kind.MOMENT], limit=1)
            if page.items:
                return
            await asyncio.sleep(0.05)


async def test_somebody_searches_in_chinese_and_the_lecture_plays_from_that_moment(
    open_context: OpenContext, site: Site, lecture_id: str
) -> None:
    page = await (await open_context(locale="zh-CN")).new_page()
    await page.goto(site.url)
    field = page.get_by_role("combobox", name="搜索课程、讲座和讲过的内容")
    await field.fill("香农定义")
    await field.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("“香农定义”的搜索结果")
    await page.get_by_role("link", name="片段").click()
    hit = page.locator(".hit")
    await expect(hit).to_have_count(1)
    # What was said in traditional characters is found in simplified ones, and shown as it was written.
    assert await hit.locator("mark").all_inner_texts() == ["香農定義"]
    await expect(hit).to_contain_text(HOSTILE)
    await expect(hit).to_contain_text("0:10 · 编码 · 信息论")
    await hit.get_by_role("link").click()
    await expect(page).to_have_url(f"{site.url}/lectures/{lecture_id}?t=10")
    await until(page, "v && v.readyState >= 2")
    assert await video(page, "Math.abs(v.currentTime - 10) < 0.5")
    await page.locator(".player .big").click()
    await until(page, "v.currentTime > 10.5")


async def test_suggestions_come_while_one_types_and_the_keyboard_chooses(
    page: Page, site: Site
) -> None:
    await page.goto(site.url)
    field = page.get_by_role("combobox", name="Search courses")
    await field.press_sequentially("infor")
    options = page.locator("#suggestions").get_by_role("option")
    await expect(options.first).to_contain_text("Information theory")
    assert await options.first.locator("mark").inner_text() == "Information"
    await expect(field).to_have_attribute("aria-expanded", "true")
    await field.press("ArrowDown")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await field.press("Escape")
    await expect(field).to_have_attribute("aria-expanded", "false")
    await field.press_sequentially("m")
    await expect(options.first).to_be_visible()
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Information theory")


async def test_a_search_without_hits_says_so(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/search?q=zzzz")
    await expect(page.get_by_role("heading", name="Nothing was found")).to_be_visible()
    await expect(page.get_by_role("combobox", name="Search courses")).to_have_value("zzzz")
