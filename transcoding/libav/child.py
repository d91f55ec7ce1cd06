"""Reads one recording with libav, in a process of its own: a hostile file may crash it or hang it.

Started by `probe.py` under the supervisor, as a script: `probe_child.py URL SIZE OPTIONS`. Writes facts
as one JSON object, no judgement: `probe.py` and `findings.py` draw the conclusions. Costs about 0.2 s of
CPU, most of it loading libav; reads a few megabytes, however long the recording.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

if not __package__:  # run as a script, isolated: the project need not be installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import av.error
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transcoding import tail

MOST_STREAMS: Final = 64
LARGEST_SIDE: Final = 8192
WINDOWS: Final = (0.0, 0.35, 0.7)
"""Where, as shares of the duration, frame times are sampled."""
WINDOW_FRAMES: Final = 150
WINDOW_PACKETS: Final = 1500
WINDOW_BYTES: Final = 12 << 20
LOOKED_AT: Final = 6
"""Frames decoded to see rotation, interlacing and colour."""
SEARCHED: Final = 40
"""Packets tried for one frame before a place counts as undecodable."""
NEAR_END: Final = 10.0
"""Seconds before the declared end from which the end is sought."""
GUESSED: Final = 4
"""Frames after a seek whose times are not believed."""
READ_WHOLE: Final = 24 << 20
"""Files up to this many bytes are simply read through."""
LATE: Final = 2.0
"""Seconds that may be missing before another way to find the end is tried."""

Facts = dict[str, Any]


def main(url: str, size: int, options: dict[str, str]) -> Facts:
    av.logging.set_level(None)
    try:
        with av.open(url, options=options, timeout=30, metadata_errors="replace") as container:
            return examine(container, url, size, options)
    except av.error.InvalidDataError:
        return {"failure": "invalid", **broken_index(url, size)}
    except (av.error.HTTPError, av.error.TimeoutError, ConnectionError) as error:
        return {"failure": "io", "reason": str(error)}
    except (av.error.FFmpegError, ValueError, IndexError, OSError) as error:
        return {"failure": "unreadable", "reason": f"{type(error).__name__}: {error}"}


def examine(container: InputContainer, url: str, size: int, options: dict[str, str]) -> Facts:
    if len(container.streams) > MOST_STREAMS:
        return {"failure": "too_many_streams", "streams": len(container.streams)}
    begin = (container.start_time or 0) / av.time_base
    declared = container.duration / av.time_base if container.duration else None
    video = best_video(container)
    audio = best_audio(container)
    if container.format.name == "avi" and video is not None and video.average_rate:
        # libav shortens an AVI's duration to what the file's size suggests.
        declared = max(declared or 0.0, float(video.frames / video.average_rate))
    if video is not None and max(video.width, video.height) > LARGEST_SIDE:
        return {"failure": "too_large_picture"}
    facts: Facts = {
        "container": container.format.name,
        "start": begin,
        "declared": declared,
        "counts": {kind: count(container, kind) for kind in ("video", "audio", "subtitle")},
    }
    chosen = [stream for stream in (video, audio) if stream is not None]
    if audio is not None:
        facts["audio"] = about_audio(audio)
    if video is not None:
        facts["video"] = about_video(video)
        facts["video"] |= look(container, video)
    if chosen:
        found = Ends(url, size, options, declared).find(container, chosen)
        facts["ends"] = {"video": found.get(video.index) if video else None}
        facts["ends"]["audio"] = found.get(audio.index) if audio else None
    if video is not None:
        last = facts["ends"]["video"]
        facts["video"]["windows"] = windows(container, video, begin, last or declared)
        if last is not None and facts["video"]["decoded"]:
            facts["ends"]["decodable"] = decodable(container, video, begin, last)
    return facts


def pictures(container: InputContainer) -> Iterator[VideoStream]:
    """Video proper: no cover art, no thumbnails of chapters."""
    for stream in container.streams.video:
        if not marked(stream, Disposition.attached_pic | Disposition.timed_thumbnails):
            yield stream


def marked(stream: Any, marks: Disposition) -> bool:
    return bool(int(stream.disposition) & int(marks))


def count(container: InputContainer, kind: str) -> int:
    if kind == "video":
        return len(list(pictures(container)))
    return sum(1 for stream in container.streams if stream.type == kind)


def best_video(container: InputContainer) -> VideoStream | None:
    """The largest picture; among equals the one marked as default, then the first."""
    known = [each for each in pictures(container) if each.codec_context is not None]
    if not known:
        return None
    return max(
        known,
        key=lambda each: (
            each.codec_context.width * each.codec_context.height,
            marked(each, Disposition.default),
            -each.index,
        ),
    )


def best_audio(container: InputContainer) -> Any:
    """The default; then most channels; never a commentary or a description where there is another."""
    known = [
        each
        for each in container.streams.audio
        if each.codec_context is not None
        and each.codec_context.sample_rate > 0
        and each.codec_context.channels > 0
    ]
    if not known:
        return None
    return max(
        known,
        key=lambda each: (
            not marked(each, Disposition.visual_impaired | Disposition.comment),
            marked(each, Disposition.default),
            each.codec_context.channels,
            -each.index,
        ),
    )


def seconds(stream: Any, value: int | None) -> float | None:
    return None if value is None else float(value * stream.time_base)


def about_audio(stream: Any) -> Facts:
    context = stream.codec_context
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "channels": context.channels,
        "sample_rate": context.sample_rate,
        "language": stream.language,
        "start": seconds(stream, stream.start_time),
        "encrypted": "enc" in (context.codec_tag or ""),
    }


def about_video(stream: VideoStream) -> Facts:
    context = stream.codec_context
    shape = stream.sample_aspect_ratio or context.sample_aspect_ratio
    form = context.format
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "tag": context.codec_tag or "",
        "coded_width": context.width,
        "coded_height": context.height,
        "shape": [shape.numerator, shape.denominator] if shape else [1, 1],
        "pixel_format": form.name if form else "",
        "bit_depth": max((part.bits for part in form.components), default=8) if form else 8,
        "primaries": context.color_primaries,
        "transfer": context.color_trc,
        "matrix": context.colorspace,
        "field_order": context.field_order,
        "start": seconds(stream, stream.start_time),
        "tick": [stream.time_base.numerator, stream.time_base.denominator]
        if stream.time_base
        else [1, 1000],
        "rates": [
            [rate.numerator, rate.denominator]
            for rate in (stream.average_rate, stream.base_rate, stream.guessed_rate)
            if rate
        ],
        "frames": stream.frames,
    }


def look(container: InputContainer, stream: VideoStream) -> Facts:
    """Decodes the first few frames: what the container says of rotation and fields may be wrong."""
    seen: list[VideoFrame] = []
    faults = 0
    encrypted = False
    stream.codec_context.thread_count = 1
    for share in (0.0, 0.3, 0.6):
        if share == 0.0:
            rewind(container, stream)
        elif not go(container, share * (container.duration or 0) / av.time_base):
            break
        for tried, packet in enumerate(container.demux(stream)):
            encrypted = encrypted or packet.has_sidedata("encryption_info")
            try:
                seen += packet.decode()
            except av.error.FFmpegError:
                faults += 1
            if len(seen) >= LOOKED_AT or tried >= SEARCHED:
                break
        if seen:
            break
    facts: Facts = {
        "decoded": len(seen),
        "faults": faults,
        "encrypted": encrypted or stream.codec_context.codec_tag in {"encv", "drmi"},
        "interlaced": sum(frame.interlaced_frame for frame in seen),
    }
    if seen:
        first = seen[0]
        facts["rotation"] = -first.rotation % 360
        facts["width"], facts["height"] = first.width, first.height
        if first.color_trc not in {0, 2}:
            facts["transfer"] = int(first.color_trc)
    return facts


def rewind(container: InputContainer, stream: Any) -> None:
    """Back to the beginning; a file that cannot seek is read on from where it is."""
    with suppress(av.error.FFmpegError):
        container.seek(stream.start_time or 0, stream=stream)


def go(container: InputContainer, at: float) -> bool:
    """To the key frame before a time in seconds of the container's own clock."""
    try:
        container.seek(max(0, int(at * av.time_base)))
    except av.error.FFmpegError:
        return False
    return True


def windows(
    container: InputContainer, stream: VideoStream, begin: float, length: float | None
) -> list[list[int]]:
    """Frame times, in ticks and rising, at several places: read, or taken from an MP4's index."""
    entries = stream.index_entries
    known = len(entries)
    if stream.frames and known == stream.frames:
        starts = sorted({int(share * known) for share in WINDOWS})
        return [
            sorted(entries[at].timestamp for at in range(first, min(known, first + WINDOW_FRAMES)))
            for first in starts
        ]
    found = []
    for share in WINDOWS if length else (0.0,):
        if share == 0.0:
            rewind(container, stream)
        elif not go(container, begin + share * (length or 0)):
            continue
        found.append(times(container, stream))
    return found


def times(container: InputContainer, stream: VideoStream) -> list[int]:
    stamps: list[int] = []
    packets = spent = seen = 0
    with suppress(av.error.FFmpegError):
        for packet in container.demux():
            packets, spent = packets + 1, spent + packet.size
            if packet.stream_index == stream.index and packet.pts is not None:
                seen += 1
                # The first ones after a seek often carry guessed times.
                if seen > GUESSED:
                    stamps.append(packet.pts)
            if len(stamps) >= WINDOW_FRAMES or packets > WINDOW_PACKETS or spent > WINDOW_BYTES:
                break
    # The last few may still wait for frames shown before them.
    return sorted(stamps)[: max(2, len(stamps) - 4)] if len(stamps) > 12 else sorted(stamps)


class Ends:
    """Finds where each stream really ends, in seconds after the container's start."""

    def __init__(
        self, url: str, size: int, options: dict[str, str], declared: float | None
    ) -> None:
        self.url, self.size, self.options, self.declared = url, size, options, declared

    def find(self, container: InputContainer, streams: list[Any]) -> dict[int, float]:
        begin = (container.start_time or 0) / av.time_base
        for attempt in (self._from_index, self._spliced, self._from_near_end, self._read_through):
            found = attempt(container, streams, begin)
            if found is not None:
                return found
        return {}

    def _from_index(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """An MP4's index names every sample: the last one that lies within the file ends the stream."""
        if "mp4" not in container.format.name:
            return None
        found: dict[int, float] = {}
        for stream in streams:
            entries, known = stream.index_entries, len(stream.index_entries)
            if not stream.frames or known < stream.frames or not stream.duration:
                return None
            whole = _whole_entries(entries, known, self.size)
            if whole == known:
                last = (stream.start_time or 0) + stream.duration
            elif whole == 0:
                last = stream.start_time or 0
            else:
                last = entries[whole].timestamp
            found[stream.index] = float(last * stream.time_base) - begin
        return found

    def _spliced(
        self, _: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """Matroska and fragmented MP4: the header and the last megabytes."""
        wanted = {stream.index for stream in streams}
        for stand_in in tail.ends(fetcher(self.url), self.size, _.format.name):
            quiet = {"format_whitelist": self.options["format_whitelist"], "protocol_whitelist": ""}
            with (
                suppress(av.error.FFmpegError, ValueError),
                av.open(stand_in, options=quiet) as end,
            ):
                found = last_times(cast("InputContainer", end), wanted)
                if set(found) == wanted:
                    return {index: time - begin for index, time in found.items()}
        return None

    def _from_near_end(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        if self.declared is None or self.size <= READ_WHOLE:
            return None
        if not go(container, begin + self.declared - NEAR_END):
            return None
        found = last_times(container, {stream.index for stream in streams})
        if not found or max(found.values()) - begin < self.declared - LATE:
            return None
        for stream in streams:
            # A stream that is silent near the end ended before.
            if stream.index not in found and stream.duration:
                found[stream.index] = float(
                    ((stream.start_time or 0) + stream.duration) * stream.time_base
                )
        return {index: time - begin for index, time in found.items()}

    def _read_through(
        self, container: InputContainer, streams: list[Any], begin: float
    ) -> dict[int, float] | None:
        """Packet by packet, undecoded: about 1 s of CPU per hour of recording. What is left to do."""
        rewind(container, streams[0])
        found = last_times(container, {stream.index for stream in streams})
        return {index: time - begin for index, time in found.items()}


def _whole_entries(entries: Any, known: int, size: int) -> int:
    """How many samples from the start lie within the file (positions rise within a track)."""
    if known and entries[known - 1].pos + entries[known - 1].size <= size:
        return known
    low, high = 0, known - 1
    while low < high:
        middle = (low + high) // 2
        if entries[middle].pos + entries[middle].size <= size:
            low = middle + 1
        else:
            high = middle
    return low


def last_times(container: InputContainer, wanted: set[int]) -> dict[int, float]:
    """The latest end of any packet per stream, in seconds of the container's clock, reading to the end."""
    latest: dict[int, int] = {}
    bases: dict[int, Any] = {}
    before: dict[int, int] = {}
    with suppress(av.error.FFmpegError):
        for packet in container.demux():
            index = packet.stream_index
            if packet.pts is None or index not in wanted or packet.is_corrupt:
                continue
            step = packet.duration or 0
            if not step and index in before:
                step = max(0, packet.pts - before[index])
            before[index], bases[index] = packet.pts, packet.time_base
            if packet.pts + step > latest.get(index, -1):
                latest[index] = packet.pts + step
    return {index: float(value * bases[index]) for index, value in latest.items()}


def decodable(container: InputContainer, stream: VideoStream, begin: float, last: float) -> float:
    """Up to where pictures can be decoded: `last`, or less when the end is rubbish.

    Decodes one key frame near the end, and only if that fails a few more to find the border.
    """
    for back in (0.5, 5.0, 20.0):
        shown = shows(container, stream, begin + max(0.0, last - back))
        if shown is not None:
            break
    if shown or not shows(container, stream, begin):
        return last  # fine; or else nothing could be told at its beginning either
    low, high = 0.0, last
    for _ in range(8):
        middle = (low + high) / 2
        if shows(container, stream, begin + middle):
            low = middle
        else:
            high = middle
    return low


def shows(container: InputContainer, stream: VideoStream, at: float) -> bool | None:
    """Whether pictures come out around a time: False when every packet is rubbish.

    None when nothing can be told: some containers (MPEG-TS) seek to any packet, and what only leads up
    to the next key frame decodes to nothing without being wrong.
    """
    if not go(container, at):
        return None
    tried = failed = 0
    with suppress(av.error.FFmpegError):
        for packet in container.demux(stream):
            tried += packet.size > 0
            try:
                if any(not frame.is_corrupt for frame in packet.decode()):
                    return True
            except av.error.InvalidDataError:
                failed += 1
            if tried >= SEARCHED:
                break
    return False if tried and failed >= tried else None


def broken_index(url: str, size: int) -> Facts:
    """Whether an MP4 or MOV lacks its index because the file ends too early."""
    with suppress(OSError, ValueError):
        found = tail.boxes(fetcher(url), size)
        names = {name for name, _, _ in found}
        if names & {b"ftyp", b"mdat", b"wide"} and b"moov" not in names:
            return {"without_index": True, "cut": bool(found) and found[-1][2] > size}
    return {}


def fetcher(url: str) -> Callable[[int, int], bytes]:
    """Reads ranges of what libav reads."""
    if url.startswith("file:"):
        path = url.removeprefix("file:")

        def from_file(start: int, end: int) -> bytes:
            with open(path, "rb") as file:  # noqa: PTH123
                file.seek(start)
                return file.read(max(0, end - start))

        return from_file

    from urllib.request import ProxyHandler, Request, build_opener

    direct = build_opener(ProxyHandler({}))

    def from_reader(start: int, end: int) -> bytes:
        asked = Request(url, headers={"Range": f"bytes={start}-{end - 1}"})  # noqa: S310
        with direct.open(asked, timeout=60) as answer:
            return bytes(answer.read())

    return from_reader


if __name__ == "__main__":
    facts = main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
    sys.stdout.write(json.dumps(facts))
