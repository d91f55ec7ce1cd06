"""Players that know AV1 choose it from our manifests, and those that do not play H.264 from the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

import api
from tests.fixtures_footage import Footage
from tests.portal.watching import until, video
from transcoding.binary import FFmpeg
from transcoding.local import transcode_file

pytestmark = pytest.mark.browser

VENDOR = Path(api.__file__).parent / "portal" / "node_modules"
SECONDS = 6
BOTH = """
both:
  segment_seconds: 2
  sampling: false
  video:
    - {size: 180, crf: 24, max_rate: 900000, buffer: 1800000, preset: ultrafast}
    - {size: 180, codec: av1, crf: 50, max_rate: 600000, buffer: 1200000, preset: 10}
"""
HLS = """async (url) => {
    const {default: Hls} = await import('/vendor/hls.js/dist/hls.mjs');
    const element = Object.assign(document.createElement('video'), {muted: true});
    document.body.append(element);
    const player = new Hls({enableWorker: false});
    player.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) window.fatal = error.details; });
    player.loadSource(url);
    player.attachMedia(element);
    window.codec = () => player.levels[player.currentLevel]?.videoCodec;
}"""
SHAKA = """async (url) => {
    const element = Object.assign(document.createElement('video'), {muted: true});
    document.body.append(element);
    const player = new shaka.Player();
    await player.attach(element);
    player.addEventListener('error', (event) => { window.fatal = String(event.detail.code); });
    await player.load(url);
    window.codec = () => player.getVariantTracks().find((track) => track.active)?.videoCodec;
}"""
WITHOUT_AV1 = """(() => {
    const supported = MediaSource.isTypeSupported.bind(MediaSource);
    MediaSource.isTypeSupported = (type) => !type.includes('av01') && supported(type);
    const info = navigator.mediaCapabilities.decodingInfo.bind(navigator.mediaCapabilities);
    navigator.mediaCapabilities.decodingInfo = async (wanted) =>
        wanted.video?.contentType.includes('av01')
            ? {supported: false, smooth: false, powerEfficient: false, configuration: wanted}
            : info(wanted);
})()"""


class Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        if path.startswith("/vendor/"):
            return str(VENDOR / path.removeprefix("/vendor/").partition("?")[0])
        return super().translate_path(path)

    def log_message(self, *args: Any) -> None:
        """Nothing: the test says what matters."""


Handler.extensions_map = {
    **SimpleHTTPRequestHandler.extensions_map,
    ".mjs": "text/javascript",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
}


@pytest.fixture(scope="module")
async def media(
    footage: Footage, tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg
) -> dict[str, Any]:
    if not ffmpeg.has("encoders", "libsvtav1"):
        pytest.skip("this ffmpeg has no SVT-AV1")
    folder = tmp_path_factory.mktemp("av1")
    profile = folder / "both.yaml"
    profile.write_text(BOTH)
    (folder / "index.html").write_text(
        "<!doctype html><title>players</title><link rel=icon href=data:,>"
    )
    recording = footage("lecture", duration=SECONDS)
    summary = await transcode_file(recording, folder / "media", profile=str(profile), workers=2)
    return {**summary, "folder": folder}


@pytest.fixture(scope="module")
def address(media: dict[str, Any]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=media["folder"]))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def played(page: Page, address: str, player: str, manifest: str) -> str:
    """Plays from the start through the middle to the end; the codec it chose."""
    await page.goto(f"{address}/index.html")
    if player == SHAKA:
        await page.add_script_tag(url="/vendor/shaka-player/dist/shaka-player.compiled.js")
    await page.evaluate(player, f"{address}/media/{manifest}")
    await video(page, "v.play()")
    await until(page, "window.fatal || v.currentTime > 1")
    codec = str(await page.evaluate("window.codec()"))
    await video(page, f"{{ v.currentTime = {SECONDS - 1.5}; }}")
    await until(page, "window.fatal || v.ended")
    assert await page.evaluate("window.fatal") is None
    assert await video(page, "v.videoHeight") == 180
    return codec


CASES = [
    pytest.param(HLS, "hls", id="hls.js"),
    pytest.param(SHAKA, "hls", id="Shaka-HLS", marks=pytest.mark.slow),
    pytest.param(SHAKA, "dash", id="Shaka-DASH"),
]


@pytest.mark.parametrize(("player", "manifest"), CASES)
async def test_a_player_that_knows_av1_chooses_it(
    page: Page, media: dict[str, Any], address: str, player: str, manifest: str
) -> None:
    assert (await played(page, address, player, media[manifest])).startswith("av01")


@pytest.mark.parametrize(("player", "manifest"), CASES[::2])
async def test_a_player_without_av1_plays_h264_from_the_same_manifest(
    page: Page, media: dict[str, Any], address: str, player: str, manifest: str
) -> None:
    await page.add_init_script(WITHOUT_AV1)
    assert (await played(page, address, player, media[manifest])).startswith("avc1")
