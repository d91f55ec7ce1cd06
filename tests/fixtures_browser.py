"""Debian's Chromium, driven through Playwright's asynchronous API on the session's event loop.

Every page watches itself: at the end of a test, an error on the console, an uncaught exception or a
violation of the content security policy fails it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

expect.set_options(timeout=20_000)  # milliseconds: four workers share two cores

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these Chromium looks for its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]
PATIENCE = 30_000
"""Milliseconds after which something hangs for sure; nothing here measures speed."""
_WATCH_POLICY = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Its path. Tests that need it are skipped where it is missing.

    Without the shell around it, if that is installed: it draws no window, and takes a quarter less of the cores.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("chromium is not installed: on Debian and Ubuntu `apt-get install chromium`")
    return found


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


@dataclass
class Watch:
    """What went wrong on the pages of a test. `allow` names what that test brings about itself."""

    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        self.allowed.append(pattern)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"{message.text} ({message.location['url']})")

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.seen if not any(re.search(a, line) for a in self.allowed)]


OpenContext = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def open_context(browser: Browser, watch: Watch) -> AsyncIterator[OpenContext]:
    """`await open_context(locale="zh-CN", color_scheme="dark")`: a fresh visitor, watched."""
    opened: list[BrowserContext] = []

    async def open_one(**options: object) -> BrowserContext:
        usual: dict[str, object] = {
            "locale": "en-GB",
            "viewport": {"width": 1280, "height": 800},
            "reduced_motion": "reduce",
        }
        context = await browser.new_context(**{**usual, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(_WATCH_POLICY)
        context.on("console", watch.on_console)
        context.on("weberror", lambda error: watch.seen.append(f"uncaught: {error.error}"))
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        await context.close()
    assert watch.unexpected == []


@pytest.fixture
async def page(open_context: OpenContext) -> Page:
    """An English-speaking visitor at a desk."""
    return await (await open_context()).new_page()
