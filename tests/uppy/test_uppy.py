"""The real @uppy/aws-s3, unmodified, in Chromium on a third origin; recordings go to a real S3 server."""

from __future__ import annotations

import asyncio
import functools
import http.server
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from academy.keys import KeyRing
from academy.settings import Settings
from academy.storage import open_storage
from tests.documents import a_course, a_lecture
from tests.fixtures_storage import S3Server
from tests.node import run_node
from tests.portal.site import SECRET, Service, Site, free_port

pytestmark = pytest.mark.browser

PORTAL = Path(__file__).parents[2] / "api" / "portal"
PAGE = "<!doctype html><title>Front end</title><link rel=icon href=data:,><input type=file id=file><script src=page.js></script>"


@pytest.fixture(scope="module")
async def front_end(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The origin of somebody else's page, which bundles Uppy as every front end does."""
    folder = tmp_path_factory.mktemp("front-end")
    (folder / "index.html").write_text(PAGE)
    source = tmp_path_factory.mktemp("source")
    (source / "node_modules").symlink_to(PORTAL / "node_modules")
    shutil.copy(Path(__file__).parent / "page.js", source)
    await run_node(
        "node_modules/esbuild/bin/esbuild",
        str(source / "page.js"),
        "--bundle",
        f"--outfile={folder / 'page.js'}",
        "--log-level=error",
        folder=PORTAL,
    )
    with _serving(folder) as origin:
        yield origin


@asynccontextmanager
async def _api(
    origin: str, s3: S3Server, mongo_url: str, database: str, stores, monkeypatch
) -> AsyncIterator[Site]:
    for name, value in s3.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    port = free_port()
    settings = Settings(
        mongodb_url=mongo_url,
        mongodb_database=database,
        storage_url=f"s3://{s3.new_bucket()}",
        s3_endpoint_url=s3.endpoint,
        s3_region=s3.region,
        s3_addressing_style="path",
        secret_key=SECRET,
        public_url=f"http://127.0.0.1:{port}",
        cors_origins=[origin],
    )
    service = Service(settings, port)
    await service.start()
    try:
        yield Site(settings.public_url, stores, open_storage(settings, KeyRing(SECRET)), settings)
    finally:
        await service.stop()


@pytest.fixture
async def s3_site(
    front_end: str, s3_server: S3Server, mongo_url: str, database_name: str, stores, monkeypatch
) -> AsyncIterator[Site]:
    async with _api(front_end, s3_server, mongo_url, database_name, stores, monkeypatch) as site:
        yield site


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def a_lecture_of(site: Site) -> str:
    course = a_course()
    await site.stores.courses.add(course)
    return (await site.stores.courses.add_lecture(a_lecture(course.slug))).id


SEND = """([api, lecture, token]) => {
  const [file] = document.querySelector('#file').files;
  window.sending = window.send({ api, lecture, token, file });
}"""


async def test_uppy_pauses_resumes_and_sends_a_recording_byte_for_byte(
    page: Page, front_end: str, s3_site: Site, tmp_path: Path
) -> None:
    recording_file = tmp_path / "云 lecture.mp4"
    recording_file.write_bytes(bytes(range(256)) * 4096 * 11)
    lecture = await a_lecture_of(s3_site)
    await page.goto(front_end)
    await page.locator("#file").set_input_files(recording_file)
    held: list[Route] = []
    paused = asyncio.Event()

    async def hold_second_once(route: Route) -> None:
        if "partNumber=2" in route.request.url and not held and route.request.method == "PUT":
            held.append(route)
            await page.evaluate("window.uppy.pauseAll()")
            paused.set()
            return
        await route.continue_()

    await page.route(f"{s3_site.settings.s3_endpoint_url}/**", hold_second_once)
    await page.evaluate(SEND, [s3_site.url, lecture, s3_site.token()])
    async with asyncio.timeout(60):
        await paused.wait()
    await page.evaluate("window.uppy.resumeAll()")
    result = await page.evaluate("window.sending")
    assert result == {"failed": [], "location": f"{s3_site.url}/v1/lectures/{lecture}"}
    recording = await s3_site.stores.recordings.newest(lecture)
    assert recording is not None
    assert recording.filename == recording_file.name
    arrived = await asyncio.to_thread(lambda: b"".join(s3_site.storage.read(recording.key)))
    assert arrived == recording_file.read_bytes()
    assert recording.size == len(arrived)
    await s3_site.stores.jobs.cancel(recording.id)


async def test_uppy_cancels_and_the_store_is_empty_again(
    page: Page, front_end: str, s3_site: Site, tmp_path: Path
) -> None:
    recording_file = tmp_path / "lecture.mp4"
    recording_file.write_bytes(b"x" * 6 * 1024**2)
    lecture = await a_lecture_of(s3_site)
    await page.goto(front_end)
    await page.locator("#file").set_input_files(recording_file)

    async def never(route: Route) -> None:
        if route.request.method != "PUT":
            await route.continue_()
        else:
            await page.evaluate("window.uppy.cancelAll()")

    await page.route(f"{s3_site.settings.s3_endpoint_url}/**", never)
    async with page.expect_response(
        lambda answer: answer.request.method == "DELETE" and "/v1/uppy/" in answer.url
    ) as deleted:
        await page.evaluate(SEND, [s3_site.url, lecture, s3_site.token()])
    assert (await deleted.value).status == 200
    upload = await s3_site.stores.database.uploads.find_one({"lecture_id": lecture})
    assert upload is not None
    assert upload["state"] == "aborted"
    await expect(page.locator("#file")).to_have_count(1)
