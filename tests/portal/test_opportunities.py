"""Partners' internships and jobs in the portal."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Page, expect

from academy.courses import now
from academy.people import Role
from tests.documents import a_slug
from tests.fixtures_browser import OpenContext
from tests.portal.site import Site
from tests.portal.test_accessibility import complaints

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
async def programme(site: Site) -> str:
    """Of two offers, the one that closes first is meant for this programme."""
    slug = a_slug()
    signed = {"Authorization": f"Bearer {site.token('root', Role.ADMIN)}"}
    offers = [
        {
            "title": {"zh": "云平台实习", "en": "Cloud <b>internship</b>"},
            "organisation": {"zh": "某公司", "en": "A company"},
            "location": {"zh": "杭州", "en": "Hangzhou"},
            "description": {"en": "Six months.\n\nWith a mentor.", "zh": "六个月。"},
            "kind": "internship",
            "url": "https://partner.example/1",
            "programmes": [slug],
            "closes_on": (now() + timedelta(days=3)).date().isoformat(),
        },
        {
            "title": {"zh": "数据工程师", "en": "Data engineer"},
            "organisation": {"zh": "另一家公司", "en": "Another company"},
            "kind": "job",
            "url": "https://partner.example/2",
            "closes_on": "2999-12-31",
        },
    ]
    async with httpx.AsyncClient(base_url=site.url, headers=signed) as client:
        made = await client.post(
            "/v1/programmes", json={"slug": slug, "name": {"en": "Cloud", "zh": "云计算"}}
        )
        assert made.status_code == 201, made.text
        for offer in offers:
            made = await client.post("/v1/opportunities", json=offer)
            assert made.status_code == 201, made.text
    return slug


async def test_what_is_open_is_listed_filtered_and_leads_to_the_partner(
    page: Page, site: Site, programme: str
) -> None:
    await page.goto(site.url)
    await page.get_by_role("link", name="Opportunities").click()
    titles = page.locator(".offer h2")
    await expect(titles).to_have_text(["Cloud <b>internship</b>", "Data engineer"])
    first = page.locator(".offer").first
    await expect(first).to_contain_text("A company · Hangzhou")
    await expect(first.locator(".badge.warn")).to_contain_text("left")
    await expect(page.locator(".offer").nth(1)).to_contain_text("Open until 31 Dec 2999")
    link = first.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://partner.example/1")
    assert await complaints(page) == []
    await page.get_by_label("Programme").select_option(programme)
    await expect(titles).to_have_text(["Cloud <b>internship</b>"])
    await page.get_by_label("Kind").select_option("job")
    await expect(page.get_by_role("heading", name="No opportunity matches")).to_be_visible()
    await page.get_by_role("button", name="Clear the filters").click()
    await expect(titles).to_have_count(2)


async def test_a_chinese_phone_shows_it_without_scrolling_sideways(
    open_context: OpenContext, site: Site
) -> None:
    context = await open_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = await context.new_page()
    await page.goto(f"{site.url}/opportunities")
    await expect(page.locator(".offer h2")).to_have_text(["云平台实习", "数据工程师"])
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
