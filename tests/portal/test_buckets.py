"""Media in buckets of real S3 servers: private ones through path tokens, and one whose media are public.

The player's page is of a third origin, neither the API's nor the storage's, as a front end elsewhere is.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import m3u8
import pytest
from playwright.async_api import Page

from academy.media import media_prefix
from academy.mongo.stores import MongoStores
from academy.settings import Settings
from academy.storage.bucket import set_up
from academy.storage.s3 import S3Storage
from academy.store_values import Changes
from tests import swift_account
from tests.fixtures_storage import S3Server
from tests.portal.film import Film, Screening, begin_screening
from tests.portal.site import Site, running_site
from tests.portal.watching import until, video

PACKAGES = Path(__file__).parents[2] / "api" / "portal" / "node_modules"
PLAYER = """async (url) => {
    const {default: Hls} = await import('/hls.js/dist/hls.mjs');
    const video = Object.assign(document.createElement('video'), {muted: true});
    document.body.replaceChildren(video);
    const player = new Hls({enableWorker: false});
    window.wrong = [];
    player.on(Hls.Events.ERROR, (_, error) => error.details === 'aborted' || window.wrong.push(error.details));
    const ready = new Promise((done) => player.once(Hls.Events.MANIFEST_PARSED, done));
    player.loadSource(url);
    player.attachMedia(video);
    await ready;
}"""


@dataclass
class Bucket:
    """A site over a bucket."""

    site: Site
    server: S3Server
    storage: S3Storage
    public: bool
    screenings: list[Screening] = field(default_factory=list)

    @property
    def refusal(self) -> int:
        """Swift takes what carries no signature for no request of S3 at all."""
        return 400 if self.server.access_key == swift_account.ACCESS_KEY else 403

    def unsigned(self, key: str, *, virtual: bool = False) -> str:
        return self._bases[virtual] + quote(self.storage.prefix + key)

    @cached_property
    def _bases(self) -> tuple[str, str]:
        """By path and by host name; each costs a client of its own."""
        name = self.storage.bucket
        servers = (self.server, self.server.virtual)
        return (servers[0].connection.bucket_url(name), servers[1].connection.bucket_url(name))


@pytest.fixture(scope="module")
def third_origin() -> Iterator[str]:
    class Files(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/":
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>Elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    def files(*arguments: Any) -> Files:
        return Files(*arguments, directory=str(PACKAGES))

    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(
    scope="module",
    params=[
        "s3_server-private",
        pytest.param("ceph_server-private", marks=pytest.mark.slow),
        pytest.param("ceph_server-public", marks=pytest.mark.slow),
    ],
)
async def bucket(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    mongo_url: str,
    database_name: str,
    stores: MongoStores,
    third_origin: str,
) -> AsyncIterator[Bucket]:
    name, _, kind = request.param.partition("-")
    server: S3Server = request.getfixturevalue(name)
    storage = S3Storage(f"site-{secrets.token_hex(6)}", "lectures", server.connection)
    settings: dict[str, Any] = {
        "storage_url": f"s3://{storage.bucket}/lectures",
        "s3_endpoint_url": server.endpoint,
        "s3_region": server.region,
        "s3_addressing_style": "path",
        "cors_origins": [third_origin],
    }
    if kind == "public":
        address = server.connection.bucket_url(storage.bucket) + "lectures"
        settings |= {"s3_public_media": True, "public_media_url": address}
    steps = list(set_up(storage, Settings(**settings)))
    assert [step for step in steps if step.done is False] == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
        folder = tmp_path_factory.mktemp("bucket-site")
        async with running_site(folder, mongo_url, database_name, stores, **settings) as site:
            yield Bucket(site, server, storage, kind == "public")


async def screened(bucket: Bucket, film: Film) -> Screening:
    """A finished, published lecture, the same one for all tests."""
    if not bucket.screenings:
        screening = await begin_screening(bucket.site, film)
        await screening.finish()
        source = f"recordings/{screening.job.recording_id}/source"
        await asyncio.to_thread(
            bucket.storage.put, source, b"as uploaded", content_type="video/mp4"
        )
        bucket.screenings.append(screening)
    return bucket.screenings[0]


@pytest.mark.browser
async def test_a_page_of_a_third_origin_plays_a_lecture(
    page: Page, bucket: Bucket, film: Film, third_origin: str
) -> None:
    screening = await screened(bucket, film)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(third_origin)
    lecture = f"{bucket.site.url}/v1/lectures/{screening.lecture.id}"
    playback = await page.evaluate(
        "async (url) => (await (await fetch(url)).json()).playback", lecture
    )
    expected = bucket.unsigned("media/") if bucket.public else f"{bucket.site.url}/v1/media/"
    assert playback["hls"].startswith(expected)
    await page.evaluate(PLAYER, playback["hls"])
    await video(page, "v.play()")
    await until(page, "v.currentTime > 1")
    await video(page, "{ v.currentTime = 14; }")
    await until(page, "v.ended")
    assert await page.evaluate("window.wrong") == []
    # Every byte of the film came from the storage itself, none through the API.
    segments = [url for url in asked if url.partition("?")[0].endswith(".m4s")]
    from_storage = [url for url in segments if url.startswith(bucket.server.endpoint)]
    assert from_storage
    assert len(from_storage) == len(segments) or not bucket.public
    assert all(("X-Amz-Signature" in url) != bucket.public for url in from_storage)


async def test_every_key_ever_seen_of_a_draft_is_refused_without_a_signature(
    bucket: Bucket, film: Film, resolving: None
) -> None:
    screening = await screened(bucket, film)
    lecture = await bucket.site.stores.courses.lecture(screening.lecture.id)
    await bucket.site.stores.courses.change_lecture(
        lecture.id, Changes(lecture.revision, {"published": False})
    )
    try:
        seen = await _followed(bucket, screening)
    finally:
        lecture = await bucket.site.stores.courses.lecture(lecture.id)
        await bucket.site.stores.courses.change_lecture(
            lecture.id, Changes(lecture.revision, {"published": True})
        )
    prefix = media_prefix(screening.media.id)
    stored = {each.key for each in bucket.storage.list(prefix)}
    segments = {f"{prefix}{receipt.name}" for receipt in film.receipts}
    assert segments <= seen <= stored
    media = 200 if bucket.public else bucket.refusal
    source = f"recordings/{screening.job.recording_id}/source"
    async with httpx.AsyncClient() as anybody:

        async def status(url: str) -> int:
            return (await anybody.get(url)).status_code

        for key in sorted(stored):
            assert await status(bucket.unsigned(key)) == media
            assert await status(bucket.unsigned(key, virtual=True)) == media
            link = bucket.storage.signed_url(key, expires_in=60)
            other = link.replace(quote(key), quote(source))
            assert await status(link) == 200
            assert await status(other) == 403
        # What was uploaded is nobody's, whatever becomes of the media.
        assert await status(bucket.unsigned(source)) == bucket.refusal
        assert await status(bucket.unsigned("")) in {bucket.refusal, 404}
        if bucket.server.access_key == swift_account.ACCESS_KEY:
            native = f"{bucket.server.endpoint}/v1/AUTH_test/{bucket.storage.bucket}/lectures/"
            assert {await status(native + key) for key in (*stored, source)} == {401}


async def _followed(bucket: Bucket, screening: Screening) -> set[str]:
    """Plays the draft as its owner, to the last segment; the keys that redirects have named."""
    seen: set[str] = set()
    headers = {"Authorization": f"Bearer {bucket.site.token()}"}
    async with httpx.AsyncClient() as client:
        url = f"{bucket.site.url}/v1/lectures/{screening.lecture.id}"
        assert (await client.get(url)).status_code == 404
        playback = (await client.get(url, headers=headers)).json()["playback"]
        # A draft's media go through path tokens wherever published ones are.
        assert playback["hls"].startswith(f"{bucket.site.url}/v1/media/")

        async def fetch(address: str) -> str:
            answer = await client.get(address)
            if answer.status_code == 307:
                location = answer.headers["location"]
                base = bucket.unsigned("")
                assert location.startswith(base)
                seen.add(location.partition("?")[0].removeprefix(base))
                assert (await client.get(location)).status_code == 200
                return ""
            assert answer.status_code == 200
            return answer.text

        main = m3u8.loads(await fetch(playback["hls"]))
        names = [each.uri for each in main.playlists] + [each.uri for each in main.media]
        for name in filter(None, names):
            address = urljoin(playback["hls"], name)
            listed = m3u8.loads(await fetch(address))
            assert listed.segment_map[0].uri is not None
            uris = [listed.segment_map[0].uri, *(each.uri for each in listed.segments)]
            for uri in dict.fromkeys(uris):
                await fetch(urljoin(address, uri))
    return seen
