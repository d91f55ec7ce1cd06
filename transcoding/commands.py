"""From the plan to ffmpeg's arguments, a why per flag. Pure.

One decode feeds every rung; one thread everywhere, since a machine runs one such command per core. Times
are exact rationals of the grid: half-frame offsets get rounded away by ffmpeg, and frames with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import ffmpeg

from academy.media import Grid, VideoRendition
from academy.recordings import VideoStream
from transcoding.sources import Source

FRAGMENTS: Final = (
    "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer"
)
"""One fragment per keyframe: each is a CMAF segment but for its place in time. Negative composition
offsets make decode time 0 the first picture's, so no edit list is needed."""

TONE_MAP: Final = (
    ("zscale", {"t": "linear", "npl": "203"}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    # Up to 0.6 as it is, the rest bent to fit: white paper (203 nits, ITU-R BT.2408) comes out at 92 % and not
    # grey, and lamps of up to 1000 nits (HLG's peak, and where telephones end) keep a shape.
    ("tonemap", {"tonemap": "mobius", "param": "0.6", "desat": "0", "peak": "4.926"}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
    ("format", {"pix_fmts": "yuv420p"}),
)
RGB: Final = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr")
EVEN: Final = frozenset({"h264", "hevc"})
MATRICES: Final = frozenset({"bt709", "bt470bg", "smpte170m", "smpte240m", "fcc", "bt2020nc"})
PRIMARIES: Final = frozenset(
    {"bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte432"}
)
TRANSFERS: Final = frozenset(
    {"bt709", "gamma22", "gamma28", "smpte170m", "smpte240m", "iec61966-2-1", "bt2020-10"}
)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole segments of the grid, [first, first + segments)."""

    grid: Grid
    first: int
    segments: int

    @property
    def first_frame(self) -> int:
        return self.grid.first_frame(self.first)

    @property
    def frames(self) -> int:
        return self.grid.first_frame(self.first + self.segments) - self.first_frame

    @property
    def start(self) -> Fraction:
        """Seconds."""
        return self.grid.start(self.first)


def seconds(time: Fraction) -> str:
    """To the nanosecond: ffmpeg keeps microseconds, and rounds to the frame from there."""
    return f"{float(time):.9f}"


def video_command(
    program: str,
    source: Source,
    video: VideoStream,
    span: Span,
    outputs: Mapping[str, Path],
    rungs: Sequence[VideoRendition],
    *,
    tone_map: bool = True,
    zimg: bool = False,
    pad_frames: int = 0,
    read_from: Fraction | None = None,
) -> list[str]:
    """One span of the video into every rung; `outputs` names each rung's file.

    `tone_map`, `zimg`: whether this ffmpeg has the filters (`tonemap` and `zscale`; `zscale`).
    `pad_frames`: how often the last picture may be repeated where the source ends early.
    `read_from` (seconds): start reading there and hold the last picture without limit, for spans
    behind the end of the picture.
    """
    options: dict[str, Any] = {
        **source.options,
        # Decoder: more threads cost 4-16 % CPU and gain nothing with one ffmpeg per core.
        "threads": 1,
        # Damage is judged by counting frames, not by ffmpeg's share of errors.
        "max_error_rate": 1,
        # A picture that changes its size midway (browsers' screen recordings do) goes through the same
        # filters, where scale adapts: a new graph would start counting frames anew.
        "reinit_filter": 0,
    }
    options |= source.reading_from(span.start if read_from is None else read_from)
    stream = ffmpeg.input(source.url, **options)[str(video.index)]
    for name, arguments in _before(video, tone_map=tone_map):
        stream = stream.filter(name, **arguments)
    if read_from is not None:
        stream = stream.filter("tpad", stop=-1, stop_mode="clone")
    rate = span.grid.frame_rate
    # start_time: repeats the first picture where it comes late, drops what lies before the chunk.
    stream = stream.filter(
        "fps", fps=f"{rate.num}/{rate.den}", start_time=seconds(span.start), round="near"
    )
    if pad_frames and read_from is None:
        stream = stream.filter("tpad", stop=pad_frames, stop_mode="clone")
    stream = stream.filter("trim", end_frame=span.frames).filter("setpts", "PTS-STARTPTS")
    parts = stream.filter_multi_output("split", len(rungs)) if len(rungs) > 1 else [stream]
    files = [
        _output(_rung(parts[number], video, rung, zimg=zimg), span.grid, rung, outputs[rung.id])
        for number, rung in enumerate(rungs)
    ]
    return _argv(program, ffmpeg.merge_outputs(*files))


def _before(video: VideoStream, *, tone_map: bool) -> list[tuple[str, dict[str, Any]]]:
    """What must happen once, at the source's own size and rate."""
    filters: list[tuple[str, dict[str, Any]]] = []
    if video.interlaced:
        filters.append(("bwdif", {"mode": "send_frame"}))
    if video.hdr and tone_map:
        filters += TONE_MAP
    return filters


def _rung(stream: Any, video: VideoStream, rung: VideoRendition, *, zimg: bool) -> Any:
    if zimg and _plain(video) and (rung.width, rung.height) != (video.width, video.height):
        stream = stream.filter("zscale", rung.width, rung.height, filter="lanczos", range="tv")
    else:
        scale = {"flags": "lanczos", "out_range": "tv"}
        if video.pixel_format.startswith(RGB) and not video.hdr:
            scale["out_color_matrix"] = "bt709"
        stream = stream.filter("scale", rung.width, rung.height, **scale)
    # Direct from the source with lanczos: 4.5 VMAF better at 360 lines than a cascade of bicubics.
    stream = stream.filter("format", pix_fmts="yuv420p")
    # The probe decides the tags, not the frame at hand: init segments of all chunks must be equal.
    stream = stream.filter("setparams", **colours(video))
    # 854 wide is not exactly 16:9: the tiny remainder must not become a pixel aspect of its own.
    return stream.filter("setsar", 1)


def _plain(video: VideoStream) -> bool:
    """Whether zimg may scale it: half of swscale's time for the same lanczos, 5 % of a whole ladder's.

    It refuses odd sides, which these codecs cannot have in 4:2:0, not even where the size changes midway.
    """
    usual = video.codec in EVEN and video.pixel_format in {"yuv420p", "yuvj420p"}
    return usual and not video.interlaced and not video.hdr


def colours(video: VideoStream) -> dict[str, str]:
    """How the output is tagged."""
    if video.hdr or video.pixel_format.startswith(RGB):
        matrix = primaries = transfer = "bt709"
    else:
        matrix = _known(video.colour_space, MATRICES)
        primaries = _known(video.colour_primaries, PRIMARIES)
        transfer = _known(video.colour_transfer, TRANSFERS)
    return {
        "range": "tv",
        "color_primaries": primaries,
        "color_trc": transfer,
        "colorspace": matrix,
    }


def _known(name: str | None, names: frozenset[str]) -> str:
    return name if name in names else "unknown"


def _output(stream: Any, grid: Grid, rung: VideoRendition, path: Path) -> Any:
    encoder = _av1 if rung.codec == "av1" else _h264
    options: dict[str, Any] = {
        **encoder(grid, rung),
        # Constant quality, capped: slides cost next to nothing, motion gets what it needs.
        "crf": rung.crf,
        "maxrate": rung.max_rate,
        "bufsize": rung.buffer,
        # A keyframe at every segment and nowhere else, by count.
        "g": grid.segment_frames,
        "threads": 1,
        # The filters made the rate constant: nothing may be dropped or repeated after them.
        "fps_mode": "passthrough",
        # No version strings and no tags of the source in the init segments.
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "movflags": FRAGMENTS,
        "video_track_timescale": grid.timescale,
        # Whole fragments reach the file at once, not when a buffer happens to be full.
        "flush_packets": 1,
    }
    return ffmpeg.output(stream, str(path), format="mp4", **options)


def _h264(grid: Grid, rung: VideoRendition) -> dict[str, Any]:
    options: dict[str, Any] = {
        "c:v": "libx264",
        "preset": rung.preset,
        "profile:v": rung.profile,
        "level": rung.level,
        "keyint_min": grid.segment_frames,
        "sc_threshold": 0,
    }
    return options | ({"x264-params": rung.parameters} if rung.parameters else {})


def _av1(grid: Grid, rung: VideoRendition) -> dict[str, Any]:
    del grid
    # One thread, as everywhere; no keyframes of its own at scene changes.
    parameters = ":".join(filter(None, ("lp=1", "scd=0", rung.parameters)))
    return {"c:v": "libsvtav1", "preset": rung.preset, "svtav1-params": parameters}


def _argv(program: str, node: Any) -> list[str]:
    return [program, "-y", "-filter_complex_threads", "1", *node.get_args()]
