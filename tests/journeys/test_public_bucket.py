"""From an upload in the studio to playback in a page, over a bucket whose media everybody may read and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.fixtures_browser import OpenContext
from tests.fixtures_footage import Footage
from tests.fixtures_storage import S3Server
from tests.journeys.conftest import Installing
from tests.journeys.installation import Installation
from tests.portal.watching import until, video

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(300),
]


def installed(install: Installing, server: S3Server, bucket: str) -> Installation:
    academy = install(
        **server.environment,
        ACADEMY_STORAGE_URL=f"s3://{bucket}/academy",
        ACADEMY_S3_PUBLIC_MEDIA="true",
        ACADEMY_PUBLIC_MEDIA_URL=f"{server.endpoint}/{bucket}/academy",
    )
    # The parts come from the portal's page: whose address is part of the bucket's rules.
    academy.env["ACADEMY_PUBLIC_URL"] = academy.url
    told = academy.run("storage", "setup").stdout.splitlines()
    assert [line.split(":")[0] for line in told] == [
        "ok    bucket", "ok    CORS", "ok    abandoned uploads", "ok    public media",
    ]  # fmt: skip
    academy.start()
    academy.add_course("public")
    return academy


async def test_a_recording_sent_from_the_studio_plays_from_the_public_bucket_and_its_source_stays_private(
    install: Installing, ceph_server: S3Server, footage: Footage, open_context: OpenContext
) -> None:
    bucket = f"test-{secrets.token_hex(6)}"
    academy = await asyncio.to_thread(installed, install, ceph_server, bucket)
    recording = await asyncio.to_thread(footage, "webm", duration=8)
    studio = await (await open_context()).new_page()
    lecture_id = await sent(studio, academy, str(recording))
    draft_id = academy.uploaded(
        await asyncio.to_thread(
            academy.run,
            *("upload", str(recording), "--course", "public", "--title", "Draft", "--wait"),
        )
    )

    learner = await (await open_context()).new_page()
    asked: list[str] = []
    learner.on("request", lambda request: asked.append(request.url))
    await learner.goto(f"{academy.url}/lectures/{lecture_id}")
    await until(learner, "v && v.readyState >= 2")
    await video(learner, "v.play()")
    await until(learner, "v.currentTime > 1")
    await video(learner, "{ v.currentTime = 7; }")
    await until(learner, "v.ended")
    segments = [url for url in asked if ".m4s" in url]
    assert segments
    assert all(
        url.startswith(f"{ceph_server.endpoint}/{bucket}/academy/media/") for url in segments
    )
    assert not any("?" in url for url in segments), "no signature, no token"

    await asyncio.to_thread(private_but_for_media, academy, ceph_server, bucket, draft_id)


async def sent(studio: Page, academy: Installation, recording: str) -> str:
    """The id of a published lecture whose recording came from this page."""
    token = await asyncio.to_thread(academy.token, "admin")
    await studio.goto(f"{academy.url}/studio#/courses/public")
    await studio.get_by_label("Access token").fill(token)
    await studio.get_by_role("button", name="Sign in").click()
    await studio.get_by_label("Lecture title").fill("In public")
    await studio.get_by_role("button", name="Create").click()
    await expect(studio.get_by_role("heading", level=1)).to_have_text("In public")
    lecture_id = studio.url.rpartition("/")[2]
    await studio.locator("#file").set_input_files(recording)
    await expect(studio.get_by_text("Ready", exact=True)).to_be_visible(timeout=90_000)
    await studio.get_by_role("button", name="Publish", exact=True).click()
    await expect(studio.get_by_role("button", name="Unpublish")).to_be_visible()
    return lecture_id


def private_but_for_media(
    academy: Installation, server: S3Server, bucket: str, draft_id: str
) -> None:
    pages = server.connection.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [each["Key"] for page in pages for each in page.get("Contents", [])]
    sources = [name for name in names if name.startswith("academy/recordings/")]
    media = [name for name in names if name.startswith("academy/media/")]
    assert len(sources) == 2
    assert media
    with httpx.Client() as anybody:

        def status(name: str) -> int:
            return anybody.get(f"{server.endpoint}/{bucket}/{name}").status_code

        for name in names:
            assert status(quote(name)) == (200 if name in media else 403), name
        # Nobody is told the names: neither by the bucket nor, of a draft, by the API.
        assert status("") == status("?list-type=2&prefix=academy/media/") == 403
        assert anybody.get(f"{academy.url}/v1/lectures/{draft_id}").status_code == 404
        for path in ("recording", "captions"):
            unsigned = anybody.get(f"{academy.url}/v1/lectures/{draft_id}/{path}")
            assert unsigned.status_code in {401, 404}, path
        # Whoever may see the draft gets it through path tokens, not by its name in the bucket.
        playback = academy.lecture(draft_id)["playback"]
        assert playback["hls"].startswith(f"{academy.url}/v1/media/")
        assert (
            anybody.put(f"{server.endpoint}/{bucket}/academy/media/x", content=b"x").status_code
            == 403
        )
