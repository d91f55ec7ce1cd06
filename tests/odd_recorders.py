"""What recorders, cameras and programs write, each with its habits: more rows of `tests/odd_recordings.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tests.beacons import Beacon, write
from tests.footage import AAC, H264, OPUS, VP9, ffmpeg, turn
from tests.odd_kind import NORMAL, ODD, Odd, a_second_late, half_of_it, odd
from tests.odd_recordings import HLG_HERE

ANY_SIZE = frozenset(ODD) | {
    "transport stream",
    "late picture in a transport stream",
    "OBS",
    "meeting",
    "telephone",
}
"""What is tried at full size, too; of the others here nothing depends on it."""
X264 = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-threads",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "70",
]
# Pictures that refer across a keyframe, and keyframes that lie in no chunk's beginning.
OPEN = [*X264, "-x264-params", "open-gop=1:keyint=40:min-keyint=40:scenecut=0:bframes=5:b-adapt=0"]
MPEG2 = ["-c:v", "mpeg2video", "-bf", "2", "-g", "15", "-b:v", "2M", "-pix_fmt", "yuv420p"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1"]
QUIETLY = ["-x265-params", "log-level=error:pools=1:keyint=30"]


def later(times: list[float], by: float) -> list[float]:
    return [time + by for time in times]


def primed(beacon: Beacon) -> list[float]:
    """The container begins with the priming of AAC, the picture a frame later."""
    return later(beacon.times, float(1 / beacon.rate))


def shown_early(beacon: Beacon) -> list[float]:
    """As `primed`; the first picture is shown from the start."""
    return [0.0, *primed(beacon)[1:]]


def behind_reordering(beacon: Beacon) -> list[float]:
    """Without an edit list times begin where decoding does, two frames before the first picture."""
    return [0.0, *later(beacon.times[1:], float(2 / beacon.rate))]


def behind_a_hole(beacon: Beacon) -> list[float]:
    """What the priming holds of the first beep is heard before it."""
    return [0.015, *behind_reordering(beacon)[1:]]


def late_and_primed(beacon: Beacon) -> list[float]:
    return [0.0, *later(a_second_late(beacon)[1:], float(1 / beacon.rate))]


def without_its_beginning(beacon: Beacon) -> list[float]:
    """WMA's first block decodes to nothing."""
    return [2 * 2048 / 48_000 - 0.010, *primed(beacon)[1:]]


def late(path: Path, beacon: Beacon, *codecs: str) -> None:
    picture = replace(beacon, seconds=beacon.seconds - 1).picture("format=yuv420p")
    order = ["-map", "1", "-map", "0"]
    ffmpeg(*beacon.sound(), "-itsoffset", "1", *picture, *order, *codecs, path)


# Transport and program streams


@odd("transport stream", ".ts", frames=61, seen=shown_early, heard=primed)
def transport_stream(path: Path, beacon: Beacon) -> None:
    write(path, beacon, video=OPEN)


@odd("late picture in a transport stream", ".ts", frames=61, seen=late_and_primed, heard=primed)
def late_in_a_transport_stream(path: Path, beacon: Beacon) -> None:
    late(path, beacon, *OPEN, *AAC)


@odd("clock that wraps around", ".ts", frames=61, seen=shown_early, heard=primed)
def wrapping(path: Path, beacon: Beacon) -> None:
    """33 bits of 1/90000 s are 26.5 hours; broadcasters' clocks begin anywhere."""
    begin = 2**33 / 90_000 - 1 - 1.4
    write(path, beacon, video=OPEN, extra=["-output_ts_offset", f"{begin:.6f}"])


@odd("program stream", ".mpg")
def program_stream(path: Path, beacon: Beacon) -> None:
    write(path, beacon, video=MPEG2, audio=["-c:a", "mp2"])


@odd("late picture in a program stream", ".mpg", seen=a_second_late)
def late_in_a_program_stream(path: Path, beacon: Beacon) -> None:
    late(path, beacon, *MPEG2, "-c:a", "mp2")


@odd(
    "sound that changes its form", ".ts", frames=None, together=False, codes=frozenset({"damaged"})
)
def changing_sound(path: Path, beacon: Beacon) -> None:
    """Another microphone from the middle on. What comes after is disturbed; at least that is told."""
    parts = [path.with_name(f"part{number}.ts") for number in range(2)]
    for part, rate in zip(parts, (44_100, 48_000), strict=True):
        write(part, replace(beacon, seconds=beacon.seconds / 2, sample_rate=rate), video=X264)
    names = path.with_name("names.txt")
    names.write_text("".join(f"file '{part}'\n" for part in parts))
    ffmpeg("-f", "concat", "-safe", "0", "-i", names, "-c", "copy", path)


def end_to_end(suffix: str, second: str, *codecs: str) -> Callable[[Path, Beacon], None]:
    """Two recordings put one behind the other byte by byte; the second's clock begins at `second`."""

    def make(path: Path, beacon: Beacon) -> None:
        parts = [path.with_name(f"part{number}{suffix}") for number in range(2)]
        for part, begin in zip(parts, ("500", second), strict=True):
            inputs = [*beacon.picture("format=yuv420p"), *beacon.sound()]
            ffmpeg(*inputs, *codecs, "-output_ts_offset", begin, part)
        path.write_bytes(b"".join(part.read_bytes() for part in parts))

    return make


odd("cameras' files end to end", ".ts", refused="joined")(end_to_end(".ts", "0", *X264, *AAC))
odd("cameras' files with clocks alike", ".ts", refused="joined")(
    end_to_end(".ts", "500", *X264, *AAC)
)
odd("discs' files end to end", ".mpg", refused="joined")(
    end_to_end(".mpg", "500", *MPEG2, "-c:a", "mp2")
)


@odd("Ogg", ".ogv", seen=a_second_late)
def ogg(path: Path, beacon: Beacon) -> None:
    late(path, beacon, "-c:v", "libtheora", "-b:v", "800k", "-g", "64", "-c:a", "libvorbis")


# Recording programs


@odd("fragments without edit lists", frames=62, heard=behind_a_hole, seen=behind_reordering)
def fragments(path: Path, beacon: Beacon) -> None:
    """Their sound's priming is followed by a hole of 45 ms."""
    write(
        path, beacon, video=X264, extra=["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
    )


ODD["OBS"] = Odd(
    "OBS",
    ".mkv",
    lambda path, beacon: ffmpeg(
        *beacon.picture("format=yuv420p,select=lt(mod(n\\,60)\\,30)+not(mod(n\\,3))"),
        *beacon.sound(),
        *("-map", "0", "-map", "1", "-map", "1", "-map", "1"),
        *(*X264, *AAC, "-fps_mode", "vfr", "-metadata:s:a:1", "title=Mic"),
        path,
    ),
    replace(NORMAL, rate=Fraction(60)),
    frames=120,
    codes=frozenset({"several_audio_tracks", "variable_frame_rate"}),
)


@odd(
    "live stream",
    ".flv",
    beacon=replace(NORMAL, rate=Fraction(24)),
    frames=49,
    seen=shown_early,
    heard=primed,
)
def live_stream(path: Path, beacon: Beacon) -> None:
    write(path, beacon, video=X264, extra=["-ar", "44100", "-output_ts_offset", "37.123"])


def half_late(beacon: Beacon) -> list[float]:
    return later(half_of_it(beacon), 0.7)


@odd("meeting", frames=60, heard=half_late)
def meeting(path: Path, beacon: Beacon) -> None:
    """Its picture grows when somebody shares a screen, and its sound begins late."""
    width, height = beacon.size
    parts = []
    for number in range(2):
        parts.append(path.with_suffix(f".{number}.ts"))
        size = (width * (number + 1), height * (number + 1))
        half = replace(beacon, seconds=beacon.seconds / 2, size=size)
        ffmpeg(*half.picture("format=yuv420p"), *H264, parts[-1])
    names = path.with_suffix(".txt")
    names.write_text("".join(f"file '{part}'\n" for part in parts))
    sound = beacon.sound(seconds=beacon.seconds / 2)
    joined = ["-f", "concat", "-safe", "0", "-i", str(names)]
    ffmpeg(*joined, "-itsoffset", "0.7", *sound, "-c:v", "copy", *AAC, path)


@odd("screen in 4:4:4", beacon=replace(NORMAL, rate=Fraction(60)), frames=120)
def screen(path: Path, beacon: Beacon) -> None:
    write(path, beacon, filters=["format=yuv444p"], video=[*X264, "-pix_fmt", "yuv444p"])


@odd("transparent", ".webm")
def transparent(path: Path, beacon: Beacon) -> None:
    video = [*VP9, "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"]
    write(path, beacon, filters=["format=yuva420p"], video=video, audio=OPUS)


# Cameras and older programs


@odd("telephone", ".mov", size=(180, 320), codes=frozenset({"hdr", "rotated"}), red_above=None)
def telephone(path: Path, beacon: Beacon) -> None:
    """HEVC of ten bits in HLG, held upright."""
    tags = ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"]
    write(path, beacon, filters=[HLG_HERE], video=[*X265, *QUIETLY], extra=tags)
    turn(path)


@odd("editor's export", ".mov")
def export(path: Path, beacon: Beacon) -> None:
    """ProRes and uncompressed sound, with a track of time codes."""
    video = ["-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le"]
    sound = ["-c:a", "pcm_s24le"]
    write(
        path,
        beacon,
        filters=["format=yuv422p10le"],
        video=video,
        audio=sound,
        extra=["-timecode", "01:00:00:00"],
    )


@odd("trimmed without encoding anew")
def trimmed(path: Path, beacon: Beacon) -> None:
    """An edit list hides what lies between a keyframe and the beginning."""
    whole = path.with_suffix(".whole.mp4")
    write(whole, replace(beacon, seconds=beacon.seconds + Fraction(5, 2)), video=X264)
    ffmpeg("-ss", "2.5", "-i", whole, "-c", "copy", path)


@odd(
    "anamorphic, odd and turned",
    size=(178, 320),
    codes=frozenset({"odd_size", "rotated"}),
    red_above=None,
)
def all_at_once(path: Path, beacon: Beacon) -> None:
    width, height = beacon.size[0] * 224 // 320, beacon.size[1] + 4
    crop = f"format=yuv444p,crop={width - 3}:{height - 5}:exact=1"
    video = [*X264, "-pix_fmt", "yuv444p"]
    write(path, replace(beacon, size=(width, height)), filters=[crop, "setsar=16/11"], video=video)
    turn(path)


OF_ONE_SIZE = {
    "digital video": Odd(
        "digital video",
        ".avi",
        lambda path, beacon: write(
            path,
            beacon,
            filters=["format=yuv420p,tinterlace=interleave_bottom,setfield=bff,setsar=16/15"],
            video=["-c:v", "dvvideo", "-pix_fmt", "yuv420p"],
            audio=["-c:a", "pcm_s16le"],
        ),
        replace(NORMAL, rate=Fraction(50), size=(720, 576)),
        frames=50,
        size=(240, 180),
        codes=frozenset({"interlaced"}),
    ),
    "early telephone": Odd(
        "early telephone",
        ".3gp",
        lambda path, beacon: write(
            path,
            beacon,
            video=["-c:v", "h263", "-b:v", "1M"],
            audio=["-c:a", "libopencore_amrnb", "-b:a", "12.2k", "-ar", "8000", "-ac", "1"],
        ),
        replace(NORMAL, rate=Fraction(15), size=(352, 288), channels=1, sample_rate=8000),
        frames=30,
        size=(220, 180),
        channels=1,
    ),
}
ODD.update(OF_ONE_SIZE)


@odd("Windows Media", ".wmv", frames=61, seen=shown_early, heard=without_its_beginning)
def windows_media(path: Path, beacon: Beacon) -> None:
    write(path, beacon, video=["-c:v", "wmv2", "-b:v", "2M", "-g", "90"], audio=["-c:a", "wmav2"])


@odd(
    "broadcaster's tape",
    ".mxf",
    beacon=replace(NORMAL, rate=Fraction(25), channels=1),
    frames=50,
    channels=1,
    codes=frozenset({"several_audio_tracks"}),
)
def tape(path: Path, beacon: Beacon) -> None:
    """Eight tracks of one channel each."""
    maps = ["-map", "0", *["-map", "1"] * 8]
    codecs = [*MPEG2, "-pix_fmt", "yuv422p", "-b:v", "5M", "-c:a", "pcm_s16le"]
    ffmpeg(*beacon.picture("format=yuv422p"), *beacon.sound(), *maps, *codecs, path)
