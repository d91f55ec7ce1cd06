"""Every page against WCAG 2.2 A and AA, as far as axe-core can tell, in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from academy.demo.catalogue import read_catalogue
from academy.demo.load import load
from tests.documents import a_course, a_lecture
from tests.fixtures_browser import OpenContext
from tests.portal.film import Film, Screening, begin_screening
from tests.portal.site import Site
from tests.portal.watching import until

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "api/portal/node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THEMES = ["light", "dark"]


@pytest.fixture(scope="module", autouse=True)
async def catalogue(site: Site) -> None:
    await load(site.stores, read_catalogue())


@pytest.fixture(scope="module")
async def ready(site: Site, film: Film) -> Screening:
    screening = await begin_screening(site, film)
    await screening.finish()
    return screening


async def complaints(page: Page) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = []
    for theme in THEMES:
        await page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        result: dict[str, Any] = await page.evaluate(
            "(tags) => axe.run(document, { runOnly: tags })", STANDARDS
        )
        found += [
            f"{theme} {rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]
    return found


async def test_the_catalogue(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?language=zh")
    await expect(page.locator("#courses")).to_have_attribute("aria-busy", "false")
    await expect(page.locator("#universities li")).to_have_count(8)
    assert await complaints(page) == []


@pytest.mark.slow
async def test_a_course(open_context: OpenContext, site: Site) -> None:
    page = await (await open_context(locale="zh-CN")).new_page()
    course = read_catalogue().courses[0]
    await page.goto(f"{site.url}/courses/{course.slug}")
    await expect(page.locator(".person").first).to_be_visible()
    assert await complaints(page) == []


async def test_a_lecture_with_an_open_menu(page: Page, ready: Screening) -> None:
    await page.goto(f"{ready.site.url}/lectures/{ready.lecture.id}")
    await until(page, "v?.readyState >= 2")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.get_by_role("button", name="Speed").click()
    assert await complaints(page) == []


@pytest.mark.slow
async def test_the_studio(page: Page, site: Site) -> None:
    course = a_course()
    await site.stores.courses.add(course)
    lecture = await site.stores.courses.add_lecture(
        a_lecture(course.slug, title={"en": "A lecture"})
    )
    await page.goto(f"{site.url}/studio")
    await expect(page.get_by_label("Access token")).to_be_focused()
    assert await complaints(page) == []
    await page.get_by_label("Access token").fill(site.token())
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="New course").click()
    await expect(page.get_by_label("Address")).to_be_visible()
    assert await complaints(page) == []
    await page.goto(f"{site.url}/studio#/courses/{course.slug}")
    await expect(page.get_by_label("Lecture title")).to_be_visible()
    assert await complaints(page) == []
    await page.goto(f"{site.url}/studio#/lectures/{lecture.id}")
    await expect(page.get_by_text("Drop a video file here")).to_be_visible()
    assert await complaints(page) == []


@pytest.mark.slow
async def test_search_results_with_suggestions(page: Page, site: Site) -> None:
    course = read_catalogue().courses[0]
    await page.goto(f"{site.url}/search?q=cloud&type=course")
    await expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    await expect(page.locator(".hit").first).to_be_visible()
    await page.get_by_role("combobox", name="Search courses").fill(course.title["en"][:6])
    await expect(page.locator("#suggestions").get_by_role("option").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    assert await complaints(page) == []


async def test_every_control_of_the_catalogue_is_reached_with_the_tab_key(
    page: Page, site: Site
) -> None:
    await page.goto(f"{site.url}/?language=zh")
    await expect(page.locator("#courses")).to_have_attribute("aria-busy", "false")
    wanted = await page.evaluate(
        "[...document.querySelectorAll('a[href], button, select, input')]"
        ".filter((e) => e.checkVisibility()).length"
    )
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    reached = set()
    for _ in range(wanted):
        reached.add(
            await page.evaluate(
                "[...document.querySelectorAll('a[href], button, select, input')].indexOf(document.activeElement)"
            )
        )
        await page.keyboard.press("Tab")
    assert len(reached - {-1}) == wanted
