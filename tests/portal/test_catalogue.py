from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from academy.demo.catalogue import read_catalogue
from academy.demo.load import load
from tests.documents import a_course
from tests.fixtures_browser import OpenContext, Watch
from tests.portal.site import Site

pytestmark = pytest.mark.browser
EXTRA = 14


@pytest.fixture(scope="module", autouse=True)
async def catalogue(site: Site) -> None:
    """The demo's courses, and more in French, so that they fill more than a page."""
    await load(site.stores, read_catalogue())
    for number in range(EXTRA):
        course = a_course(
            title={"fr": f"Cours {number:02}"},
            language="fr",
            level="advanced",
            published_at="2026-01-01T00:00:00Z",
        )
        await site.stores.courses.add(course)


async def shown(page: Page) -> list[str]:
    await expect(page.locator("#courses")).to_have_attribute("aria-busy", "false")
    return await page.locator("#courses h3").all_inner_texts()


async def test_the_front_page_tells_the_story_and_lists_courses(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Eight universities")
    await expect(page.locator("#universities li")).to_have_count(8)
    assert len(await shown(page)) == 12
    first = page.locator("#courses li").first
    await expect(first.locator(".card-foot")).to_contain_text("lecture")


async def test_a_course_opens_from_its_card(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?language=zh")
    title = (await shown(page))[0]
    await page.get_by_role("link", name=title).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    await expect(page.get_by_role("heading", name="Syllabus")).to_be_visible()
    await expect(page.locator(".person").first).to_contain_text("demo")


async def test_more_courses_are_loaded_and_none_twice(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?language=fr")
    first = await shown(page)
    assert len(first) == 12
    await page.get_by_role("button", name="Load more").click()
    await expect(page.locator("#courses h3")).to_have_count(EXTRA)
    both = await shown(page)
    assert both[:12] == first
    assert len(set(both)) == EXTRA
    await expect(page.get_by_role("button", name="Load more")).to_be_hidden()
    # Whoever uses the keyboard goes on at the first new course.
    await expect(page.locator("#courses li").nth(12).get_by_role("link")).to_be_focused()


async def test_filters_narrow_the_list_and_live_in_the_address(page: Page, site: Site) -> None:
    await page.goto(site.url)
    everything = await shown(page)
    await page.get_by_label("Taught in").select_option("fr")
    await page.get_by_label("Level").select_option("advanced")
    await page.get_by_label("Sort by").select_option("title")
    await expect(page.locator("#courses h3").first).to_have_text("Cours 00")
    assert "language=fr" in page.url
    assert "level=advanced" in page.url
    await page.reload()
    assert (await shown(page))[0] == "Cours 00"
    await expect(page.get_by_label("Level")).to_have_value("advanced")
    for _ in range(3):
        await page.go_back()
    assert await shown(page) == everything
    await expect(page.get_by_label("Level")).to_have_value("")


async def test_a_university_filters_from_the_row_of_names(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_role("link", name="Zhejiang University").click()
    courses = await shown(page)
    assert courses
    for card in await page.locator("#courses li").all():
        await expect(card).to_contain_text("Zhejiang University")


async def test_nothing_found_offers_to_take_the_filters_away(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?language=fr&level=beginner")
    await expect(page.get_by_role("heading", name="No course matches")).to_be_visible()
    await page.get_by_role("button", name="Clear the filters").click()
    assert len(await shown(page)) == 12


async def test_a_failing_list_is_a_sentence_with_a_second_try(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 500")
    failing = True

    async def fail_once(route: object) -> None:
        await (route.fulfill(status=500) if failing else route.continue_())  # type: ignore[attr-defined]

    await page.route("**/v1/courses?*", fail_once)
    await page.goto(site.url)
    await expect(page.get_by_role("alert")).to_contain_text("The server made a mistake")
    failing = False
    await page.get_by_role("button", name="Try again").click()
    assert len(await shown(page)) == 12


async def test_interface_and_content_change_language_together_and_stay_so(
    page: Page, site: Site
) -> None:
    await page.goto(f"{site.url}/?language=zh&sort=title")
    english = await shown(page)
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("八所高校")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    await expect(page.locator("#courses h3").first).not_to_have_text(english[0])
    await expect(page.get_by_label("难度")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("八所高校")


async def test_a_chinese_browser_is_answered_in_chinese_with_glyphs_for_it(
    open_context: OpenContext, site: Site
) -> None:
    page = await (await open_context(locale="zh-CN")).new_page()
    await page.goto(site.url)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("八所高校")
    loaded = await page.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('20px \"Noto Sans SC Variable\"', '课程'))"
    )
    assert loaded


async def test_the_theme_follows_the_system_and_can_be_chosen(
    open_context: OpenContext, site: Site
) -> None:
    page = await (await open_context(color_scheme="dark")).new_page()
    await page.goto(site.url)
    root = page.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Appearance").click()
    await expect(root).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(root).to_have_attribute("data-theme", "light")
