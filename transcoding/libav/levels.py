"""Measures how loud a recording is in a few places, in a process of its own: it reads a stranger's file.

Started by `loudness.py` under the supervisor, as a script: `levels.py URL OPTIONS STREAM LAYOUT PLACES`.
Writes for each place, as JSON, momentary loudness (LUFS of 400 ms, every 100 ms), the highest sample of
each channel and of each 100 ms (1.0 is full scale), and where time jumps. The file is opened once: two hours of an MP4's index take as long to read as 16 places to decode. About 0.5 s of CPU.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress

import av
import av.error
import av.filter
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

RATE = 48_000
MOMENTARY = "lavfi.r128.M"
PEAK = "lavfi.r128.sample_peaks_ch"
TOP = "lavfi.astats.Overall.Peak_level"
GAP = 0.5
"""Seconds without sound from which it counts as broken off: codecs that send nothing in pauses leave less."""
UNINDEXED = {"fflags": "+ignidx"}
"""Libav must not look for an index by reading every fragment."""
Place = dict[str, list[float]]


def main(
    url: str,
    options: dict[str, str],
    index: int,
    layout: str,
    places: list[tuple[float, float | None, str | None]],
) -> list[Place]:
    """`places`: start in seconds after the container's start; length, or None for all that follows; and
    the address of what begins shortly before, for a recording that has no index to seek with.
    """
    av.logging.set_level(None)
    if any(view for _, _, view in places):
        return [
            place
            for _, length, view in places
            for place in opened(view or url, options | UNINDEXED, index, layout, [(0.0, length)])
        ]
    return opened(url, options, index, layout, [(start, length) for start, length, _ in places])


def opened(
    url: str,
    options: dict[str, str],
    index: int,
    layout: str,
    places: list[tuple[float, float | None]],
) -> list[Place]:
    with av.open(url, options=options, timeout=30, metadata_errors="replace") as container:
        sound = container.streams[index]
        if not isinstance(sound, AudioStream):
            return []
        for stream in container.streams:
            if stream.index != index:
                # Pictures need not even be read where the container's index tells where they lie.
                stream.discard = Discard.all
        sound.codec_context.thread_count = 1
        return [levels(container, sound, layout, *place) for place in places]


def levels(
    container: InputContainer, sound: AudioStream, layout: str, start: float, length: float | None
) -> Place:
    """What cannot be read counts for nothing."""
    found: Place = {"momentary": [], "peaks": [], "tops": [], "gaps": []}
    with suppress(av.error.FFmpegError, ValueError):
        if start > 0:
            origin = container.start_time or 0
            container.seek(origin + int(start * av.time_base))
            sound.codec_context.flush_buffers()
        graph = av.filter.Graph()
        chain = [
            graph.add_abuffer(template=sound),
            graph.add("aresample", str(RATE)),
            graph.add("aformat", f"channel_layouts={sound.codec_context.layout.name}"),
            # Of each 100 ms alone, decibels of the highest sample: of the channels as they were recorded, since
            # the sum that a mixdown makes may be above full scale though nothing was cut off.
            graph.add("asetnsamples", f"{RATE // 10}:p=0"),
            graph.add(
                "astats", "metadata=1:reset=1:measure_perchannel=none:measure_overall=Peak_level"
            ),
            graph.add("aformat", f"channel_layouts={layout}"),
            graph.add("ebur128", "metadata=1:peak=sample"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*chain).configure()
        for frame in frames(container, sound, length, found["gaps"]):
            graph.push(frame)
            measured(graph, found)
    return found


def frames(
    container: InputContainer, sound: AudioStream, length: float | None, gaps: list[float]
) -> Iterator[AudioFrame]:
    """Adds to `gaps` when, after the first frame, the time jumps."""
    begin: float | None = None
    end: float | None = None
    for packet in container.demux(sound):
        decoded: list[AudioFrame] = []
        with suppress(av.error.InvalidDataError):
            decoded = packet.decode()
        for frame in decoded:
            if begin is None:
                begin = frame.time
            elif length is not None and frame.time is not None and frame.time > begin + length:
                return
            if begin is not None and frame.time is not None:
                if end is not None and frame.time > end + GAP:
                    gaps.append(round(end - begin, 2))
                end = frame.time + frame.samples / frame.sample_rate
            yield frame


def measured(graph: av.filter.Graph, place: Place) -> None:
    """Peaks are the highest so far."""
    with suppress(av.error.BlockingIOError, av.error.EOFError):
        while True:
            told = graph.pull().metadata
            if MOMENTARY in told:
                place["momentary"].append(round(float(told[MOMENTARY]), 2))
                place["tops"].append(round(10 ** (float(told[TOP]) / 20), 3))
                place["peaks"] = [
                    float(told[f"{PEAK}{channel}"])
                    for channel in range(2)
                    if f"{PEAK}{channel}" in told
                ]


if __name__ == "__main__":
    json.dump(
        main(
            sys.argv[1],
            json.loads(sys.argv[2]),
            int(sys.argv[3]),
            sys.argv[4],
            json.loads(sys.argv[5]),
        ),
        sys.stdout,
    )
