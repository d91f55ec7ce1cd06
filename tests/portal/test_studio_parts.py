"""How many parts a request of the studio carries, and which requests are under way at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Request, Route

from tests.fixtures_browser import Watch
from tests.portal.desk import PART, PARTS, a_draft, claimed, part_number, sign_in
from tests.portal.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("small_parts")]


async def quick_lanes(page: Page, lanes: int) -> None:
    """However slow this machine is: what goes out in an hour needs no sharing."""

    async def changed(route: Route) -> None:
        served = await route.fetch()
        text = await served.text()
        for usual, here in (
            ("LANES = 6;", f"LANES = {lanes};"),
            ("MOST_BYTES = 32 * 1024 * 1024;", f"MOST_BYTES = {4 * PART};"),
            ("LONGEST = 20_000;", "LONGEST = 3600_000;"),
            ("SHORT = 2000;", "SHORT = 3600_000;"),
        ):
            assert usual in text
            text = text.replace(usual, here)
        await route.fulfill(response=served, body=text)

    await page.route("**/studio/lane.js", changed)


def a_recording(path: Path, parts: int) -> Path:
    path.write_bytes(b"".join(bytes([part]) * PART for part in range(parts)) + b"end")
    return path


async def test_on_a_good_line_parts_travel_together_and_after_a_failure_alone(
    page: Page, site: Site, tmp_path: Path, watch: Watch
) -> None:
    watch.allow("status of 503")
    recording_file = a_recording(tmp_path / "long.mp4", 12)
    lecture = await a_draft(site)
    await quick_lanes(page, 1)
    await sign_in(page, site, f"#/lectures/{lecture}")
    sent: list[tuple[int, int]] = []
    failed: list[tuple[int, int]] = []

    async def part(route: Route) -> None:
        """Fails the first request that carries several parts."""
        size = int(parse_qs(urlsplit(route.request.url).query)["size"][0])
        each = (part_number(route.request.url), size)
        if size > PART and not failed:
            failed.append(each)
            await route.fulfill(status=503)
        else:
            sent.append(each)
            await route.continue_()

    await page.route(PARTS, part)
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    assert sent[0] == (1, PART)
    assert (failed[0][0], PART) in sent
    assert sum(size for _, size in sent) == 12 * PART + 3, "nothing else went twice"
    recording = await site.stores.recordings.get(job.recording_id)
    upload = await site.stores.uploads.get(recording.upload_id)
    assert [(each.number, each.size) for each in upload.parts] == sorted(sent)
    assert len(sent) < 12
    pieces = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert pieces == recording_file.read_bytes()
    await site.stores.jobs.cancel(recording.id)


async def test_what_comes_back_at_the_very_end_is_shared_with_lanes_that_had_ended(
    page: Page, site: Site, tmp_path: Path, watch: Watch
) -> None:
    """Two lanes: one takes all that is left together, which breaks once the other has ended."""
    watch.allow("status of 503")
    lecture = await a_draft(site)
    await quick_lanes(page, 2)
    await sign_in(page, site, f"#/lectures/{lecture}")
    wide: list[int] = []
    alone: list[int] = []
    arrived, beside = asyncio.Event(), asyncio.Event()

    def finished(request: Request) -> None:
        if PARTS.search(request.url) and request.method == "PUT":
            alone.append(part_number(request.url))
            if len(alone) == 3:
                arrived.set()

    async def part(route: Route) -> None:
        number = part_number(route.request.url)
        size = int(parse_qs(urlsplit(route.request.url).query)["size"][0])
        if size > PART and not wide:
            wide.append(number)
            await asyncio.wait_for(arrived.wait(), 30)
            await asyncio.sleep(0.2)  # until the other lane has looked for more
            await route.fulfill(status=503)
            return
        if wide and number > wide[0]:
            beside.set()
        elif wide == [number]:
            await asyncio.wait_for(beside.wait(), 30)  # goes on only beside another
        await route.continue_()

    await page.route(PARTS, part)
    page.on("requestfinished", finished)
    await page.locator("#file").set_input_files(a_recording(tmp_path / "long.mp4", 6))
    job = await claimed(site, lecture)
    assert wide == [4]
    assert sorted(alone[:3]) == [1, 2, 3]
    await site.stores.jobs.cancel(job.recording_id)
