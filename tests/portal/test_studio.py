"""An instructor in the studio. The test works on the jobs in the dispatcher's place."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from academy.jobs import Failure, FailureKind, Progress
from academy.people import Role
from academy.recordings import Finding, Inspection, Severity
from tests.documents import a_course
from tests.fixtures_browser import OpenContext, Watch
from tests.portal.desk import PART, PARTS, a_draft, claimed, part_number, sign_in
from tests.portal.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("small_parts")]


@pytest.fixture(scope="module")
def recording_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts' worth of bytes; nobody looks into them here."""
    path = tmp_path_factory.mktemp("recording") / "第一讲 lecture.mp4"
    path.write_bytes(bytes(range(256)) * (5 * PART // 512))
    return path


async def test_the_whole_way_from_a_course_to_a_published_lecture(
    page: Page, site: Site, recording_file: Path
) -> None:
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="You have no courses yet")).to_be_visible()
    await page.get_by_label("Title", exact=True).fill("Réseaux & Clouds!")
    await expect(page.get_by_label("Address")).to_have_value("reseaux-clouds")
    await page.get_by_label("Taught in").select_option("fr")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Réseaux & Clouds!")

    await page.get_by_label("Lecture title").fill("Introduction")
    await page.get_by_label("Section").fill("Première partie")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Introduction")
    lecture = page.url.rpartition("/")[2]
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    await expect(page.get_by_text("Being transcoded")).to_be_visible()

    inspection = Inspection(
        container="mp4",
        size=1,
        duration=60,
        findings=[
            Finding(code="no_audio", severity=Severity.WARNING, message="The sound is missing.")
        ],
    )
    await site.stores.jobs.inspected(job, inspection)
    await expect(
        page.get_by_text("The sound is missing: the lecture will be silent")
    ).to_be_visible()
    await site.stores.jobs.extend(
        job, Progress(stage="encoding", fraction=0.42, speed=3.25, eta=75)
    )
    await expect(
        page.get_by_text("42% · 3.3 × real time · about 1 min 15 secs left")
    ).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")

    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_text("its course is still a draft")).to_be_visible()
    await page.get_by_role("link", name="Réseaux & Clouds!").click()
    await expect(page.get_by_role("heading", name="Première partie")).to_be_visible()
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_role("button", name="Unpublish")).to_be_visible()
    course = await site.stores.courses.get("reseaux-clouds")
    assert course.published
    assert course.language == "fr"
    lectures = await site.stores.courses.lectures("reseaux-clouds", drafts=False)
    assert [lecture.title for lecture in lectures] == [{"fr": "Introduction"}]
    await page.get_by_role("button", name="Unpublish").click()
    await expect(page.get_by_role("button", name="Publish", exact=True)).to_be_visible()
    await site.stores.jobs.cancel(job.recording_id)


async def test_the_recording_arrives_in_storage_byte_for_byte(
    page: Page, site: Site, recording_file: Path
) -> None:
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    recording = await site.stores.recordings.get(job.recording_id)
    assert recording.filename == recording_file.name
    pieces = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert pieces == recording_file.read_bytes()
    await site.stores.jobs.cancel(recording.id)


async def test_an_upload_goes_on_after_a_reload_and_sends_only_what_is_missing(
    page: Page, site: Site, recording_file: Path, tmp_path: Path
) -> None:
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    sent: list[int] = []
    hold_back = True

    async def part(route: Route) -> None:
        number = part_number(route.request.url)
        if hold_back and number > 1:
            return  # as on a network that swallows everything
        sent.append(number)
        await route.continue_()

    await page.route(PARTS, part)
    async with page.expect_response(PARTS):
        await page.locator("#file").set_input_files(recording_file)
    await expect(page.get_by_text("40%")).to_be_visible()  # one of two and a half parts
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await page.reload()
    await expect(page.get_by_text("stopped at 40%")).to_be_visible()

    hold_back = False
    other = tmp_path / "other.mp4"
    other.write_bytes(b"something else")
    await page.locator("#file").set_input_files(other)
    await expect(page.get_by_text("This is not the same file")).to_be_visible()
    assert sent == [1]
    renamed = tmp_path / "renamed.mp4"
    renamed.write_bytes(recording_file.read_bytes())
    await page.locator("#file").set_input_files(renamed)
    job = await claimed(site, lecture)
    assert sorted(sent) == [1, 2, 3]
    recording = await site.stores.recordings.get(job.recording_id)
    pieces = await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key)))
    assert pieces == recording_file.read_bytes()
    await site.stores.jobs.cancel(recording.id)


async def test_an_upload_goes_on_from_another_machine_with_the_same_file_only(
    open_context: OpenContext, site: Site, recording_file: Path, tmp_path: Path
) -> None:
    lecture = await a_draft(site)
    sent: list[int] = []

    async def at_a_desk(*, swallowed: tuple[int, ...] = ()) -> Page:
        async def part(route: Route) -> None:
            number = part_number(route.request.url)
            if number not in swallowed:
                sent.append(number)
                await route.continue_()

        page = await (await open_context()).new_page()
        await page.route(PARTS, part)
        await sign_in(page, site, f"#/lectures/{lecture}")
        return page

    first = await at_a_desk(swallowed=(1, 3))
    async with first.expect_response(PARTS):
        await first.locator("#file").set_input_files(recording_file)
    await expect(first.get_by_text("40%")).to_be_visible()

    whole = recording_file.read_bytes()
    other = tmp_path / recording_file.name  # as long and of the same name, yet another recording
    other.write_bytes(whole[:PART] + bytes(len(whole) - PART))
    second = await at_a_desk()
    await second.locator("#file").set_input_files(other)
    job = await claimed(site, lecture)
    assert sorted(sent) == [1, 2, 2, 3]
    await site.stores.jobs.cancel(job.recording_id)

    sent.clear()
    third = await at_a_desk()
    await third.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    assert sorted(sent) == [1, 3]
    recording = await site.stores.recordings.get(job.recording_id)
    assert await asyncio.to_thread(lambda: b"".join(site.storage.read(recording.key))) == whole
    await site.stores.jobs.cancel(recording.id)


async def test_a_part_that_fails_is_sent_again_with_a_new_link(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("status of 503")
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    failures = {1: 2, 2: 1}

    async def part(route: Route) -> None:
        number = part_number(route.request.url)
        if failures.get(number):
            failures[number] -= 1
            await route.fulfill(status=503)
        else:
            await route.continue_()

    await page.route(PARTS, part)
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    assert failures == {1: 0, 2: 0}
    await site.stores.jobs.cancel(job.recording_id)


async def test_an_upload_pauses_goes_on_and_can_be_discarded(
    page: Page, site: Site, recording_file: Path
) -> None:
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.route(PARTS, lambda _route: None)
    await page.locator("#file").set_input_files(recording_file)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused: 第一讲 lecture.mp4")).to_be_visible()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("Uploading 第一讲 lecture.mp4")).to_be_visible()
    await page.get_by_role("button", name="Discard the upload").click()
    await expect(page.get_by_text("Drop a video file here")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Drop a video file here")).to_be_visible()


async def test_a_failure_is_a_sentence_and_can_be_tried_again(
    page: Page, site: Site, recording_file: Path
) -> None:
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    sentence = "“lecture.mp4” cannot be read as a recording."
    failure = Failure(code="unreadable_media", message=sentence, kind=FailureKind.SOURCE)
    await site.stores.jobs.fail(job, failure)
    await expect(page.get_by_text("Processing failed")).to_be_visible()
    await expect(page.get_by_text(sentence)).to_be_visible()
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_text("这个文件无法作为录像读取")).to_be_visible()
    await page.get_by_role("button", name="重新处理").click()
    again = await claimed(site, lecture)
    assert again.recording_id == job.recording_id
    await expect(page.get_by_text("正在转码")).to_be_visible()
    await page.get_by_role("button", name="取消处理").click()
    await expect(page.get_by_text("已取消处理")).to_be_visible()


async def test_progress_goes_on_after_the_event_stream_broke(
    page: Page, site: Site, recording_file: Path, watch: Watch
) -> None:
    watch.allow("net::ERR_FAILED")
    lecture = await a_draft(site)
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.route("**/recording/events*", lambda route: route.abort())
    await page.locator("#file").set_input_files(recording_file)
    job = await claimed(site, lecture)
    await site.stores.jobs.extend(job, Progress(stage="encoding", fraction=0.5))
    await expect(page.get_by_text("50%")).to_be_visible(timeout=20_000)
    await page.unroute("**/recording/events*")
    await site.stores.jobs.cancel(job.recording_id)
    await expect(page.get_by_text("Processing was cancelled")).to_be_visible(timeout=20_000)


async def test_a_wrong_token_is_refused_with_a_sentence(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 40[13]")
    await page.goto(f"{site.url}/studio")
    for token, sentence in (
        ("nonsense", "not valid or has expired"),
        (site.token("pupil", Role.LEARNER), "does not teach"),
    ):
        await page.get_by_label("Access token").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text(sentence)


async def test_a_taken_address_is_said_at_the_form(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 409")
    course = a_course(owner="somebody else")
    await site.stores.courses.add(course)
    await sign_in(page, site)
    await page.get_by_role("button", name="New course").click()
    await page.get_by_label("Title", exact=True).fill("Mine")
    await page.get_by_label("Address").fill(course.slug)
    await page.get_by_role("button", name="Create").click()
    await expect(page.locator("#new-course .problem")).not_to_be_empty()
    await page.get_by_label("Address").fill(f"{course.slug[:20]}-mine")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mine")


async def test_a_draft_is_previewed_by_its_owner_and_unknown_to_others(
    open_context: OpenContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 404")
    lecture = await a_draft(site)
    page = await (await open_context()).new_page()
    await sign_in(page, site, f"#/lectures/{lecture}")
    await page.get_by_role("link", name="Preview").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The lecture")
    await expect(page.get_by_text("Not published").first).to_be_visible()
    stranger = await (await open_context()).new_page()
    await stranger.goto(f"{site.url}/lectures/{lecture}")
    await expect(stranger.get_by_role("alert")).to_be_visible()
