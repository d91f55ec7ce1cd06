"""Every kind of recording that instructors upload, each with what must become of it (`tests/odd_kind.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tests.beacons import Beacon, write
from tests.footage import AAC, H264, OPUS, VP9, cut, ffmpeg, turn
from tests.odd_kind import NORMAL, ODD, Odd, a_second_late, a_second_more, half_of_it, odd

__all__ = ["HLG_HERE", "ODD"]


def plain(path: Path, beacon: Beacon) -> None:
    write(path, beacon)


# Shapes


@odd("turned", size=(180, 320), codes=frozenset({"rotated"}), red_above=None)
def turned(path: Path, beacon: Beacon) -> None:
    write(path, beacon)
    turn(path)


ODD["portrait"] = Odd("portrait", ".mp4", plain, replace(NORMAL, size=(180, 320)), size=(180, 320))


@odd("odd_size", size=(320, 178), codes=frozenset({"odd_size"}))
def odd_size(path: Path, beacon: Beacon) -> None:
    larger = replace(beacon, size=(beacon.size[0] + 4, beacon.size[1]))
    width, height = beacon.size[0] + 1, beacon.size[1] - 1
    crop = f"format=yuv444p,crop={width}:{height}:exact=1"
    write(path, larger, filters=[crop], video=[*H264, "-pix_fmt", "yuv444p"])


ODD["anamorphic"] = Odd(
    "anamorphic",
    ".mp4",
    lambda path, beacon: write(path, beacon, filters=["format=yuv420p", "setsar=16/11"]),
    replace(NORMAL, size=(220, 180)),
)


# Colours


def pixels(form: str, *codec: str) -> Callable[[Path, Beacon], None]:
    def make(path: Path, beacon: Beacon) -> None:
        tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
        turn_into = f"scale=out_color_matrix=bt709:out_range=tv,format={form},{tags}"
        video = [*(codec or ("-c:v", "libx264", "-preset", "ultrafast")), "-pix_fmt", form]
        write(path, beacon, filters=[turn_into], video=[*video, "-g", "60"])

    return make


for form in ("yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le"):
    ODD[form] = Odd(form, ".mp4", pixels(form))
ODD["rgb"] = Odd("rgb", ".mkv", pixels("bgr0", "-c:v", "libx264rgb", "-preset", "ultrafast"))


def into(transfer: str) -> str:
    """The filters that make the beacon one of high dynamic range: its white has 203 nits."""
    return (
        "scale=out_color_matrix=bt709,format=yuv444p,"
        "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv,"
        f"zscale=t=linear:npl=203,format=gbrpf32le,"
        f"zscale=npl=203:p=bt2020:t={transfer}:m=bt2020nc:r=tv,"
        "format=yuv420p10le"
    )


HLG_HERE = into("arib-std-b67")


def high_range(transfer: str) -> Callable[[Path, Beacon], None]:
    def make(path: Path, beacon: Beacon) -> None:
        tags = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
        write(
            path,
            beacon,
            filters=[into(transfer)],
            video=[*H264, "-pix_fmt", "yuv420p10le"],
            extra=tags,
        )

    return make


ODD["hdr10"] = Odd("hdr10", ".mp4", high_range("smpte2084"), codes=frozenset({"hdr"}))
ODD["hlg"] = Odd("hlg", ".mp4", high_range("arib-std-b67"), codes=frozenset({"hdr"}))


# Times


@odd(
    "interlaced",
    beacon=replace(NORMAL, rate=Fraction(50)),
    frames=50,
    codes=frozenset({"interlaced"}),
)
def interlaced(path: Path, beacon: Beacon) -> None:
    weave = "format=yuv420p,tinterlace=interleave_top,setfield=tff"
    write(path, beacon, filters=[weave], extra=["-flags", "+ildct+ilme"])


for text in ("5", "15", "24000/1001", "24", "25", "30000/1001", "50", "60000/1001", "60"):
    at = Fraction(text)
    ODD[f"{text} fps"] = Odd(
        f"{text} fps", ".mp4", plain, replace(NORMAL, rate=at), frames=round(2 * at)
    )
ODD["1000 fps"] = Odd(
    "1000 fps",
    ".mp4",
    plain,
    replace(NORMAL, rate=Fraction(1000)),
    frames=120,
    codes=frozenset({"high_frame_rate"}),
)


@odd("variable", codes=frozenset({"variable_frame_rate"}))
def variable(path: Path, beacon: Beacon) -> None:
    """Every frame in the first second, every third in the next."""
    keep = "format=yuv420p,select=lt(t\\,1)+not(mod(n\\,3))"
    write(path, beacon, filters=[keep], extra=["-fps_mode", "vfr"])


@odd(
    "a frame every ten seconds",
    frames=100,
    together=False,
    channels=None,
    codes=frozenset({"no_audio"}),
)
def rare(path: Path, beacon: Beacon) -> None:
    slow = replace(beacon, rate=Fraction(1, 10), seconds=Fraction(20))
    ffmpeg(*slow.picture("format=yuv420p"), *H264, path)


ODD["half a second"] = Odd(
    "half a second", ".mp4", plain, replace(NORMAL, seconds=Fraction(1, 2)), frames=15
)


@odd("one frame", frames=None, refused="too_short")
def one_frame(path: Path, beacon: Beacon) -> None:
    ffmpeg(*beacon.picture("format=yuv420p"), "-frames:v", "1", *H264, path)


@odd("one frame beside sound", frames=50, together=False, red_above=True)
def still(path: Path, beacon: Beacon) -> None:
    single = replace(beacon, seconds=Fraction(1, 25), rate=Fraction(25))
    ffmpeg(*single.picture("format=yuv420p"), *beacon.sound(), *H264, *AAC, path)


@odd("start offset", ".mkv")
def start_offset(path: Path, beacon: Beacon) -> None:
    write(path, beacon, extra=["-output_ts_offset", "5.4"])


@odd("late picture", seen=a_second_late)
def late_picture(path: Path, beacon: Beacon) -> None:
    """The picture begins a second after the sound."""
    late = replace(beacon, seconds=beacon.seconds - 1)
    ffmpeg(
        *beacon.sound(),
        *("-itsoffset", "1"),
        *late.picture("format=yuv420p"),
        *("-map", "1", "-map", "0"),
        *H264,
        *AAC,
        path,
    )


@odd("longer sound", frames=90, heard=a_second_more)
def longer_sound(path: Path, beacon: Beacon) -> None:
    sound = beacon.sound(seconds=beacon.seconds + 1)
    ffmpeg(*beacon.picture("format=yuv420p"), *sound, *H264, *AAC, path)


@odd("shorter sound", heard=half_of_it)
def shorter_sound(path: Path, beacon: Beacon) -> None:
    sound = beacon.sound(seconds=beacon.seconds / 2)
    ffmpeg(*beacon.picture("format=yuv420p"), *sound, *H264, *AAC, path)


# Tracks


@odd("no sound", channels=None, codes=frozenset({"no_audio"}))
def no_sound(path: Path, beacon: Beacon) -> None:
    ffmpeg(*beacon.picture("format=yuv420p"), *H264, path)


@odd("sound alone", ".m4a", frames=None, codes=frozenset({"no_video"}))
def sound_alone(path: Path, beacon: Beacon) -> None:
    ffmpeg(*beacon.sound(), *AAC, path)


@odd("cover art", ".m4a", frames=None, codes=frozenset({"no_video"}))
def cover_art(path: Path, beacon: Beacon) -> None:
    art = path.with_suffix(".jpg")
    ffmpeg(*beacon.picture("format=yuvj420p"), "-frames:v", "1", "-update", "1", art)
    cover = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg(*beacon.sound(), "-i", art, *cover, *AAC, "-f", "mp4", path)


ODD["5.1"] = Odd("5.1", ".mp4", plain, replace(NORMAL, channels=6))
ODD["mono at 8 kHz"] = Odd(
    "mono at 8 kHz", ".mp4", plain, replace(NORMAL, channels=1, sample_rate=8000), channels=1
)


@odd("silence", codes=frozenset({"silent"}), together=False)
def silence(path: Path, beacon: Beacon) -> None:
    quiet = ["-f", "lavfi", "-i", f"anullsrc=r=48000:cl=stereo:d={float(beacon.seconds)}"]
    ffmpeg(*beacon.picture("format=yuv420p"), *quiet, *H264, *AAC, "-shortest", path)


@odd("one-sided", codes=frozenset({"one_sided_left"}))
def one_sided(path: Path, beacon: Beacon) -> None:
    write(path, beacon, extra=["-af", "pan=stereo|c0=c0|c1=0*c0"])


@odd("eight mono tracks", channels=1, codes=frozenset({"several_audio_tracks"}))
def eight_tracks(path: Path, beacon: Beacon) -> None:
    maps = ["-map", "0", *["-map", "1"] * 8]
    ffmpeg(*beacon.picture("format=yuv420p"), *beacon.sound(1), *maps, *H264, *AAC, path)


@odd("several pictures", ".mkv", codes=frozenset({"several_video_tracks"}))
def several_pictures(path: Path, beacon: Beacon) -> None:
    """A small camera first, then what it is about."""
    camera = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r={beacon.rate}:d={float(beacon.seconds)}"]
    maps = ["-map", "0", "-map", "1", "-map", "2"]
    ffmpeg(*camera, *beacon.picture("format=yuv420p"), *beacon.sound(), *maps, *H264, *AAC, path)


# Containers


@odd("moov at the end", ".mov")
def moov_at_end(path: Path, beacon: Beacon) -> None:
    write(path, beacon)


@odd("no duration in the header", ".webm")
def media_recorder(path: Path, beacon: Beacon) -> None:
    inputs = [*beacon.picture("format=yuv420p"), *beacon.sound()]
    ffmpeg(*inputs, *VP9, *OPUS, "-f", "webm", "pipe:1", into=path)


@odd("fragments", ".mp4")
def fragments(path: Path, beacon: Beacon) -> None:
    flags = ["-movflags", "+frag_keyframe+delay_moov+default_base_moof", "-f", "mp4", "pipe:1"]
    inputs = [*beacon.picture("format=yuv420p"), *beacon.sound()]
    ffmpeg(*inputs, *H264, *AAC, *flags, into=path)


@odd("subtitles", ".mkv")
def subtitled(path: Path, beacon: Beacon) -> None:
    """Chinese, and English for those who cannot hear."""
    texts: list[Path] = []
    for tongue, words in {"chi": "什么是云计算？", "eng": "[music] What is a cloud?"}.items():
        texts.append(path.with_suffix(f".{tongue}.srt"))
        texts[-1].write_text(f"1\n00:00:00,500 --> 00:00:01,500\n{words}\n", encoding="utf-8")
    tracks = [word for number in range(4) for word in ("-map", str(number))]
    marks = "-metadata:s:s:0 language=chi -metadata:s:s:1 language=eng -disposition:s:1 hearing_impaired"
    inputs = [*beacon.picture("format=yuv420p"), *beacon.sound()]
    files = [word for text in texts for word in ("-i", str(text))]
    ffmpeg(*inputs, *files, *tracks, *H264, *AAC, "-c:s", "srt", *marks.split(), path)


# Damage


@odd("truncated", frames=None, refused=None, codes=frozenset({"truncated"}), together=False)
def truncated(path: Path, beacon: Beacon) -> None:
    ffmpeg(
        *replace(beacon, seconds=4 * beacon.seconds).picture("format=yuv420p"),
        *replace(beacon, seconds=4 * beacon.seconds).sound(),
        *H264,
        *AAC,
        "-movflags",
        "+faststart",
        path,
    )
    cut(path, 0.6)


@odd("damaged in the middle", codes=frozenset({"damaged"}), steady=False, red_above=None)
def damaged(path: Path, beacon: Beacon) -> None:
    keys = [*H264, "-g", "10", "-x264-params", "slices=4"]
    write(path, beacon, video=keys, extra=["-movflags", "+faststart"])
    data = bytearray(path.read_bytes())
    middle, hole = len(data) // 2, max(4096, len(data) // 50)
    data[middle : middle + hole] = bytes(n * 37 % 251 for n in range(hole))
    path.write_bytes(data)
