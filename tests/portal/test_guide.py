"""Every snippet of docs/api-guide.md, run as a reader would run it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from academy.events import Event
from academy.people import Role
from academy.webhooks import message_of
from api.problem_types import PROBLEM_TYPES
from tests.documents import a_course, a_lecture
from tests.portal.film import Film, begin_screening
from tests.portal.site import SECRET, Site, free_port, running_site
from tests.portal.watching import until

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "api-guide.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
COURSE = "guide"


@pytest.fixture(scope="module")
async def site(
    tmp_path_factory: pytest.TempPathFactory, mongo_url: str, database_name: str, stores: Any
) -> AsyncIterator[Site]:
    """As the portal's, but webhooks may be sent to this machine."""
    folder = tmp_path_factory.mktemp("guide")
    allowed = {"webhook_networks": "127.0.0.0/8"}
    async with running_site(folder, mongo_url, database_name, stores, **allowed) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
async def lecture(site: Site, film: Film) -> str:
    """One that plays, in a course for beginners."""
    course = a_course(
        slug=COURSE,
        title={"en": "A guide"},
        level="beginner",
        published_at="2026-01-01T00:00:00Z",
    )
    await site.stores.courses.add(course)
    made = await site.stores.courses.add_lecture(
        a_lecture(COURSE, title={"en": "Its lecture"}, published=True)
    )
    await (await begin_screening(site, film, made)).finish()
    return made.id


def test_every_snippet_has_a_name_and_so_a_test_here() -> None:
    assert len(re.findall(r"^```\w+", GUIDE, re.MULTILINE)) == len(SNIPPETS)
    mine = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in SNIPPETS if mine.count(f'"{name}"') == 0] == []


def test_a_portal_page_has_fifty_lines() -> None:
    assert len(SNIPPETS["portal-page"].splitlines()) <= 50


async def test_the_portal_page_lists_filters_and_plays(page: Page, site: Site) -> None:
    async def serve(route: Route) -> None:
        await route.fulfill(body=SNIPPETS["portal-page"], content_type="text/html")

    await page.route("**/my-portal", serve)
    await page.goto(f"{site.url}/my-portal")
    await page.get_by_role("button", name="A guide").click()
    await page.get_by_role("button", name="Its lecture").click()
    await until(page, "v?.readyState >= 2")
    await page.locator("#level").select_option("advanced")
    await expect(page.locator("#courses li")).to_have_count(0)


def script(*names: str, site: Site, role: Role = Role.ADMIN) -> str:
    """A module of these snippets, with the guide's two settings."""
    head = f"const API = {json.dumps(site.url)}; const TOKEN = {json.dumps(site.token('t', role))};"
    return "\n".join([head, *(SNIPPETS[name] for name in names)])


async def load(page: Page, site: Site, *names: str) -> None:
    async def serve(route: Route) -> None:
        await route.fulfill(body=script(*names, site=site), content_type="text/javascript")

    await page.route("**/guide.js", serve)
    await page.route("**/blank", lambda route: route.fulfill(body="", content_type="text/html"))
    await page.goto(f"{site.url}/blank")


async def test_a_browser_uploads_and_follows(page: Page, site: Site) -> None:
    draft = await site.stores.courses.add_lecture(a_lecture(COURSE))
    await load(page, site, "errors", "upload", "events")
    seen = await page.evaluate(
        """async (lectureId) => {
          const { call, follow, upload } = await import('/guide.js');
          const shares = [];
          const file = new File([new Uint8Array(9_000_000)], 'a.mp4', { type: 'video/mp4' });
          await upload(lectureId, file, (share) => shares.push(share));
          const states = [];
          for await (const recording of follow(lectureId)) {
            states.push(recording.state);
            if (recording.state === 'queued') await call('POST', `lectures/${lectureId}/recording/cancel`);
          }
          return { shares, states };
        }""",
        draft.id,
    )
    assert seen == {"shares": [0.5, 1], "states": ["queued", "cancelled"]}


async def test_errors_are_thrown_with_their_problem_and_limits_waited_for(
    page: Page, site: Site, watch: Any
) -> None:
    watch.allow("status of (422|429)")
    await load(page, site, "errors")
    asked = 0

    async def limited(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            await route.fulfill(status=429, headers={"Retry-After": "0"}, json={"detail": "wait"})
        else:
            await route.continue_()

    await page.route("**/v1/universities", limited)
    problem = await page.evaluate(
        """async () => {
          const { call } = await import('/guide.js');
          await call('GET', 'universities');
          try {
            await call('POST', 'courses', { slug: 'A b', title: { en: 5 }, language: 'en' });
          } catch (error) { return error.problem; }
        }"""
    )
    assert asked == 2
    assert problem == json.loads(SNIPPETS["problem"])


def test_the_table_of_problems_is_complete() -> None:
    listed = re.findall(r"^\| (\d{3}) \| `(\w+)`", GUIDE, re.MULTILINE)
    wanted = [(str(each.status), code) for code, each in PROBLEM_TYPES.items()]
    assert listed == wanted, "the guide lists api/problem_types.py, in its order"


def shell(site: Site, *names: str, **environment: str) -> str:
    """Run by bash, as one script after the guide's settings; its output."""
    settings = SNIPPETS["settings"].replace("http://127.0.0.1:8000", site.url)
    settings = settings.replace(".venv/bin/academy", f"{sys.executable} -m academy.cli")
    text = "\n".join(["set -eu", settings, *(SNIPPETS[name] for name in names), 'echo "$LECTURE"'])
    done = subprocess.run(
        ["bash", "-c", text],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, "ACADEMY_SECRET_KEY": SECRET, "LECTURE": "", **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_a_course_and_a_lecture_are_made_with_curl(site: Site) -> None:
    output = await asyncio.to_thread(shell, site, "course")
    lecture = await site.stores.courses.lecture(output.strip()[-32:])
    assert lecture.course == "queues"
    assert lecture.title == {"en": "First in, first out"}


async def test_a_webhook_is_made_with_curl_and_received_by_the_example(
    site: Site, tmp_path: Path
) -> None:
    port = free_port()
    made = await asyncio.to_thread(
        shell, site, "webhook", RECEIVER=f"http://127.0.0.1:{port}/hooks"
    )
    secret = re.search(r'"secret":"(whsec_[^"]+)"', made)
    assert secret is not None, made
    program = tmp_path / "receiver.py"
    head = f"SECRET = {secret[1]!r}\nPORT = {port}\n"
    program.write_text(head + SNIPPETS["receiver"], encoding="utf-8")
    receiver = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert receiver.stdout is not None
        async with asyncio.timeout(60):
            line = await anext(received(receiver.stdout, site))
        assert line.startswith("webhook.test {'webhook_id':")
    finally:
        receiver.kill()
        await receiver.wait()


async def received(output: asyncio.StreamReader, site: Site) -> AsyncIterator[str]:
    """Lines of the receiver. The first attempt may come before it listens: the next one is hurried."""
    while True:
        reading = asyncio.ensure_future(output.readline())
        while not (await asyncio.wait({reading}, timeout=0.2))[0]:
            await site.stores.database.deliveries.update_many(
                {"state": "pending", "claim": None},
                [{"$set": {"due_at": {"$subtract": ["$$NOW", 1]}}}],
            )
        yield reading.result().decode()


async def test_a_message_looks_as_the_guide_says(site: Site) -> None:
    shown = json.loads(SNIPPETS["message"])
    # Of this module's lecture.
    found = await site.stores.database.events.find_one({"kind": "lecture.ready"})
    assert found is not None
    assert found["data"].keys() == shown["data"].keys()
    body = json.loads(message_of(Event(kind=found["kind"], data=found["data"])))
    assert body.keys() == shown.keys()
