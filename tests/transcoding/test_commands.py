from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from academy.media import AudioRendition, Grid, VideoRendition
from academy.recordings import AudioStream, Ratio, VideoStream
from tests.documents import FULL_HD
from transcoding.anchor import Anchor
from transcoding.audio_command import Stretch, aligned, audio_command, limited_at
from transcoding.commands import Span, colours, video_command
from transcoding.sources import Source

GRID = Grid(frame_rate=Ratio(num=30000, den=1001), segment_frames=120, frames=1000)
SOURCE = Source("file:/in.mp4", 1, ("file",), lambda _start, _end: b"")
VIDEO = FULL_HD.model_copy(
    update={
        "frame_rate": GRID.frame_rate,
        "colour_primaries": "bt709",
        "colour_transfer": "bt709",
        "colour_space": "bt709",
    }
)
AUDIO = AudioStream(index=1, codec="aac", channels=2, sample_rate=44_100)
SOUND = AudioRendition(id="a96", channels=2, bit_rate=96_000)


def rung(name: str, width: int, height: int) -> VideoRendition:
    return VideoRendition(
        id=name,
        width=width,
        height=height,
        preset="faster",
        crf=23,
        max_rate=4_500_000,
        buffer=9_000_000,
        profile="high",
        level="4.0",
    )


def command(
    *, first: int = 2, segments: int = 3, video: VideoStream = VIDEO, **options: Any
) -> list[str]:
    rungs = [rung("v1080", 1920, 1080), rung("v360", 640, 360)]
    outputs = {each.id: Path(f"/{each.id}.mp4") for each in rungs}
    return video_command(
        "/ffmpeg", SOURCE, video, Span(GRID, first, segments), outputs, rungs, **options
    )


def graph(argv: list[str]) -> str:
    return argv[argv.index("-filter_complex") + 1]


def test_the_whole_command_of_a_chunk() -> None:
    output = (
        "-f mp4 -bufsize 9000000 -c:v libx264 -crf 23 -fflags +bitexact -flags:v +bitexact "
        "-flush_packets 1 -fps_mode passthrough -g 120 -keyint_min 120 -level 4.0 -map_chapters -1 "
        "-map_metadata -1 -maxrate 4500000 -movflags "
        "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer "
        "-preset faster -profile:v high -sc_threshold 0 -threads 1 -video_track_timescale 30000"
    )
    rest = (
        "format=pix_fmts=yuv420p[{1}];[{1}]setparams=color_primaries=bt709:color_trc=bt709:"
        "colorspace=bt709:range=tv[{2}];[{2}]setsar=1[{3}]"
    )
    filters = (
        "[0:0]fps=fps=30000/1001:round=near:start_time=8.008000000[s0];[s0]trim=end_frame=360[s1];"
        "[s1]setpts=PTS-STARTPTS[s2];[s2]split=2[s3][s4];"
        "[s3]scale=1920:1080:flags=lanczos:out_range=tv[s5];[s5]"
        + rest.format(5, "s6", "s7", "s8")
        + ";[s4]scale=640:360:flags=lanczos:out_range=tv[s9];[s9]"
        + rest.format(9, "s10", "s11", "s12")
    )
    argv = command()
    at = argv.index("-i")
    assert argv[:4] == ["/ffmpeg", "-y", "-filter_complex_threads", "1"]
    assert "-noaccurate_seek" in argv[:at]
    assert argv[argv.index("-ss") + 1] == "8.008000000"
    assert {"-copyts", "-start_at_zero", "-threads", "-protocol_whitelist"} <= set(argv[:at])
    assert argv[at : at + 3] == ["-i", "file:/in.mp4", "-filter_complex"]
    assert graph(argv) == filters
    assert (
        " ".join(argv[at + 4 :]) == f"-map [s8] {output} /v1080.mp4 -map [s12] {output} /v360.mp4"
    )


def test_zimg_scales_what_is_plain_where_the_build_has_it() -> None:
    scaled = graph(command(zimg=True))
    assert "scale=1920:1080:flags=lanczos" in scaled
    assert "zscale=640:360:filter=lanczos:range=tv" in scaled
    odd_sides = VIDEO.model_copy(update={"codec": "vp9"})
    assert "zscale" not in graph(command(video=odd_sides, zimg=True))
    assert "zscale" not in graph(
        command(video=VIDEO.model_copy(update={"interlaced": True}), zimg=True)
    )


def test_the_first_chunk_does_not_seek() -> None:
    # Even a seek to 0 failed in files with a damaged index.
    assert "-ss" not in command(first=0)


def test_one_rung_needs_no_split() -> None:
    only = rung("v1080", 1920, 1080)
    argv = video_command(
        "/ffmpeg", SOURCE, VIDEO, Span(GRID, 0, 1), {"v1080": Path("/v.mp4")}, [only]
    )
    assert "split" not in graph(argv)


def test_interlaced_pictures_are_deinterlaced_before_the_grid() -> None:
    interlaced = VIDEO.model_copy(update={"interlaced": True})
    assert graph(command(video=interlaced)).startswith("[0:0]bwdif=mode=send_frame[s0];[s0]fps=")


def test_hdr_is_tone_mapped_where_the_build_can() -> None:
    hdr = VIDEO.model_copy(update={"hdr": True, "colour_transfer": "smpte2084"})
    assert "tonemap=desat=0:param=0.6:peak=4.926:tonemap=mobius" in graph(command(video=hdr))
    assert "tonemap" not in graph(command(video=hdr, tone_map=False))
    assert colours(hdr)["color_trc"] == "bt709"


def test_screen_recordings_in_rgb_become_bt709() -> None:
    screen = VIDEO.model_copy(update={"pixel_format": "gbrp", "colour_space": "gbr"})
    assert "out_color_matrix=bt709" in graph(command(video=screen))
    assert colours(screen)["colorspace"] == "bt709"


def test_colours_nobody_told_of_stay_untold() -> None:
    untold = VIDEO.model_copy(update={"colour_space": None, "colour_primaries": "smpte431"})
    assert colours(untold) == {
        "range": "tv",
        "color_primaries": "unknown",
        "color_trc": "bt709",
        "colorspace": "unknown",
    }


def test_the_end_may_be_made_up_by_holding_the_last_picture() -> None:
    assert "tpad=stop=30:stop_mode=clone" in graph(command(pad_frames=30))


def test_behind_the_end_the_last_picture_is_held_without_limit() -> None:
    argv = command(pad_frames=30, read_from=Fraction(5))
    assert graph(argv).startswith("[0:0]tpad=stop=-1:stop_mode=clone[s0];[s0]fps=")
    assert argv[argv.index("-ss") + 1] == "5.000000000"


def sound(first: int, segments: int, **options: Any) -> list[str]:
    rendition = options.pop("rendition", SOUND)
    return audio_command(
        "/ffmpeg", SOURCE, AUDIO, Stretch(GRID, first, segments), rendition, **options
    )


def test_the_first_stretch_starts_at_the_first_sample() -> None:
    argv = sound(0, 2)
    assert "-ss" not in argv
    # 375 units after the first, which is priming, and 4 for the encoder's look ahead.
    assert graph(argv) == (
        "[0:1]aresample=48000[s0];[s0]aresample=48000:async=1:first_pts=0:min_comp=0.00001:min_hard_comp=0.0205[s1];"
        "[s1]aformat=channel_layouts=stereo:sample_fmts=fltp[s2];[s2]atrim=end_sample=388096[s3]"
    )


def test_later_stretches_start_a_second_early_on_a_common_sample() -> None:
    stretch = Stretch(GRID, 2, 1)
    argv = sound(2, 1)
    start = aligned(Fraction(stretch.first_sample, 48_000), 44_100)
    assert stretch.preroll == 48
    assert start * 44_100 % 1 == start * 48_000 % 1 == 0
    assert f"atrim=start={float(start):.9f}" in graph(argv)
    assert f"first_pts={stretch.first_sample}:" in graph(argv)
    assert float(argv[argv.index("-ss") + 1]) == round(float(start) - 1, 9)


def test_frames_of_coarse_containers_are_moved_to_where_they_belong() -> None:
    argv = sound(0, 1, anchor=Anchor(length=1152, phase=47))
    assert graph(argv).startswith(
        "[0:1]asetpts=47+1152*round((PTS+NB_SAMPLES-47)/1152)-NB_SAMPLES[s0];"
    )


@pytest.mark.parametrize(
    ("rate", "limited"),
    [(8_000, 48_000), (22_050, 96_000), (24_000, 96_000), (44_100, 192_000), (96_000, 192_000)],
)
def test_peaks_are_looked_for_at_four_times_the_sources_rate(rate: int, limited: int) -> None:
    assert limited_at(rate) == limited


def test_only_a_gain_upwards_needs_the_limiter() -> None:
    louder = graph(sound(0, 1, rendition=SOUND.model_copy(update={"gain_db": 6.5})))
    softer = graph(sound(0, 1, rendition=SOUND.model_copy(update={"gain_db": -3.0})))
    assert "volume=6.50dB" in louder
    assert "aresample=192000" in louder
    assert "alimiter=latency=true:level=false:limit=0.8414" in louder
    assert "volume=-3.00dB" in softer
    assert "alimiter" not in softer
    assert "volume" not in graph(sound(0, 1))
