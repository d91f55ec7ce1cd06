"""Looks at a few short stretches of a recording, to learn what its pictures need.

Each stretch is one ffmpeg that begins at a keyframe and ends after a few pictures, whatever the recording's
length: about 0.3 s of CPU each at 1080 lines, two at a time. A fast encoder at constant quality weighs
every picture; differences say what repeats, and what scaling down would lose. A stretch that cannot be
read in time is left out: planning never fails for want of samples.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import ffmpeg as graphs

from academy.recordings import Inspection, VideoStream
from transcoding import ffmpeg
from transcoding.complexity import Content, Loss, Sample
from transcoding.ffmpeg import EncodingFailed, Limits
from transcoding.sources import Source
from transcoding.splicing import near

STRETCHES: Final = 4
PICTURES: Final = 16
"""Per stretch."""
LONGEST: Final = 12.0
"""Seconds of the recording a stretch may read: recordings with few pictures end there."""
LIMITS: Final = Limits(wall_seconds=4.0, cpu_seconds=4, output_bytes=64 << 20, memory_bytes=2 << 30)
AT_ONCE: Final = 2
QUALITY: Final = 30
"""Of the weighing encoder: grain weighs little, as it does for slower encoders at a better quality."""
HALF: Final = "trunc(iw/4)*2"
MOVED: Final = 8
"""Levels of brightness by which a repeated picture may differ: recorders encode each anew."""
FAINT, CLEAR, HARD = 3, 16, 40
"""Levels of brightness: seen by measures of quality; by the eye; only where edges were drawn sharp."""


def look(
    program: str,
    source: Source,
    inspection: Inspection,
    sizes: Sequence[int],
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Content | None:
    """What was measured; None where there is no picture or nothing could be read.

    `sizes` are the short sides of rungs. Raises Cancelled.
    """
    video = inspection.video
    if video is None:
        return None
    size = measured_at(video, max(sizes))
    smaller = sorted((each for each in set(sizes) if each < min(size)), reverse=True)

    def stretch(start: float) -> tuple[Sample, float] | None:
        said = bytearray()
        from_here = near(source, inspection, Fraction(start), picture=True)
        with tempfile.TemporaryDirectory(prefix="academy-") as place:
            files = {short: Path(place) / f"{short}.gray" for short in (0, *smaller)}
            try:
                ended = ffmpeg.run(
                    command(program, from_here, video, start, size, files),
                    limits=LIMITS,
                    cancelled=cancelled,
                    on_stdout=said.extend,
                )
                differences = {short: path.read_bytes() for short, path in files.items()}
            except (EncodingFailed, OSError):
                return None
        sample = read(said.decode("ascii", "replace"), differences, start, size)
        return (sample, ended.cpu_seconds) if sample else None

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sampling") as pool:
        found = [each for each in pool.map(stretch, starts(inspection)) if each]
    if not found:
        return None
    return Content(
        samples=tuple(sample for sample, _ in found),
        width=size[0],
        height=size[1],
        rate=video.frame_rate.fraction,
        picture_seconds=sum(cpu for _, cpu in found)
        / sum(len(sample.sizes) for sample, _ in found),
    )


def starts(inspection: Inspection) -> list[float]:
    """Seconds: the very beginning, then spread over the recording, away from its end."""
    length = inspection.duration
    if length < 2 * STRETCHES:
        return [0.0]
    return [0.0, *(length * (2 * n + 1) / (2 * STRETCHES) for n in range(1, STRETCHES))]


def measured_at(video: VideoStream, most: int) -> tuple[int, int]:
    """The size at which pictures are weighed: their own, or the largest rung's where that is smaller."""
    scale = min(1.0, most / min(video.width, video.height))
    return even(video.width * scale), even(video.height * scale)


def even(side: float) -> int:
    return max(4, 2 * int(side / 2))


def command(
    program: str,
    source: Source,
    video: VideoStream,
    start: float,
    size: tuple[int, int],
    files: dict[int, Path],
) -> list[str]:
    """One stretch. To standard output: a list of packets, not the packets themselves. To `files[0]`: by
    how much each picture but the first differs from the one before, at half the size; to the others,
    named by a short side: what the first picture loses by being scaled down to it.
    """
    options: dict[str, Any] = {**source.options, "threads": 1, "t": LONGEST}
    options |= source.reading_from(Fraction(start))
    stream = (
        graphs.input(source.url, **options)[str(video.index)]
        .filter("trim", end_frame=PICTURES)
        .filter("scale", *size, flags="fast_bilinear")
        .filter("format", pix_fmts="yuv420p")
    )
    smaller = [short for short in files if short]
    parts = stream.filter_multi_output("split", 1 + len(smaller))
    # Motion and repetition show at half the size, for a quarter of the cost.
    halves = (
        parts[0]
        .filter("scale", HALF, HALF.replace("iw", "ih"), flags="bilinear")
        .filter_multi_output("split", 2)
    )
    weighed = graphs.output(
        halves[0],
        "pipe:1",
        format="framecrc",
        **{
            "c:v": "libx264",
            "preset": "ultrafast",
            "crf": QUALITY,
            "g": 9999,
            "sc_threshold": 0,
            "threads": 1,
            "fps_mode": "passthrough",
        },
    )
    changes = (
        halves[1]
        .filter("format", pix_fmts="gray")
        # The first picture once more: a recording of one picture has a difference, too.
        .filter("tpad", start=1, start_mode="clone")
        .filter("tblend", all_mode="difference")
    )
    outputs = [
        weighed,
        graphs.output(changes, str(files[0]), format="rawvideo", fps_mode="passthrough"),
    ]
    for number, short in enumerate(smaller, start=1):
        lost = _lost(parts[number], size, short)
        outputs.append(graphs.output(lost, str(files[short]), format="rawvideo"))
    return [
        program,
        "-y",
        "-filter_complex_threads",
        "1",
        *graphs.merge_outputs(*outputs).get_args(),
    ]


def _lost(stream: Any, size: tuple[int, int], short: int) -> Any:
    """The difference between the first picture and itself scaled down and up again."""
    scale = short / min(size)
    low = (even(size[0] * scale), even(size[1] * scale))
    parts = (
        stream.filter("trim", end_frame=1)
        .filter("format", pix_fmts="gray")
        .filter_multi_output("split", 2)
    )
    blurred = (
        parts[1].filter("scale", *low, flags="lanczos").filter("scale", *size, flags="bicubic")
    )
    return graphs.filter([parts[0], blurred], "blend", all_mode="difference")


def read(
    listing: str, differences: dict[int, bytes], start: float, size: tuple[int, int]
) -> Sample | None:
    """`listing` is ffmpeg's `framecrc`: stream, dts, pts, duration, size, checksum."""
    weights = [
        int(line.split(",")[4])
        for line in listing.splitlines()
        if not line.startswith("#") and line.count(",") >= 5
    ]
    if not weights:
        return None
    half = (size[0] // 4 * 2) * (size[1] // 4 * 2)
    moved = differences[0]
    return Sample(
        start=start,
        sizes=tuple(weights),
        changes=tuple(
            share(moved[at : at + half], MOVED) for at in range(half, len(moved) - half + 1, half)
        ),
        losses={
            short: Loss(*(share(lost, least) for least in (FAINT, CLEAR, HARD)))
            for short, lost in differences.items()
            if short
        },
    )


def share(difference: bytes, least: int) -> float:
    """Of pixels that differ by at least so many levels."""
    return len(difference.translate(None, bytes(range(least)))) / max(1, len(difference))
