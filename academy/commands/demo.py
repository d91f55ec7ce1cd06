"""What `academy up --demo` adds: the catalogue through the stores, the sample lecture through the API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from academy.commands.delivering import Order, deliver
from academy.commands.demo_lecture import make_sample_lecture
from academy.commands.display import PlainDisplay
from academy.commands.remote import Remote
from academy.commands.upload import own_token, state_folder
from academy.courses import Lecture
from academy.demo.catalogue import read_catalogue
from academy.demo.load import load
from academy.errors import AcademyError, NotFound
from academy.settings import Settings
from academy.wiring import open_backend

Say = Callable[[str], None]


async def load_catalogue(settings: Settings, say: Say) -> None:
    catalogue = read_catalogue()
    async with open_backend(settings) as backend:
        added = await load(backend.stores, catalogue)
    if added:
        say(
            f"The demo catalogue: {len(catalogue.courses)} courses, {len(catalogue.lectures)} lectures."
        )


async def send_sample_lecture(settings: Settings, url: str, say: Say) -> None:
    """Draws the sample recording and uploads it like any other, unless its lecture has one already.

    A failure is reported, and everything else goes on.
    """
    lecture = read_catalogue().sample
    token = own_token(settings)
    try:
        if await _has_recording(url, token, lecture):
            return
        file = settings.data_dir / "demo" / "lecture.mp4"
        if not file.exists():
            say("Drawing the sample lecture …")
            await _draw(file, settings)
        order = Order(
            file=file,
            course=lecture.course,
            title=lecture.title[lecture.language],
            language=lecture.language,
            lecture_id=lecture.id,
        )
        await deliver(order, url, token, state_folder(settings), PlainDisplay(None))
        say("The sample lecture is uploaded: it plays as soon as its first seconds are encoded.")
    except AcademyError as error:
        say(f"The sample lecture is missing from the demo: {error.message}")


async def _has_recording(url: str, token: str, lecture: Lecture) -> bool:
    """Whether there is nothing to upload. What failed earlier is tried again."""
    path = f"/lectures/{lecture.id}/recording"
    async with Remote(url, token) as remote:
        try:
            recording = await remote.get(path)
            if recording["state"] == "failed":
                await remote.post(f"{path}/retry")
        except NotFound:
            return False
    return True


async def _draw(file: Path, settings: Settings) -> None:
    """In a thread, which ends soon after this task is cancelled."""
    from transcoding.binary import find

    unwanted = threading.Event()
    ffmpeg = await asyncio.to_thread(find, settings.ffmpeg)
    try:
        await asyncio.to_thread(
            make_sample_lecture, file, ffmpeg=ffmpeg.path, cancelled=unwanted.is_set
        )
    finally:
        unwanted.set()
