"""Inspects a recording: what it holds, whether it can become a lecture, and what to tell the instructor.

The file is read by `libav/child.py` under limits: one that crashes or hangs libav costs a process and a
sentence. About 0.25 s of CPU, whatever the recording's length; see `tail.py` for how its end is found.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from academy.errors import Transient
from academy.recordings import AudioStream, Inspection, Ratio, SubtitleStream, VideoStream
from transcoding import colours, process, refusals
from transcoding.facts import AudioFacts, EndFacts, Failure, FileFacts, VideoFacts
from transcoding.findings import findings
from transcoding.frame_rates import judge
from transcoding.process import Limits
from transcoding.sniff import HEAD, refuse_impostors
from transcoding.sources import Source
from transcoding.walls import around_our_own

CHILD: Final = Path(__file__).with_name("libav") / "child.py"
LIMITS: Final = Limits(wall_seconds=90, cpu_seconds=30, output_bytes=1 << 20, memory_bytes=2 << 30)
MOST_REPORT: Final = 1 << 20
CONTAINERS: Final = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}


def inspect(
    source: Source,
    *,
    filename: str,
    limits: Limits = LIMITS,
    cancelled: Callable[[], bool] | None = None,
) -> Inspection:
    """What the recording holds; `filename` is how the instructor calls it.

    Raises RejectedMedia with a code and a sentence for what cannot become a lecture, Unavailable or
    Transient when the storage or the machine failed, Cancelled.
    """
    refuse_impostors(source.fetch(0, HEAD), filename)
    report = read_facts(source, filename, limits, cancelled)
    if isinstance(report, Failure):
        raise refusals.of_failure(report, filename)
    duration = playable(report)
    refusals.refuse_unusable(report, duration, filename)
    inspection = Inspection(
        container=CONTAINERS.get(report.container, report.container),
        size=source.size,
        start=report.start,
        duration=duration,
        video=picture(report.video, report) if report.video else None,
        audio=sound(report.audio, report) if report.audio else None,
        video_streams=report.counts.video,
        audio_streams=report.counts.audio,
        subtitle_streams=report.counts.subtitle,
        subtitles=[SubtitleStream(**each.model_dump()) for each in report.subtitles],
    )
    return inspection.model_copy(update={"findings": list(findings(inspection, report))})


def read_facts(
    source: Source, filename: str, limits: Limits, cancelled: Callable[[], bool] | None = None
) -> FileFacts | Failure:
    """Runs the child and checks what it reports."""
    report, complaint = bytearray(), bytearray()

    def keep(into: bytearray) -> Callable[[bytes], None]:
        def receive(piece: bytes) -> None:
            into.extend(piece[: max(0, MOST_REPORT - len(into))])

        return receive

    words = [source.url, str(source.size), json.dumps(source.options)]
    ending = process.run(
        [sys.executable, "-I", str(CHILD), *words],
        walls=around_our_own(CHILD, words),
        limits=limits,
        receive={1: keep(report), 2: keep(complaint)},
        cancelled=cancelled,
    )
    trouble = source.trouble()
    if trouble is not None:
        raise Transient(f"The recording could not be read from storage: {trouble}")
    if ending.lost or ending.limit == "wall" or ending.status == -signal.SIGKILL:
        raise Transient("Inspecting the recording took too long; the machine may be overloaded.")
    told = complaint.decode("utf-8", "replace")
    if ending.limit is not None or ending.status < 0 or "MemoryError" in told:
        raise refusals.too_hard(filename)
    if ending.status != 0:
        raise RuntimeError(f"The inspecting process failed: {told[-2000:]}")
    return checked(bytes(report), filename)


def checked(report: bytes, filename: str) -> FileFacts | Failure:
    """The child's JSON, validated. A file that made it report nonsense is refused."""
    try:
        told = json.loads(report)
        if "failure" not in told:
            return FileFacts.model_validate(told)
        failure = Failure.model_validate(told)
    except (ValidationError, ValueError, TypeError):
        raise refusals.too_hard(filename) from None
    if failure.failure == "io":
        raise Transient(f"The recording could not be read from storage: {failure.reason}")
    return failure


def playable(facts: FileFacts) -> float:
    """Seconds from the container's start that can be played: the longer of picture and sound.

    Where pictures end in rubbish, what lies behind that is not counted, be there sound or not.
    """
    found = [end for end in (facts.ends.video, facts.ends.audio) if end is not None]
    longest = max(found, default=facts.declared or 0.0)
    last, good = facts.ends.video, facts.ends.decodable
    if last is not None and good is not None and good < last - 1.0:
        longest = min(longest, good)
    return max(0.0, longest)


def picture(video: VideoFacts, facts: FileFacts) -> VideoStream:
    interlaced = (
        2 * video.interlaced > video.decoded if video.decoded else video.field_order in range(2, 6)
    )
    told = [Fraction(*rate) for rate in video.rates]
    rate, variable = judge(video.windows, video.tick_seconds, told)
    if interlaced and told and rate >= told[0] * Fraction(19, 10):
        rate = judge([], video.tick_seconds, told)[0]  # packets held fields, not frames
    width, height = displayed(video)
    return VideoStream(
        index=video.index,
        codec=video.codec,
        width=width,
        height=height,
        coded_width=video.coded_width,
        coded_height=video.coded_height,
        rotation=quarter(video.rotation),
        frame_rate=Ratio.of(rate),
        variable_frame_rate=variable,
        interlaced=interlaced,
        pixel_format=video.pixel_format,
        bit_depth=video.bit_depth,
        colour_primaries=colours.PRIMARIES.get(video.primaries),
        colour_transfer=colours.TRANSFERS.get(video.transfer),
        colour_space=colours.MATRICES.get(video.matrix),
        hdr=video.transfer in colours.HDR,
        start=after(facts, video.start),
        end=_bounded(facts.ends, facts.ends.video),
    )


def sound(audio: AudioFacts, facts: FileFacts) -> AudioStream:
    return AudioStream(
        index=audio.index,
        codec=audio.codec,
        channels=audio.channels,
        sample_rate=audio.sample_rate,
        language=audio.language if audio.language not in {None, "", "und"} else None,
        start=after(facts, audio.start),
        end=_bounded(facts.ends, facts.ends.audio),
    )


def after(facts: FileFacts, start: float | None) -> float:
    """Seconds after the container's start."""
    return max(0.0, (start if start is not None else facts.start) - facts.start)


def _bounded(ends: EndFacts, end: float | None) -> float | None:
    if end is None:
        return None
    if ends.video is not None and ends.decodable is not None and ends.decodable < ends.video - 1.0:
        end = min(end, ends.decodable)
    return max(0.0, end)


def quarter(rotation: int) -> int:
    """The nearest of 0, 90, 180 and 270 degrees."""
    return round(rotation / 90) % 4 * 90


def displayed(video: VideoFacts) -> tuple[int, int]:
    """Width and height in square pixels, upright: pixels that are not square stretch the width."""
    shape = Fraction(*video.shape) or Fraction(1)
    width, height = max(1, round(video.coded_width * shape)), max(1, video.coded_height)
    return (height, width) if quarter(video.rotation) in {90, 270} else (width, height)
