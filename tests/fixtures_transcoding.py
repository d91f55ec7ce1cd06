"""The pipeline at small scale: a profile with tiny rungs, and what its output decodes to."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import pytest

from academy.media import INIT, AudioRendition, Chunk, Grid, MediaPlan, Receipt
from academy.recordings import Inspection
from transcoding import binary, sources
from transcoding.chunks import plan_chunks
from transcoding.directory import SOURCE_KEY, DirectoryJournal, DirectoryLedger
from transcoding.ladder import audio_rendition, grid_for, video_renditions
from transcoding.probe import inspect
from transcoding.profiles import Profile, parse
from transcoding.schedule import WORK
from transcoding.tasks import Result, Task, TaskKind

TINY = """
tiny:
  segment_seconds: 1
  video:
    - {size: 180, crf: 30, max_rate: 400000, buffer: 800000, preset: ultrafast, level: "3.0"}
    - {size: 90, crf: 30, max_rate: 200000, buffer: 400000, preset: ultrafast, level: "3.0"}
"""


@pytest.fixture(scope="session")
def tiny() -> Profile:
    """Segments of one second, at most 180 and 90 lines."""
    return parse(TINY, "tiny", origin="tiny.yaml")


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same profile as a file, for `--profile`."""
    path = tmp_path_factory.mktemp("profiles") / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture(scope="session")
def brief_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """With segments of half a second: two seconds have seams of the picture and joins of the sound."""
    path = tmp_path_factory.mktemp("profiles") / "brief.yaml"
    path.write_text(TINY.replace("segment_seconds: 1", "segment_seconds: 0.5"))
    return str(path)


@dataclass
class Bench:
    """One recording, its plan, and a folder to encode it into, task by task."""

    inspection: Inspection
    plan: MediaPlan
    ledger: DirectoryLedger
    ffmpeg: binary.FFmpeg

    @property
    def root(self) -> Path:
        return self.ledger.root

    @property
    def grid(self) -> Grid:
        return self.plan.grid

    @property
    def journal(self) -> DirectoryJournal:
        return DirectoryJournal(self.root, self.ledger.reference["token"])

    def task(self, kind: TaskKind, first: int, segments: int, **changes: Any) -> Task:
        return Task(
            kind=kind,
            media_id="m",
            workspace=self.ledger.reference,
            source_key=SOURCE_KEY,
            plan=self.plan,
            inspection=self.inspection,
            chunk=Chunk(index=first, first_segment=first, segments=segments),
            attempt=self.ledger.attempt,
            ffmpeg=self.ffmpeg.path,
            **changes,
        )

    def run(self, kind: TaskKind, first: int, segments: int, **changes: Any) -> Result:
        """As a Dask worker would, through plain data both ways."""
        task = self.task(kind, first, segments, **changes)
        return Result.model_validate(WORK[kind](task.model_dump(mode="json")))

    def track(self, name: str) -> list[Receipt]:
        """Its segments' receipts in order."""
        found = [r for r in self.journal.receipts() if r.track == name and r.number != INIT]
        return sorted(found, key=lambda receipt: receipt.number)

    def joined(self, name: str) -> bytes:
        """Init segment and segments, as a player would append them."""
        init = next(r for r in self.journal.receipts() if r.track == name and r.number == INIT)
        names = [init.name, *(receipt.name for receipt in self.track(name))]
        return b"".join((self.root / each).read_bytes() for each in names)


Benches = Callable[..., Bench]


@cache
def inspected(path: Path, changed: int) -> Inspection:
    """Each recording once: looking costs more than encoding a few small segments."""
    del changed
    return inspect(sources.of_file(path), filename=path.name)


@pytest.fixture
def bench(tmp_path: Path, tiny: Profile, ffmpeg: binary.FFmpeg) -> Benches:
    """`bench(path)`; `gain_db`, `segment_seconds` and `profile` change the plan."""
    made = 0

    def build(
        path: Path,
        *,
        gain_db: float = 0.0,
        segment_seconds: float = 1,
        profile: Profile = tiny,
        **grid_changes: Any,
    ) -> Bench:
        nonlocal made
        made += 1
        profile = profile.model_copy(update={"segment_seconds": segment_seconds})
        inspection = inspected(path, path.stat().st_mtime_ns)
        grid = grid_for(inspection, profile).model_copy(update=grid_changes)
        audio: AudioRendition | None = None
        if inspection.audio is not None:
            audio = audio_rendition(inspection.audio, profile.audio, gain_db=gain_db)
        video = inspection.video
        plan = MediaPlan(
            grid=grid,
            video=video_renditions(video, profile, grid.frame_rate.fraction) if video else [],
            audio=audio,
            chunks=plan_chunks(grid),
            encoder=ffmpeg.fingerprint,
        )
        return Bench(
            inspection, plan, DirectoryLedger(tmp_path / f"bench{made}", path, "tiny"), ffmpeg
        )

    return build


def samples(media: Path | bytes) -> list[array[float]]:
    """Decoded sound, one array per channel, edit list applied."""
    channels: list[array[float]] = []
    for frame in decoded(media, "audio"):
        for number, plane in enumerate(frame.planes):
            if number == len(channels):
                channels.append(array("f"))
            channels[number].frombytes(bytes(plane)[: 4 * frame.samples])
    return channels


@dataclass(frozen=True)
class Picture:
    time: float
    """Seconds after the first. The reader calls the first frame's time what it likes, since libav does
    not understand negative composition offsets.
    """
    width: int
    height: int
    luma: bytes

    @property
    def brightness(self) -> float:
        return sum(self.luma) / len(self.luma)


def pictures(media: Path | bytes) -> list[Picture]:
    found: list[Picture] = []
    first: float | None = None
    for frame in decoded(media, "video"):
        gray = frame.reformat(format="gray")
        plane = gray.planes[0]
        whole = bytes(plane)
        rows = [
            whole[row * plane.line_size : row * plane.line_size + gray.width]
            for row in range(gray.height)
        ]
        first = frame.time if first is None else first
        found.append(Picture(frame.time - first, gray.width, gray.height, b"".join(rows)))
    return found


def decoded(media: Path | bytes, kind: str) -> Sequence[Any]:
    opened = io.BytesIO(media) if isinstance(media, bytes) else str(media)
    with av.open(opened, mode="r") as container:
        stream = next(each for each in container.streams if each.type == kind)
        return list(container.decode(stream))
