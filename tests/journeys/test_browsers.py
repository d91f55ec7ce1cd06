"""What the pipeline made, in a real browser: the portal while a lecture grows, other players afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.fixtures_browser import OpenContext
from tests.fixtures_footage import Footage
from tests.journeys.installation import Installation, wait_until
from tests.portal.watching import until, video

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(300),
]

PLAYERS = {
    "native": """async (url) => {
        const video = Object.assign(document.createElement('video'), {muted: true, src: url});
        return video;
    }""",
    "hls.js": """async (url) => {
        const {default: Hls} = await import('/vendor/hls.js/dist/hls.mjs');
        const video = Object.assign(document.createElement('video'), {muted: true});
        const player = new Hls({enableWorker: false});
        player.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) window.fatal = error.details; });
        player.loadSource(url);
        player.attachMedia(video);
        return video;
    }""",
    "Shaka": """async (url) => {
        const video = Object.assign(document.createElement('video'), {muted: true});
        const player = new shaka.Player();
        await player.attach(video);
        player.addEventListener('error', (event) => { window.fatal = String(event.detail.code); });
        await player.load(url);
        return video;
    }""",
}


@pytest.fixture(scope="module")
def lecture(academy: Installation, footage: Footage) -> dict[str, Any]:
    """The playback of a finished lecture of 14 seconds."""
    result = academy.run(
        *("upload", str(footage("lecture", duration=14)), "--course", "journey"),
        *("--title", "Players", "--publish", "--wait"),
    )
    playback: dict[str, Any] = academy.lecture(academy.uploaded(result))["playback"]
    return playback


@pytest.mark.parametrize(
    ("player", "manifest"),
    [
        ("native", "hls"),
        # tests/portal/test_other_players.py has these two over the same pipeline, more closely.
        pytest.param("hls.js", "hls", marks=pytest.mark.slow),
        pytest.param("Shaka", "hls", marks=pytest.mark.slow),
        ("Shaka", "dash"),
    ],
)
async def test_a_finished_lecture_plays_seeks_and_ends(
    academy: Installation, lecture: dict[str, Any], page: Page, player: str, manifest: str
) -> None:
    await page.goto(f"{academy.url}/")
    if player == "Shaka":
        await page.add_script_tag(url="/vendor/shaka-player/dist/shaka-player.compiled.js")
    element = await page.evaluate_handle(PLAYERS[player], lecture[manifest])
    await page.evaluate("(element) => document.body.append(element)", element)

    await video(page, "v.play()")
    await until(page, "window.fatal || v.currentTime > 1.5")
    assert await page.evaluate("window.fatal") is None
    assert await video(page, "v.duration") == pytest.approx(14, abs=0.1)
    assert await video(page, "v.videoHeight") > 0

    await video(page, "{ v.currentTime = 12; }")
    await until(page, "window.fatal || v.ended")
    assert await page.evaluate("window.fatal") is None
    assert await video(page, "v.webkitAudioDecodedByteCount") > 0


async def test_a_lecture_plays_in_the_portal_while_it_grows_and_after(
    academy: Installation, footage: Footage, open_context: OpenContext
) -> None:
    recording = await asyncio.to_thread(footage, "lecture", duration=40)
    command = ["upload", str(recording), "--course", "journey", "--title", "Growing", "--publish"]
    lecture_id = academy.uploaded(await asyncio.to_thread(academy.run, *command))

    async def leaves(state: str) -> str:
        def left() -> str | None:
            now = str(academy.lecture(lecture_id)["playback"]["state"])
            return None if now == state else now

        return str(await asyncio.to_thread(wait_until, left, f"it is no longer {state}"))

    assert await leaves("processing") == "streaming"
    # Held for as long as the first look takes: shorter than its lease.
    transcoder = academy.child("transcoder")
    transcoder.suspend()
    page = await (await open_context()).new_page()
    await page.goto(f"{academy.url}/lectures/{lecture_id}")
    await until(page, "v && v.readyState >= 2")
    await video(page, "v.play()")
    await until(page, "v.currentTime > 2")
    growing = academy.lecture(lecture_id)["playback"]
    assert growing["state"] == "streaming"
    assert 0 < growing["available_duration"] < growing["duration"]
    transcoder.resume()

    assert await leaves("streaming") == "ready"
    before = await video(page, "v.currentTime")
    await until(page, f"v.currentTime > {before} + 1")
    # A seek beyond what the player knows of would be cut short.
    await until(page, "v.duration > 39.9")
    await video(page, "{ v.currentTime = 38; }")
    await until(page, "v.ended")


async def test_an_instructor_makes_a_lecture_in_the_studio_and_a_learner_watches_it(
    academy: Installation, footage: Footage, open_context: OpenContext
) -> None:
    recording = await asyncio.to_thread(footage, "webm", duration=8)
    token = await asyncio.to_thread(academy.token, "instructor", "prof-demo")
    studio = await (await open_context()).new_page()
    await studio.goto(f"{academy.url}/studio")
    await studio.get_by_label("Access token").fill(token)
    await studio.get_by_role("button", name="Sign in").click()
    await studio.get_by_label("Title", exact=True).fill("Streams of data")
    await studio.get_by_label("Taught in").select_option("en")
    await studio.get_by_role("button", name="Create").click()
    await studio.get_by_label("Lecture title").fill("What a stream is")
    await studio.get_by_role("button", name="Create").click()
    await expect(studio.get_by_role("heading", level=1)).to_have_text("What a stream is")
    lecture_id = studio.url.rpartition("/")[2]
    await studio.locator("#file").set_input_files(recording)
    await expect(studio.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)
    await studio.get_by_role("button", name="Publish", exact=True).click()
    await expect(studio.get_by_text("its course is still a draft")).to_be_visible()
    await studio.get_by_role("link", name="Streams of data").click()
    await studio.get_by_role("button", name="Publish", exact=True).click()
    await expect(studio.get_by_role("button", name="Unpublish")).to_be_visible()

    learner = await (await open_context()).new_page()
    await learner.goto(f"{academy.url}/lectures/{lecture_id}")
    await until(learner, "v && v.readyState >= 2")
    await video(learner, "v.play()")
    await until(learner, "v.currentTime > 1")
    assert await video(learner, "v.webkitAudioDecodedByteCount") > 0
