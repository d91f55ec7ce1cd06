from __future__ import annotations

from pathlib import Path

import httpx

from academy.storage.s3 import S3Storage
from tests.soak.noting import lost, noting, read

KEY = "recordings/one/source"


async def test_a_part_that_was_acknowledged_and_asked_for_again_is_lost(
    s3_storage: S3Storage, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    assert lost(read(notes), set()) == []
    upload, given_up = (s3_storage.start(KEY, content_type="video/mp4") for _ in range(2))
    with noting(notes):
        async with httpx.AsyncClient() as client:
            for of, number, content in (
                (upload, 1, b"abc"),
                (upload, 2, b"refused, since the link is for three bytes"),
                (upload, 2, b"abc"),
            ):
                await _put(client, s3_storage, of, number, content)
            assert lost(read(notes), {upload}) == []
            await _put(client, s3_storage, upload, 1, b"abc")
            await _put(client, s3_storage, given_up, 1, b"abc")
    assert lost(read(notes), {upload, given_up}) == [f"part 1 of {upload} was acknowledged 2 times"]
    assert len(lost(read(notes), {upload})) == 2


async def _put(
    client: httpx.AsyncClient, storage: S3Storage, upload: str, number: int, content: bytes
) -> None:
    part = storage.sign_part(KEY, upload, number, expires_in=60, size=3)
    headers = {**part.headers, "Content-Length": str(len(content))}
    await client.request(part.method, part.url, content=content, headers=headers)
