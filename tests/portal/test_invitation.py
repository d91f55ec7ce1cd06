"""A visiting professor opens a link, in their language, and sends a recording. In Chromium."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, Route, expect

from academy.courses import now
from academy.invitations import Invitation, token_of
from academy.jobs import Failure, FailureKind
from academy.keys import KeyRing
from academy.recordings import Finding, Inspection, Severity
from tests.documents import a_course, a_lecture
from tests.fixtures_browser import OpenContext, Watch
from tests.portal.site import SECRET, Site

pytestmark = pytest.mark.browser

FLIP_ONCE = """
const send = XMLHttpRequest.prototype.send;
let flipped = false;
XMLHttpRequest.prototype.send = function (body) {
  if (flipped || !(body instanceof Blob)) return send.call(this, body);
  flipped = true;
  return send.call(this, new Blob([new Uint8Array([255]), body.slice(1)]));
};
"""
"""What a network or a disk may do behind the digest's back: as many bytes, one of them another."""


@pytest.fixture(scope="module")
def recording_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts."""
    path = tmp_path_factory.mktemp("recording") / "cours.mp4"
    path.write_bytes(bytes(range(256)) * 4096 * 10)
    return path


async def an_invitation(site: Site) -> tuple[str, str]:
    """Its page's address, and the lecture."""
    course = a_course(title={"fr": "Le cours", "zh": "课程"}, language="fr")
    await site.stores.courses.add(course)
    lecture = await site.stores.courses.add_lecture(
        a_lecture(course.slug, title={"fr": "La leçon", "zh": "一讲"}, language="fr")
    )
    invitation = Invitation(
        lecture_id=lecture.id, created_by="teacher", expires_at=now() + timedelta(days=1)
    )
    await site.stores.invitations.add(invitation)
    return f"{site.url}/invite#{token_of(KeyRing(SECRET), invitation.id)}", lecture.id


async def claimed(site: Site, lecture: str):
    async for _ in site.stores.jobs.changes():
        job = await site.stores.jobs.claim_next("this test")
        if job is not None:
            assert job.lecture_id == lecture
            return job
    raise AssertionError("the stream of changes ended")


async def test_a_recording_is_sent_with_digests_and_its_findings_are_told_in_french(
    open_context: OpenContext, site: Site, recording_file: Path
) -> None:
    page = await (await open_context(locale="fr-FR")).new_page()
    address, lecture = await an_invitation(site)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PUT" else None)
    await page.goto(address)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Envoyez votre enregistrement")
    await expect(page.get_by_text("Le cours · La leçon")).to_be_visible()
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_text("est bien arrivé")).to_be_visible()
    job = await claimed(site, lecture)
    recording = await site.stores.recordings.get(job.recording_id)
    arrived = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert arrived == recording_file.read_bytes()
    digests = [(await request.all_headers()).get("content-md5") for request in sent]
    assert len(digests) == 2
    assert None not in digests

    finding = Finding(code="no_audio", severity=Severity.WARNING, message="The sound is missing.")
    await site.stores.jobs.inspected(
        job, Inspection(container="mp4", size=1, duration=60, findings=[finding])
    )
    await expect(page.locator(".notice.warn")).to_have_text(re.compile("son"))
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("上传您的录像")
    await expect(page.locator(".notice.warn")).to_have_text(re.compile("声音"))
    # Opened once more, it takes no second one.
    await page.reload()
    await expect(page.locator(".notice.good")).to_be_visible()
    await expect(page.locator("#file")).to_have_count(0)
    await site.stores.jobs.cancel(job.recording_id)


async def test_it_goes_on_after_the_page_was_closed_and_a_bad_file_may_be_replaced(
    page: Page, site: Site, recording_file: Path
) -> None:
    address, lecture = await an_invitation(site)
    parts: list[str] = []
    holding = True

    async def hold_second(route: Route) -> None:
        number = route.request.url.split("/v1/storage/parts/")[1].split("?")[0].split("/")[1]
        if holding and number == "2":
            return
        parts.append(number)
        await route.continue_()

    await page.route("**/v1/storage/parts/**", hold_second)
    await page.goto(address)
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile("[789].")
    )
    page.on("dialog", lambda dialog: dialog.accept())
    holding = False
    await page.reload()
    await expect(page.get_by_text("has arrived. Choose the same file again")).to_be_visible()
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_text("has arrived in full")).to_be_visible()
    assert parts == ["1", "2"]
    job = await claimed(site, lecture)
    await site.stores.jobs.fail(
        job,
        Failure(code="not_media", message="This file is no recording.", kind=FailureKind.SOURCE),
    )
    await expect(page.get_by_text("This file is no recording.")).to_be_visible()
    await page.get_by_role("button", name="Français").click()
    await expect(page.get_by_text("Ce fichier n'est pas un enregistrement.")).to_be_visible()
    await expect(page.locator("#file")).to_have_count(1)


@pytest.mark.parametrize("fragment", ["", "#inv.", f"#inv.{'0' * 32}.{'0' * 40}"])
async def test_a_link_that_does_not_work_says_so(
    page: Page, site: Site, watch: Watch, fragment: str
) -> None:
    watch.allow("status of 401")
    await page.goto(f"{site.url}/invite{fragment}")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#file")).to_have_count(0)


async def test_a_part_that_changed_on_the_way_is_refused_and_sent_again(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 4")
    address, lecture = await an_invitation(site)
    statuses: list[int] = []
    page.on(
        "response",
        lambda answer: statuses.append(answer.status) if answer.request.method == "PUT" else None,
    )
    await page.add_init_script(FLIP_ONCE)
    await page.goto(address)
    await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_text("has arrived in full")).to_be_visible()
    assert sorted(statuses) == [200, 200, 422]
    job = await claimed(site, lecture)
    recording = await site.stores.recordings.get(job.recording_id)
    arrived = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert arrived == recording_file.read_bytes()
    await site.stores.jobs.cancel(job.recording_id)


async def test_revoked_while_the_recording_is_sent_it_says_so_and_takes_no_more(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 4")
    address, lecture = await an_invitation(site)
    going, open_again = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        going.set()
        await open_again.wait()
        await route.continue_()

    await page.route("**/v1/storage/parts/**", hold)
    await page.goto(address)
    await page.locator("#file").set_input_files(recording_file)
    await going.wait()
    (invitation,) = await site.stores.invitations.of(lecture)
    await site.stores.invitations.revoke(invitation.id)
    open_again.set()
    await expect(page.get_by_role("alert")).to_contain_text("no longer works")
    await expect(page.locator("#file")).to_have_count(0)
    assert await site.stores.recordings.newest(lecture) is None
