"""How fast recordings arrive: `academy upload` and the portal in a browser, against boto3's `upload_file`.

All send the same file to the same Swift server, in interleaved rounds; ours go through the API, which
signs each part, make an MD5 of each, and complete the upload. What arrived is compared with the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from playwright.sync_api import Page, expect, sync_playwright

from academy import tokens
from academy.commands.delivering import Order, deliver
from academy.commands.display import PlainDisplay
from academy.courses import now
from academy.embedded import EmbeddedMongo
from academy.invitations import Invitation, token_of
from academy.keys import KeyRing
from academy.mongo.stores import MongoStores
from academy.people import Role
from academy.storage.s3 import S3Storage
from bench.api_servers import serving
from bench.registry import Result, benchmark
from tests.documents import a_course, a_lecture
from tests.fixtures_browser import FLAGS
from tests.fixtures_storage import S3Server, running_swift

SECRET: Final = "a secret of the benchmarks, thirty-two characters"  # noqa: S105
SIZE: Final = int(os.environ.get("BENCH_INGEST_MIB", "512")) * 1024**2
"""What an hour of lecture takes."""
ROUNDS: Final = 5
PARTS_LISTED: Final = 1000
"""On a page, as Swift and every production server has it. Two, as the tests' Swift has it, would cost
ours 32 requests in the completion, which `upload_file` does without.
"""
PATIENCE: Final = 300_000
"""Milliseconds."""
UNIT: Final = "MB/s"
DATABASE: Final = "ingest"
T = TypeVar("T")


@dataclass
class Yard:
    """Everything that stands while the rounds run. `arrived`: keys of what was sent."""

    file: Path
    folder: Path
    storage: S3Storage
    api: str
    mongo_url: str
    course: str
    page: Page | None = None
    arrived: list[str] = field(default_factory=list)

    def upload_file(self) -> float:
        """Seconds, as in the two others."""
        key = f"boto3/{len(self.arrived)}"
        begun = time.perf_counter()
        self.storage.client.upload_file(str(self.file), self.storage.bucket, key)
        took = time.perf_counter() - begun
        self.arrived.append(key)
        return took

    def command(self) -> float:
        """`academy upload` without the start of its process: its lecture, its parts, its completion."""
        token = tokens.issue(KeyRing(SECRET), Role.INSTRUCTOR, "teacher", timedelta(hours=1))
        order = Order(self.file, self.course, "A recording", "en")
        begun = time.perf_counter()
        lecture = _wait(deliver(order, self.api, token, self.folder / "state", PlainDisplay(None)))
        took = time.perf_counter() - begun
        self._note(lecture)
        return took

    def browser(self) -> float:
        """From the choice of the file on an invitation's page to the word that it has arrived."""
        assert self.page is not None
        address, lecture = _wait(_invite(self.mongo_url, self.course, self.api))
        self.page.goto("about:blank")
        self.page.goto(address)
        expect(self.page.locator("label[for=file]")).to_be_visible(timeout=PATIENCE)
        begun = time.perf_counter()
        self.page.locator("#file").set_input_files(self.file)
        expect(self.page.locator(".notice.good")).to_be_visible(timeout=PATIENCE)
        took = time.perf_counter() - begun
        self._note(lecture)
        return took

    def _note(self, lecture: str) -> None:
        self.arrived.append(_wait(_key_of(self.mongo_url, lecture)))

    def check(self) -> None:
        """Every byte, then room is made."""
        with self.file.open("rb") as source:
            wanted = hashlib.file_digest(source, "sha256").hexdigest()
        for key in self.arrived:
            found = hashlib.sha256()
            for piece in self.storage.read(key):
                found.update(piece)
            assert found.hexdigest() == wanted, f"{key} is not what was sent"
            self.storage.client.delete_object(Bucket=self.storage.bucket, Key=key)
        self.arrived.clear()


@benchmark("ingest.cli_vs_upload_file", "ingest.browser_vs_upload_file")
def uploads() -> Iterable[Result]:
    """Throughput of `academy upload` and of the portal's page in Chromium over that of `upload_file`,
    digests and completion included; 0.9 or more is wanted.
    """
    with _yard() as yard, contextlib.ExitStack() as stack:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is not None:
            flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
            playwright = stack.enter_context(sync_playwright())
            chromium = playwright.chromium.launch(executable_path=program, args=flags)
            stack.callback(chromium.close)
            yard.page = chromium.new_page()
        seconds = _rounds(yard)
    boto3 = _rate(seconds["boto3"])
    yield Result.of("ingest.cli_vs_upload_file", _rate(seconds["cli"]), UNIT, boto3)
    if seconds["browser"]:
        yield Result.of("ingest.browser_vs_upload_file", _rate(seconds["browser"]), UNIT, boto3)


def _rate(seconds: list[float]) -> float:
    return SIZE / 1e6 / statistics.median(seconds)


def _rounds(yard: Yard) -> dict[str, list[float]]:
    variants: dict[str, Callable[[], float]] = {"cli": yard.command, "boto3": yard.upload_file}
    if yard.page is not None:
        variants["browser"] = yard.browser
    names = list(variants)
    seconds: dict[str, list[float]] = {"cli": [], "boto3": [], "browser": []}
    for turn in range(ROUNDS + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            took = variants[name]()
            if turn:  # the first opens connections and warms what can be warmed
                seconds[name].append(took)
        yard.check()
    return seconds


@contextlib.contextmanager
def _yard() -> Iterator[Yard]:
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="academy-bench-", ignore_cleanup_errors=True)
            )
        )
        file = folder / "recording.mp4"
        with file.open("wb") as out:
            for _ in range(SIZE // 1024**2):
                out.write(os.urandom(1024**2))
        (folder / "swift").mkdir()
        server: S3Server = stack.enter_context(running_swift(folder / "swift", parts=PARTS_LISTED))
        mongo = stack.enter_context(EmbeddedMongo(folder / "mongo"))
        bucket = server.new_bucket()
        environment = server.environment | {
            "ACADEMY_MONGODB_URL": mongo.url,
            "ACADEMY_MONGODB_DATABASE": DATABASE,
            "ACADEMY_STORAGE_URL": f"s3://{bucket}",
            "ACADEMY_SECRET_KEY": SECRET,
        }
        api = stack.enter_context(serving("bench.api_process:academy", **environment))
        course = _wait(_course(mongo.url))
        storage = S3Storage(bucket, connection=server.connection)
        yield Yard(file, folder, storage, f"http://127.0.0.1:{api.port}", mongo.url, course)


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: Playwright's synchronous API holds this one's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@contextlib.asynccontextmanager
async def _stores(url: str) -> AsyncIterator[MongoStores]:
    stores = await MongoStores.open(url, DATABASE)
    try:
        yield stores
    finally:
        await stores.close()


async def _course(url: str) -> str:
    async with _stores(url) as stores:
        course = a_course()
        await stores.courses.add(course)
        return course.slug


async def _invite(url: str, course: str, api: str) -> tuple[str, str]:
    async with _stores(url) as stores:
        lecture = await stores.courses.add_lecture(a_lecture(course))
        invitation = Invitation(
            lecture_id=lecture.id, created_by="teacher", expires_at=now() + timedelta(days=1)
        )
        await stores.invitations.add(invitation)
        return f"{api}/invite#{token_of(KeyRing(SECRET), invitation.id)}", lecture.id


async def _key_of(url: str, lecture: str) -> str:
    async with _stores(url) as stores:
        recording = await stores.recordings.newest(lecture)
        assert recording is not None
        return recording.key
