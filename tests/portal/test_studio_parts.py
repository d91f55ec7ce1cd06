"""How many neighbouring parts one request of the studio carries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Route

from academy.uploads import USUAL_PART
from tests.fixtures_browser import Watch
from tests.portal.desk import PARTS, a_draft, claimed, part_number, sign_in
from tests.portal.site import Site

pytestmark = pytest.mark.browser


async def one_quick_lane(route: Route) -> None:
    """However slow this machine is: what goes out in an hour needs no sharing."""
    served = await route.fetch()
    text = await served.text()
    for usual, here in (
        ("LANES = 6;", "LANES = 1;"),
        ("LONGEST = 20_000;", "LONGEST = 3600_000;"),
        ("SHORT = 2000;", "SHORT = 3600_000;"),
    ):
        assert usual in text
        text = text.replace(usual, here)
    await route.fulfill(response=served, body=text)


async def test_on_a_good_line_parts_travel_together_and_after_a_failure_alone(
    page: Page, site: Site, tmp_path: Path, watch: Watch
) -> None:
    watch.allow("status of 503")
    recording_file = tmp_path / "long.mp4"
    recording_file.write_bytes(b"".join(bytes([part]) * USUAL_PART for part in range(12)) + b"end")
    lecture = await a_draft(site)
    await page.route("**/studio/lane.js", one_quick_lane)
    await sign_in(page, site, f"#/lectures/{lecture}")
    sent: list[tuple[int, int]] = []
    failed: list[tuple[int, int]] = []

    async def part(route: Route) -> None:
        """Fails the first request that carries several parts."""
        size = int(parse_qs(urlsplit(route.request.url).query)["size"][0])
        each = (part_number(route.request.url), size)
        if size > USUAL_PART and not failed:
            failed.append(each)
            await route.fulfill(status=503)
        else:
            sent.append(each)
            await route.continue_()

    await page.route(PARTS, part)
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    assert sent[0] == (1, USUAL_PART)
    assert (failed[0][0], USUAL_PART) in sent
    assert sum(size for _, size in sent) == 12 * USUAL_PART + 3, "nothing else went twice"
    recording = await site.stores.recordings.get(job.recording_id)
    upload = await site.stores.uploads.get(recording.upload_id)
    assert [(each.number, each.size) for each in upload.parts] == sorted(sent)
    assert len(sent) < 12
    pieces = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert pieces == recording_file.read_bytes()
    await site.stores.jobs.cancel(recording.id)
