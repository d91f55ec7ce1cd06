"""What an instructor adds to a lecture in the studio: captions, and invitations for guests."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.fixtures_browser import OpenContext, Watch
from tests.portal.desk import a_draft, sign_in
from tests.portal.site import Site

pytestmark = pytest.mark.browser

CAPTIONS = (
    "1\n00:00:01,000 --> 00:00:02,500\nBonjour à tous\n\n2\n00:00:03,000 --> 00:00:04,000\nVoilà\n"
)


async def test_captions_are_uploaded_listed_and_deleted_and_a_bad_file_is_explained(
    page: Page, site: Site, tmp_path: Path, watch: Watch
) -> None:
    watch.allow("status of 422")
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    panel = page.locator("#captions")
    await expect(panel.get_by_text("There are no captions yet.")).to_be_visible()

    bad = tmp_path / "bad.srt"
    bad.write_text("1\n00:00:01 -> --> never\nHello\n", "utf-8")
    await panel.get_by_label("Caption file").set_input_files(bad)
    await panel.get_by_role("button", name="Upload captions").click()
    await expect(panel.get_by_role("alert")).to_contain_text("Line 2 is no timing")

    good = tmp_path / "cours.srt"
    good.write_bytes(CAPTIONS.encode("cp1252"))
    await panel.get_by_label("Language of the captions").select_option("fr")
    await panel.get_by_label("Kind").select_option("captions")
    await panel.get_by_label("Caption file").set_input_files(good)
    await panel.get_by_role("button", name="Upload captions").click()
    await expect(panel.get_by_role("listitem")).to_contain_text(["Français"])
    await expect(panel.get_by_role("listitem")).to_contain_text(["also tell what can be heard"])
    await expect(panel.locator(".notice.good")).to_contain_text("as soon as there is something")
    (kept,) = await site.stores.captions.of(lecture)
    assert (kept.language, kept.kind, kept.cues) == ("fr", "captions", 2)
    assert "Bonjour à tous" in kept.webvtt

    await page.get_by_role("button", name="中文").click()
    await panel.get_by_role("button", name="删除 法语 字幕").click()
    await expect(panel.get_by_text("还没有字幕。")).to_be_visible()
    assert [each.removed for each in await site.stores.captions.of(lecture)] == [True]


async def test_an_invitation_is_made_copied_opened_and_revoked(
    open_context: OpenContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 4(01|10)")
    context = await open_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    panel = page.locator("#invitations")
    await panel.get_by_label("Whom it is for").fill("Prof. Dupont")
    await panel.get_by_label("Works for").select_option("3")
    await panel.get_by_role("button", name="Make a link").click()
    line = panel.get_by_role("listitem")
    await expect(line).to_contain_text(["Prof. Dupont"])
    await line.get_by_role("button", name="Copy the link").click()
    await expect(line.get_by_text("The link is copied.")).to_be_visible()
    address = await page.evaluate("navigator.clipboard.readText()")
    (made,) = await site.stores.invitations.of(lecture)
    assert (made.note, (made.expires_at - made.created_at).days) == ("Prof. Dupont", 3)

    guest = await (await open_context()).new_page()
    await guest.goto(f"{site.url}/invite#{address.partition('#')[2]}")
    await expect(guest.locator("#file")).to_have_count(1)
    await line.get_by_role("button", name="Revoke").click()
    await expect(line).to_contain_text(["Revoked"])
    await expect(line.get_by_role("button")).to_have_count(0)
    await guest.reload()
    await expect(guest.get_by_role("alert")).to_be_visible()
