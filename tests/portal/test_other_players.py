"""What the pipeline published, in players this project did not write: hls.js and Shaka.

Quality switches, seeks across the seams of segments and chunks, trick play on I-frames, captions, thumbnails,
sound alone. Twelve seconds, segments of two, chunk seams at 2, 4 and 8 s.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from playwright.async_api import Page

from tests.beacons import Beacon
from tests.fixtures_browser import Watch
from tests.odd_recordings import ODD
from tests.portal.film import begin_screening, make_film
from tests.portal.site import Site
from tests.portal.watching import until, video

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SHAKA = "/vendor/shaka-player/dist/shaka-player.compiled.js"
HLS_JS = """async (url) => {
    const {default: Hls} = await import('/vendor/hls.js/dist/hls.mjs');
    const video = Object.assign(document.createElement('video'), {muted: true});
    document.body.replaceChildren(video);
    const player = new Hls({enableWorker: false});
    window.player = player;
    window.wrong = [];
    // What hls.js itself breaks off when the level changes is no error.
    player.on(Hls.Events.ERROR, (_, error) => error.details === 'aborted' || window.wrong.push(error.details));
    const ready = new Promise((done) => player.once(Hls.Events.MANIFEST_PARSED, done));
    player.loadSource(url);
    player.attachMedia(video);
    await ready;
}"""
SHAKA_PLAYER = """async ([url, settings]) => {
    const video = Object.assign(document.createElement('video'), {muted: true});
    document.body.replaceChildren(video);
    const player = new shaka.Player();
    window.player = player;
    window.wrong = [];
    await player.attach(video);
    player.configure(settings);
    player.addEventListener('error', (event) => window.wrong.push(String(event.detail.code)));
    await player.load(url);
}"""


@pytest.fixture(scope="module")
async def played(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Addresses of a finished lecture with subtitles in two languages."""
    folder = tmp_path_factory.mktemp("played")
    beacon = replace(Beacon(), size=(640, 360), seconds=Fraction(12), rate=Fraction(10))
    recording = folder / "lecture.mkv"
    ODD["subtitles"].make(recording, beacon)
    screening = await begin_screening(site, await make_film(folder, recording))
    await screening.finish()
    return {"lecture": f"{site.url}/v1/lectures/{screening.lecture.id}", "site": site.url}


async def addresses(page: Page, played: dict[str, Any]) -> dict[str, Any]:
    await page.goto(f"{played['site']}/")
    found: dict[str, Any] = await page.evaluate(
        "async (url) => (await (await fetch(url)).json()).playback", played["lecture"]
    )
    return found


async def seek_over_seams(page: Page) -> None:
    """Plays over the seams of segments and chunks, to and fro, and then to the end."""
    await video(page, "v.play()")
    for seam in (4, 8, 2):
        await video(page, f"{{ v.currentTime = {seam - 0.3}; }}")
        await until(page, f"v.currentTime > {seam + 0.2} && v.currentTime < {seam + 2}")
    await video(page, "{ v.currentTime = 11.2; }")
    await until(page, "v.ended")
    assert await page.evaluate("window.wrong") == []


async def test_hls_js_switches_qualities_and_plays_over_every_seam(
    page: Page, played: dict[str, Any]
) -> None:
    playback = await addresses(page, played)
    await page.evaluate(HLS_JS, playback["hls"])
    # Sound alone is not taken for a quality of the picture.
    assert await page.evaluate("player.levels.map((one) => one.height).sort()") == [180, 360]
    await video(page, "v.play()")
    for level in (0, 1, 0):
        await page.evaluate(f"player.currentLevel = {level}")
        height = await page.evaluate(f"player.levels[{level}].height")
        await until(page, f"v.videoHeight === {height} && v.readyState >= 3")
    await seek_over_seams(page)


async def test_hls_js_shows_single_pictures_from_the_i_frame_playlists(
    page: Page, played: dict[str, Any]
) -> None:
    playback = await addresses(page, played)
    await page.evaluate(HLS_JS, playback["hls"])
    assert await page.evaluate("player.iframeVariants.length") == 2
    # Asked before its media is attached, hls.js 1.7 may let the one tick pass that would have loaded.
    await page.evaluate("""async () => {
        const small = Object.assign(document.createElement('video'), {muted: true});
        document.body.replaceChildren(small);
        window.still = player.createIFramePlayer();
        still.on('hlsError', (_, error) => window.wrong.push(error.details));
        const attached = new Promise((done) => still.once('hlsMediaAttached', done));
        still.attachMedia(small);
        await attached;
    }""")
    for time in (0.5, 9.0, 4.5):
        await page.evaluate(f"void still.loadMediaAt({time})")
        segment = time // 2 * 2
        await until(
            page,
            "v.videoWidth > 0 && v.readyState >= 2 && [...Array(v.buffered.length).keys()].some("
            f"(n) => v.buffered.start(n) <= {segment + 0.1} && v.buffered.end(n) > {segment + 0.1})",
        )
    assert await page.evaluate("window.wrong") == []


async def test_hls_js_offers_the_captions(page: Page, played: dict[str, Any], watch: Watch) -> None:
    # hls.js makes tracks from data: addresses, which the portal (having its own) does not allow.
    watch.allow("Content Security Policy")
    watch.allow("media-src forbids data")
    playback = await addresses(page, played)
    assert [each["language"] for each in playback["captions"]] == ["zh", "en"]
    await page.evaluate(HLS_JS, playback["hls"])
    assert await page.evaluate("player.subtitleTracks.map((one) => one.lang)") == ["zh", "en"]
    await page.evaluate("player.subtitleTrack = 1; player.subtitleDisplay = true")
    await video(page, "v.play()")
    await until(
        page,
        "[...v.textTracks].some((one) => [...one.cues ?? []]"
        ".some((cue) => cue.text.includes('What is a cloud?') && cue.startTime === 0.5))",
    )


@pytest.mark.parametrize("manifest", ["hls", "dash"])
async def test_shaka_switches_qualities_and_plays_over_every_seam(
    page: Page, played: dict[str, Any], manifest: str
) -> None:
    playback = await addresses(page, played)
    await page.add_script_tag(url=SHAKA)
    await page.evaluate(SHAKA_PLAYER, [playback[manifest], {"abr": {"enabled": False}}])
    tracks = await page.evaluate("player.getVariantTracks().map((one) => one.height).sort()")
    assert tracks == [180, 360]
    await video(page, "v.play()")
    for height in (180, 360, 180):
        await page.evaluate(
            "(height) => player.selectVariantTrack("
            "player.getVariantTracks().find((one) => one.height === height), true)",
            height,
        )
        await until(page, f"v.videoHeight === {height} && v.readyState >= 3")
    texts = await page.evaluate("player.getTextTracks().map((one) => one.language).sort()")
    assert texts == ["en", "zh"]
    await seek_over_seams(page)


async def test_shaka_plays_fast_on_i_frames_and_goes_on_as_before(
    page: Page, played: dict[str, Any]
) -> None:
    playback = await addresses(page, played)
    await page.add_script_tag(url=SHAKA)
    await page.evaluate(SHAKA_PLAYER, [playback["hls"], {}])
    await video(page, "v.play()")
    await until(page, "v.currentTime > 0.3")
    await page.evaluate("player.trickPlay(4)")
    await until(page, "v.currentTime > 7")
    assert await page.evaluate("player.getPlaybackRate()") == 4
    await page.evaluate("player.cancelTrickPlay()")
    await video(page, "{ v.currentTime = 11; }")
    await until(page, "v.ended")
    assert await page.evaluate("window.wrong") == []


async def test_shaka_finds_the_storyboard_in_the_dash_manifest(
    page: Page, played: dict[str, Any]
) -> None:
    playback = await addresses(page, played)
    await page.add_script_tag(url=SHAKA)
    await page.evaluate(SHAKA_PLAYER, [playback["dash"], {}])
    (track,) = await page.evaluate("player.getImageTracks()")
    seen = await page.evaluate(
        "async (id) => { const one = await player.getThumbnails(id, 5);"
        " return [one.startTime, one.positionX, one.positionY, one.width, one.height,"
        " (await fetch(one.uris[0])).headers.get('content-type')]; }",
        track["id"],
    )
    # The third tile of one row of six: segments of two seconds.
    assert seen == [4, 320, 0, 160, 90, "image/jpeg"]


async def test_sound_alone_plays_where_the_network_carries_no_more(
    page: Page, played: dict[str, Any]
) -> None:
    playback = await addresses(page, played)
    main = await page.evaluate("async (url) => (await fetch(url)).text()", playback["hls"])
    (name,) = {line for line in main.splitlines() if line.startswith("a") and "m3u8" in line}
    await page.evaluate(HLS_JS, playback["hls"].replace("main.m3u8", name))
    await video(page, "v.play()")
    await until(page, "v.currentTime > 1")
    assert await video(page, "v.videoWidth") == 0
    assert await video(page, "v.webkitAudioDecodedByteCount") > 0
    assert await page.evaluate("window.wrong") == []
