"""Makes small real recordings, and files that only pretend to be some.

`make(kind, path, **options)` writes one; `KINDS` tells each kind's file suffix. Pictures come from
ffmpeg's generators, 320x180 and a few seconds long, each in a fraction of a second of CPU. Common options:
`duration` (s), `size` ("320x180"), `rate` ("30", "30000/1001").
"""

from __future__ import annotations

import struct
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from transcoding import binary

Maker = Callable[..., None]


@dataclass(frozen=True)
class Kind:
    suffix: str
    write: Maker


KINDS: dict[str, Kind] = {}


def kind(name: str, suffix: str) -> Callable[[Maker], Maker]:
    def register(write: Maker) -> Maker:
        KINDS[name] = Kind(suffix, write)
        return write

    return register


def make(name: str, path: Path, **options: Any) -> Path:
    """Writes one recording and returns its path."""
    KINDS[name].write(path, **options)
    return path


@cache
def ffmpeg_path() -> str:
    return binary.find().path


def ffmpeg(*arguments: str | Path, into: Path | None = None) -> None:
    """Runs ffmpeg; `into` receives what it writes to a pipe, as a recorder without seeking would."""
    command = [ffmpeg_path(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()[-2000:]}")
    if into is not None:
        into.write_bytes(done.stdout)


def pictures(duration: float = 6, size: str = "320x180", rate: str = "30") -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={duration}"]


def sound(duration: float = 6, channels: int = 2, hertz: int = 440) -> list[str]:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    tones = "|".join(f"0.2*sin(2*PI*{hertz + 110 * n}*t)" for n in range(channels))
    return ["-f", "lavfi", "-i", f"aevalsrc={tones}:c={layout}:s=48000:d={duration}"]


H264 = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-threads",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "60",
]
AAC = ["-c:a", "aac", "-b:a", "96k"]


def record(
    path: Path,
    *,
    duration: float = 6,
    size: str = "320x180",
    rate: str = "30",
    video: Sequence[str] = H264,
    audio: Sequence[str] | None = AAC,
    channels: int = 2,
    extra: Sequence[str] = (),
    piped: str | None = None,
) -> None:
    """A test card that changes in every frame, and a steady tone."""
    inputs = pictures(duration, size, rate)
    if audio is not None:
        inputs += sound(duration, channels)
    codecs = [*video, *(audio or ())]
    if piped is not None:
        ffmpeg(*inputs, *codecs, *extra, "-f", piped, "pipe:1", into=path)
    else:
        ffmpeg(*inputs, *codecs, *extra, path)


# Ordinary containers


@kind("lecture", ".mp4")
def lecture(path: Path, **options: Any) -> None:
    record(path, extra=["-movflags", "+faststart"], **options)


@kind("moov_at_end", ".mp4")
def moov_at_end(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mov", ".mov")
def mov(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mkv", ".mkv")
def mkv(path: Path, **options: Any) -> None:
    record(path, **options)


VP9 = [
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-b:v",
    "300k",
    "-g",
    "60",
    "-threads",
    "1",
]
OPUS = ["-c:a", "libopus", "-b:a", "64k"]


@kind("webm", ".webm")
def webm(path: Path, **options: Any) -> None:
    record(path, video=VP9, audio=OPUS, **options)


@kind("avi", ".avi")
def avi(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "mpeg4", "-g", "30"], audio=["-c:a", "mp2"], **options)


@kind("mpegts", ".ts")
def mpegts(path: Path, **options: Any) -> None:
    record(path, **options)


@kind("mpegps", ".mpg")
def mpegps(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "mpeg2video"], audio=["-c:a", "mp2"], **options)


@kind("flv", ".flv")
def flv(path: Path, **options: Any) -> None:
    record(path, extra=["-ar", "44100"], **options)


@kind("wmv", ".wmv")
def wmv(path: Path, **options: Any) -> None:
    record(path, video=["-c:v", "wmv2"], audio=["-c:a", "wmav2"], **options)


# Recorders' habits


@kind("media_recorder", ".webm")
def media_recorder(path: Path, **options: Any) -> None:
    """As a browser's MediaRecorder writes it: no duration, no index."""
    record(path, video=VP9, audio=OPUS, piped="webm", **options)


@kind("fragmented", ".mp4")
def fragmented(path: Path, **options: Any) -> None:
    flags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
    record(path, extra=flags, piped="mp4", **options)


@kind("variable", ".mp4")
def variable(path: Path, *, duration: float = 6) -> None:
    """30 frames in one second, 10 in the next."""
    keep = "select=lt(mod(n\\,60)\\,30)+not(mod(n\\,3))"
    inputs = [*pictures(duration), *sound(duration)]
    ffmpeg(*inputs, "-vf", keep, "-fps_mode", "vfr", *H264, *AAC, path)


@kind("slides", ".mp4")
def slides(path: Path, *, duration: float = 30) -> None:
    """One frame every ten seconds."""
    record(path, duration=duration, rate="1/10")


@kind("still", ".mp4")
def still(path: Path, *, duration: float = 6) -> None:
    """A single frame beside sound."""
    inputs = [*pictures(0.04, rate="25"), *sound(duration)]
    ffmpeg(*inputs, *H264, *AAC, path)


@kind("start_offset", ".mkv")
def start_offset(path: Path, *, offset: float = 5.4, **options: Any) -> None:
    record(path, extra=["-output_ts_offset", str(offset)], **options)


@kind("late_video", ".mp4")
def late_video(path: Path, *, delay: float = 1.5) -> None:
    """The picture begins after the sound."""
    ffmpeg(*sound(6), "-itsoffset", str(delay), *pictures(4), *H264, *AAC, path)


@kind("long_audio", ".mp4")
def long_audio(path: Path) -> None:
    """The sound goes on for three seconds after the picture."""
    ffmpeg(*pictures(4), *sound(7), *H264, *AAC, path)


# Pictures


@kind("rotated", ".mp4")
def rotated(path: Path, **options: Any) -> None:
    """A telephone held upright: stored 320x180, to be turned by 90 degrees clockwise."""
    lecture(path, **options)
    turn(path)


def turn(path: Path) -> None:
    """Sets the first track's display matrix (ISO/IEC 14496-12, 8.3.2) to a quarter turn clockwise."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    at += 40 if data[at] == 0 else 52
    one = 0x10000
    struct.pack_into(">9i", data, at, 0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


@kind("ntsc", ".mp4")
def ntsc(path: Path, **options: Any) -> None:
    lecture(path, rate="30000/1001", **options)


@kind("portrait", ".mp4")
def portrait(path: Path, **options: Any) -> None:
    lecture(path, size="180x320", **options)


@kind("odd_size", ".mp4")
def odd_size(path: Path) -> None:
    crop = ["-vf", "format=yuv444p,crop=321:179:exact=1"]
    record(path, size="324x180", video=[*H264, "-pix_fmt", "yuv444p"], extra=crop)


@kind("anamorphic", ".mp4")
def anamorphic(path: Path) -> None:
    record(path, size="180x144", rate="25", extra=["-vf", "setsar=64/45"])


@kind("interlaced", ".mp4")
def interlaced(path: Path) -> None:
    fields = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme"]
    record(path, rate="50", extra=fields)


@kind("hdr", ".mp4")
def hdr(path: Path) -> None:
    marks = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    colours = [
        "-vf",
        marks,
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
    ]
    record(path, video=[*H264, "-pix_fmt", "yuv420p10le"], extra=colours, duration=3)


@kind("fast", ".mp4")
def fast(path: Path) -> None:
    record(path, rate="120", duration=3)


@kind("flash_and_beep", ".mp4")
def flash_and_beep(path: Path, *, duration: float = 8, rate: str = "30") -> None:
    """Black and silent, but for 0.1 s of white and of 1 kHz at each whole second from 1 s on."""
    when = "gte(t\\,0.999)*lt(mod(t+0.001\\,1)\\,0.1)"
    flash = f"color=black:s=320x180:r={rate}:d={duration},drawbox=c=white:t=fill:enable={when}"
    beep = f"aevalsrc=0.5*sin(2*PI*1000*t)*gte(t\\,1)*lt(mod(t\\,1)\\,0.1):s=48000:d={duration}"
    ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *H264, *AAC, path)


@kind("black_start", ".mp4")
def black_start(path: Path, *, duration: float = 8) -> None:
    """Two seconds of black before the picture."""
    ffmpeg(*pictures(duration), "-vf", "drawbox=t=fill:c=black:enable=lt(t\\,2)", *H264, path)


# Sound


@kind("no_audio", ".mp4")
def no_audio(path: Path, **options: Any) -> None:
    lecture(path, audio=None, **options)


@kind("audio_only", ".m4a")
def audio_only(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *AAC, path)


@kind("mp3", ".mp3")
def mp3(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), "-c:a", "libmp3lame", "-q:a", "4", path)


@kind("wav", ".wav")
def wav(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration, 1), path)


@kind("flac", ".flac")
def flac(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), path)


@kind("ogg", ".ogg")
def ogg(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *OPUS, path)


@kind("adts", ".aac")
def adts(path: Path, *, duration: float = 6) -> None:
    ffmpeg(*sound(duration), *AAC, path)


@kind("surround", ".mp4")
def surround(path: Path) -> None:
    record(path, channels=6)


@kind("two_languages", ".mkv")
def two_languages(path: Path) -> None:
    """Mono English first, then Chinese in stereo, which is marked as the default."""
    inputs = [*pictures(6), *sound(6, 1), *sound(6, 2, 660)]
    tracks = "-map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=chi"
    marks = "-disposition:a:0 0 -disposition:a:1 default"
    ffmpeg(*inputs, *tracks.split(), *marks.split(), *H264, *AAC, path)


@kind("cover_art", ".m4a")
def cover_art(path: Path) -> None:
    """Sound with a picture of the album: no video."""
    art = path.with_suffix(".jpg")
    ffmpeg(*pictures(1), "-frames:v", "1", "-update", "1", art)
    cover = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg(*sound(6), "-i", art, *cover, *AAC, "-f", "mp4", path)


# Broken and hostile


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@kind("truncated_mp4", ".mp4")
def truncated_mp4(path: Path, *, share: float = 0.6, **options: Any) -> None:
    lecture(path, **options)
    cut(path, share)


@kind("truncated_mkv", ".mkv")
def truncated_mkv(path: Path, *, share: float = 0.6, **options: Any) -> None:
    mkv(path, **options)
    cut(path, share)


@kind("truncated_ts", ".ts")
def truncated_ts(path: Path, *, share: float = 0.6) -> None:
    mpegts(path)
    cut(path, share)


@kind("truncated_avi", ".avi")
def truncated_avi(path: Path, *, share: float = 0.6) -> None:
    avi(path)
    cut(path, share)


@kind("without_moov", ".mp4")
def without_moov(path: Path) -> None:
    """Recording broke off before the index was written."""
    moov_at_end(path)
    cut(path, 0.6)


@kind("zero_tail", ".mp4")
def zero_tail(path: Path, *, share: float = 0.5) -> None:
    """A download that reserved its size and never ended."""
    lecture(path)
    data = path.read_bytes()
    kept = int(len(data) * share)
    path.write_bytes(data[:kept] + bytes(len(data) - kept))


@kind("damaged", ".mp4")
def damaged(path: Path) -> None:
    """A kilobyte in the middle is noise."""
    lecture(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1024] = bytes(n * 37 % 251 for n in range(1024))
    path.write_bytes(data)


@kind("short", ".mp4")
def short(path: Path) -> None:
    record(path, duration=0.2)


@kind("encrypted", ".mp4")
def encrypted(path: Path) -> None:
    key = "00112233445566778899aabbccddeeff"
    scheme = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", key]
    record(path, extra=scheme, duration=3)


@kind("many_streams", ".mkv")
def many_streams(path: Path, *, count: int = 70) -> None:
    ffmpeg(*pictures(1), *sound(1, 1), *["-map", "0"], *["-map", "1"] * count, *H264, *AAC, path)


@kind("giant_picture", ".mkv")
def giant_picture(path: Path) -> None:
    frame = ["-frames:v", "1", "-c:v", "png", "-pix_fmt", "gray"]
    ffmpeg("-f", "lavfi", "-i", "color=black:s=9000x200:r=25:d=1", *frame, path)


@kind("empty", ".mp4")
def empty(path: Path) -> None:
    path.write_bytes(b"")


@kind("noise", ".mp4")
def noise(path: Path) -> None:
    state, out = 1, bytearray()
    for _ in range(50_000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        out.append(state >> 16 & 0xFF)
    path.write_bytes(out)


@kind("text", ".mp4")
def text(path: Path, *, content: str = "Lecture 1: what a cloud is.\n" * 40) -> None:
    path.write_text(content, encoding="utf-8")


@kind("archive", ".zip")
def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("lecture.mp4", b"not here")


@kind("picture", ".png")
def picture(path: Path) -> None:
    ffmpeg(*pictures(1), "-frames:v", "1", path)


@kind("subtitles_only", ".mkv")
def subtitles_only(path: Path) -> None:
    text_of = path.with_suffix(".srt")
    text_of.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n", encoding="utf-8")
    ffmpeg("-i", text_of, "-c:s", "srt", path)


# Playlists: `target` is what they want opened


@kind("m3u8", ".m3u8")
def m3u8(path: Path, *, target: str) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:6", "#EXTINF:6,", target, "#EXT-X-ENDLIST", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


@kind("ffconcat", ".ffconcat")
def ffconcat(path: Path, *, target: str) -> None:
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n", encoding="utf-8")


@kind("bare_concat", ".txt")
def bare_concat(path: Path, *, target: str) -> None:
    path.write_text(f"file '{target}'\n", encoding="utf-8")


@kind("sdp", ".sdp")
def sdp(path: Path, *, target: str) -> None:
    session = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns={target}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    path.write_text(session + "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")


@kind("mpd", ".mpd")
def mpd(path: Path, *, target: str) -> None:
    path.write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT6S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
        encoding="utf-8",
    )


@kind("pls", ".pls")
def pls(path: Path, *, target: str) -> None:
    path.write_text(f"[playlist]\nFile1={target}\nNumberOfEntries=1\n", encoding="utf-8")


@kind("asx", ".asx")
def asx(path: Path, *, target: str) -> None:
    path.write_text(f'<ASX version="3.0"><ENTRY><REF HREF="{target}"/></ENTRY></ASX>')


@kind("ffmetadata", ".txt")
def ffmetadata(path: Path, *, target: str) -> None:
    path.write_text(f";FFMETADATA1\ntitle={target}\n", encoding="utf-8")


@kind("external_track", ".mov")
def external_track(path: Path, *, target: str) -> None:
    """A QuickTime movie whose samples lie in another file (`dref` holding an alias, QTFF p. 65)."""
    record(path, audio=None, extra=["-movflags", "+faststart"], duration=3)
    data = path.read_bytes()
    at = data.index(b"dref") - 4
    size = struct.unpack_from(">I", data, at)[0]
    reference = box(b"dref", bytes(4) + struct.pack(">I", 1) + alias(target))
    moved = data[:at] + reference + data[at + size :]
    grown = len(reference) - size
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = moved.index(name) - 4
        old = struct.unpack_from(">I", moved, place)[0]
        moved = moved[:place] + struct.pack(">I", old + grown) + moved[place + 4 :]
    # Sample offsets now point into the other file; its bytes are what must never be read.
    path.write_bytes(moved[: moved.index(b"mdat") - 4])


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def alias(target: str) -> bytes:
    """An `alis` record as Mac OS wrote it, with an absolute path (tag 18) to `target`."""
    filename = target.rsplit("/", 1)[-1].encode()[:63]
    record_ = bytes(10) + b"\x03disk".ljust(28, b"\0") + bytes(12)
    record_ += bytes([len(filename)]) + filename.ljust(63, b"\0") + bytes(16)
    record_ += struct.pack(">hh", 1, 1) + bytes(16)
    for tag, value in ((2, target.encode()), (18, target.encode())):
        record_ += struct.pack(">hH", tag, len(value)) + value + b"\0" * (len(value) % 2)
    return box(b"alis", bytes(4) + record_ + struct.pack(">hH", -1, 0))
