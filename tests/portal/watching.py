"""Looking at a page's video from a test.

Playwright's own waiting evaluates text inside the page, which the content security policy forbids;
asking from outside is not the page's doing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page

from tests.fixtures_browser import PATIENCE


async def video(page: Page, expression: str) -> Any:
    """The value of `expression` with `v` as the video element (null while there is none)."""
    return await page.evaluate(f"((v) => {expression})(document.querySelector('video'))")


async def until(page: Page, condition: str) -> None:
    """Waits until `condition` holds for the video `v`."""
    end = asyncio.get_running_loop().time() + PATIENCE / 1000
    while not await video(page, condition):
        if asyncio.get_running_loop().time() > end:
            seen = await video(
                page, "v && [v.currentTime, v.duration, v.readyState, v.paused, v.videoWidth]"
            )
            raise AssertionError(f"never true: {condition}; time, duration … are {seen}")
        await asyncio.sleep(0.05)
