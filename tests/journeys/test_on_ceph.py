"""From upload to playable on a second S3 server, Ceph's, whose buckets have host names of their own."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import httpx
import pytest

from tests.ceph_server import HOST
from tests.fixtures_footage import Footage
from tests.fixtures_storage import S3Server
from tests.journeys.conftest import Installing
from tests.journeys.decoding import decode

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

WILDCARD = f"""
import socket
look_up = socket.getaddrinfo
def found(host, *arguments, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith({HOST!r}):
        host = "127.0.0.1"
    return look_up(host, *arguments, **options)
socket.getaddrinfo = found
"""
"""What a wildcard record in the DNS would do, for each Python process of an installation."""


@pytest.mark.slow
@pytest.mark.usefixtures("resolving")
def test_a_recording_becomes_a_lecture_in_a_bucket_with_a_host_name(
    install: Installing, ceph_server: S3Server, footage: Footage, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WILDCARD)
    bucket = f"test-{secrets.token_hex(6)}"
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    academy = install(
        **ceph_server.virtual.environment,
        ACADEMY_STORAGE_URL=f"s3://{bucket}/academy",
        PYTHONPATH=path,
    )
    academy.run("storage", "setup")
    academy.start()
    academy.add_course("ceph")
    lecture_id = academy.uploaded(
        academy.run(
            *("upload", str(footage("lecture", duration=6)), "--course", "ceph"),
            *("--title", "On Ceph", "--publish", "--wait"),
        )
    )
    playback = academy.lecture(lecture_id)["playback"]
    assert playback["state"] == "ready"
    with httpx.Client(follow_redirects=True) as viewer:
        manifest, hosts = fetched(viewer, playback["hls"], tmp_path / "seen")
    assert hosts == {f"{bucket}.{HOST}"}
    assert decode(str(manifest)).frames == 6 * 30
    assert not academy.segments()


def fetched(viewer: httpx.Client, url: str, to: Path) -> tuple[Path, set[str]]:
    """All that a playlist names, below a folder; and the hosts that segments came from.

    ffmpeg's own reader knows no wildcard record, so it gets files.
    """
    answer = viewer.get(url).raise_for_status()
    path = to / httpx.URL(url).path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answer.content)
    if path.suffix != ".m3u8":
        return path, {answer.url.host}
    hosts: set[str] = set()
    for line in answer.text.splitlines():
        named = re.findall(r'URI="([^"]+)"', line) if line.startswith("#") else [line]
        for each in filter(None, named):
            hosts |= fetched(viewer, str(httpx.URL(url).join(each)), to)[1]
    return path, hosts
