"""Reads one recording with libav, in a process of its own: a hostile file may crash it or hang it.

Started by `probe.py` under the supervisor, as a script: `child.py URL SIZE OPTIONS`. Writes facts as one
JSON object, no judgement: `probe.py` and `findings.py` draw the conclusions. Costs about 0.2 s of CPU,
most of it loading libav; reads a few megabytes, however long the recording.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

if not __package__:  # run as a script, isolated: the project need not be installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import av
import av.error
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from transcoding import tail
from transcoding.libav import frames, streams
from transcoding.libav.ends import LATE, Ends
from transcoding.libav.joins import joined
from transcoding.libav.streams import Facts

MOST_STREAMS: Final = 64
LARGEST_SIDE: Final = 8192


def main(url: str, size: int, options: dict[str, str]) -> Facts:
    av.logging.set_level(None)
    try:
        if tail.first_fragment(fetcher(url), size) is not None:
            # Else libav visits every fragment: thousands of requests for what the last one tells.
            options = options | {"fflags": "+ignidx"}
        with av.open(url, options=options, timeout=30, metadata_errors="replace") as container:
            return examine(container, url, size, options)
    except av.error.InvalidDataError:
        return {"failure": "invalid", **broken_index(url, size)}
    except (av.error.HTTPError, av.error.TimeoutError, ConnectionError) as error:
        return {"failure": "io", "reason": str(error)}
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        return {"failure": "unreadable", "reason": f"{type(error).__name__}: {error}"}
    except OSError as error:
        return {"failure": "io", "reason": str(error)}


def examine(container: InputContainer, url: str, size: int, options: dict[str, str]) -> Facts:
    if len(container.streams) > MOST_STREAMS:
        return {"failure": "too_many_streams", "streams": len(container.streams)}
    declared = container.duration / av.time_base if container.duration else None
    video = streams.best_video(container)
    audio = streams.best_audio(container)
    if container.format.name == "avi" and video is not None and video.average_rate:
        # libav shortens an AVI's duration to what the file's size suggests.
        declared = max(declared or 0.0, float(video.frames / video.average_rate))
    if video is not None and max(video.width, video.height) > LARGEST_SIDE:
        return {"failure": "too_large_picture"}
    facts: Facts = {
        "container": container.format.name,
        "start": (container.start_time or 0) / av.time_base,
        "declared": declared,
        "counts": {kind: streams.count(container, kind) for kind in ("video", "audio", "subtitle")},
        "subtitles": streams.about_subtitles(container),
    }
    if audio is not None:
        facts["audio"] = streams.about_audio(audio)
    if video is not None:
        facts["video"] = streams.about_video(video) | frames.look(container, video)
    search = Ends(fetcher(url), size, options, declared)
    found = search.find(container, [each for each in (video, audio) if each is not None])
    facts["ends"] = {
        "video": found.get(video.index) if video else None,
        "audio": found.get(audio.index) if audio else None,
    }
    if video is not None:
        sample(container, video, facts, search)
    facts["joined"] = joined(container, video or audio, size)
    return facts


def sample(container: InputContainer, video: VideoStream, facts: Facts, search: Ends) -> None:
    """Adds frame times, and up to where pictures come out."""
    begin, last = facts["start"], facts["ends"]["video"]
    missing = None if search.declared is None else search.declared - begin - (last or 0.0)
    with suppress(av.error.FFmpegError, ValueError), search.open_stand_in() as end:
        unindexed = missing is None or missing > LATE or "mp4" in facts["container"]
        if end is not None and unindexed:
            # Matroska or fragments without an index: seeking reads everything on the way, so only
            # both ends are looked at.
            there = end.streams.video[container.streams.video.index(video)]
            facts["video"]["windows"] = [
                *frames.windows(container, video, begin, None),
                frames.times(end, there),
            ]
            if last is None or frames.shows(end, there, begin + max(0.0, last - 0.5)) is not False:
                return
    if "windows" not in facts["video"]:
        facts["video"]["windows"] = frames.windows(container, video, begin, last or search.declared)
    if last is not None and facts["video"]["decoded"]:
        facts["ends"]["decodable"] = frames.decodable(container, video, begin, last)


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
