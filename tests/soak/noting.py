"""`academy`, noting each part of an upload that the storage acknowledged to it.

    python -m tests.soak.noting FILE upload …

A part that was acknowledged has to stay. The command sends again what the API misses, without a word,
so whether something was lost shows only in what was acknowledged to it before.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from academy import cli

Acknowledged = Counter[tuple[str, int]]
"""How often, by the storage's id of the upload and the number of the part."""


@contextmanager
def noting(notes: Path) -> Iterator[None]:
    """Appends to a file what httpx is told meanwhile."""
    sending = httpx.AsyncClient.send

    async def send(self: httpx.AsyncClient, request: httpx.Request, **how: Any) -> httpx.Response:
        answer = await sending(self, request, **how)
        number, upload = (request.url.params.get(each) for each in ("partNumber", "uploadId"))
        if request.method == "PUT" and number and upload and answer.is_success:
            with notes.open("a") as file:
                file.write(f"{upload} {number}\n")
        return answer

    httpx.AsyncClient.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        httpx.AsyncClient.send = sending  # type: ignore[method-assign]


def read(notes: Path) -> Acknowledged:
    lines = notes.read_text().splitlines() if notes.exists() else []
    return Counter((upload, int(number)) for upload, number in map(str.split, lines))


def lost(acknowledged: Acknowledged, completed: set[str]) -> list[str]:
    """Parts that had to be sent again, and those of uploads that were given up for new ones."""
    return [
        f"part {number} of {upload} was acknowledged "
        + (f"{times} times" if upload in completed else "and its upload not completed")
        for (upload, number), times in sorted(acknowledged.items())
        if times > 1 or upload not in completed
    ]


if __name__ == "__main__":
    own, *arguments = sys.argv[1:]
    sys.argv = [os.fspath(Path(sys.executable).with_name("academy")), *arguments]
    with noting(Path(own)):
        cli.main()
