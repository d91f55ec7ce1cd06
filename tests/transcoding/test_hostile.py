"""An uploaded file must never make ffmpeg or libav open another file or address."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from academy.errors import RejectedMedia
from tests.canaries import LINUX, FileCanary, ServerCanary
from tests.fixtures_footage import Footage
from tests.footage import KINDS, make
from transcoding import probe, sources
from transcoding.binary import FFmpeg
from transcoding.facts import Failure
from transcoding.ffmpeg import EncodingFailed, Limits, run
from transcoding.sniff import HEAD, refuse_impostors

pytestmark = pytest.mark.skipif(not LINUX, reason="inotify tells who opened the canary")

POINTING = (
    *("m3u8", "ffconcat", "bare_concat", "sdp", "mpd", "pls", "asx", "ffmetadata"),
    "external_track",
)


@pytest.fixture
def file_canary(tmp_path: Path, footage: Footage) -> Iterator[FileCanary]:
    path = tmp_path / "canary.ts"
    path.write_bytes(footage("mpegts").read_bytes())
    canary = FileCanary(path)
    yield canary
    canary.close()


@pytest.fixture
def server_canary() -> Iterator[ServerCanary]:
    with ServerCanary() as canary:
        yield canary


@pytest.fixture(params=["file", "server"])
def target(
    request: pytest.FixtureRequest, file_canary: FileCanary, server_canary: ServerCanary
) -> str:
    return str(file_canary.path) if request.param == "file" else server_canary.url


@pytest.mark.parametrize("kind", POINTING)
@pytest.mark.parametrize("disguise", [None, ".mp4"])
def test_inspection_refuses_what_points_elsewhere_and_opens_nothing(
    kind: str,
    disguise: str | None,
    target: str,
    tmp_path: Path,
    file_canary: FileCanary,
    server_canary: ServerCanary,
) -> None:
    path = make(kind, tmp_path / f"lecture{disguise or KINDS[kind].suffix}", target=target)
    file_canary.opened()
    with pytest.raises(RejectedMedia) as refused:
        probe.inspect(sources.of_file(path), filename=path.name)
    assert refused.value.code in {"playlist_not_allowed", "not_media", "truncated"}
    assert path.name in refused.value.message
    assert file_canary.opened() == 0
    assert server_canary.requests == []


@pytest.mark.parametrize("kind", POINTING)
def test_libav_alone_opens_nothing_either(
    kind: str,
    tmp_path: Path,
    file_canary: FileCanary,
    server_canary: ServerCanary,
    ffmpeg: FFmpeg,
) -> None:
    """Our own look at the first bytes is one wall; this is the other."""
    remote = kind in {"m3u8", "mpd", "asx"}
    target = server_canary.url if remote else str(file_canary.path)
    path = make(kind, tmp_path / f"lecture{KINDS[kind].suffix}", target=target)
    source = sources.of_file(path)
    file_canary.opened()
    report = probe.read_facts(source, path.name, probe.LIMITS)
    assert isinstance(report, Failure) or not (report.video and report.video.decoded)
    command = [ffmpeg.path, *source.input_args(), "-f", "null", "-"]
    try:
        frames = run(command, limits=Limits(60)).progress.frame
    except EncodingFailed:
        frames = 0
    assert frames == 0
    assert file_canary.opened() == 0
    assert server_canary.requests == []


@pytest.mark.parametrize(
    ("kind", "permission"),
    [
        ("m3u8", ["-allowed_extensions", "ALL"]),
        ("ffconcat", ["-safe", "0"]),
        ("external_track", ["-enable_drefs", "1", "-use_absolute_path", "1"]),
    ],
)
def test_the_file_canary_sings_when_ffmpeg_is_let_loose(
    kind: str, permission: list[str], tmp_path: Path, file_canary: FileCanary, ffmpeg: FFmpeg
) -> None:
    path = make(kind, tmp_path / f"x{KINDS[kind].suffix}", target=str(file_canary.path))
    file_canary.opened()
    _let_loose(ffmpeg, [*permission, "-i", str(path)])
    assert file_canary.opened() > 0


def test_the_server_canary_sings_when_ffmpeg_is_let_loose(
    tmp_path: Path, server_canary: ServerCanary, ffmpeg: FFmpeg
) -> None:
    path = make("m3u8", tmp_path / "x.m3u8", target=server_canary.url)
    _let_loose(ffmpeg, ["-protocol_whitelist", "file,http,tcp", "-i", str(path)])
    assert server_canary.requests != []


def _let_loose(ffmpeg: FFmpeg, arguments: list[str]) -> None:
    subprocess.run(
        [ffmpeg.path, "-nostdin", "-v", "quiet", *arguments, "-f", "null", "-"],
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("empty", "not_media"),
        ("text", "not_media"),
        ("archive", "not_media"),
        ("picture", "not_media"),
        ("noise", "unreadable_media"),
        ("without_moov", "truncated"),
        ("subtitles_only", "no_streams"),
        ("encrypted", "encrypted"),
        ("many_streams", "too_many_streams"),
        ("giant_picture", "too_large_picture"),
        ("short", "too_short"),
    ],
)
def test_what_cannot_become_a_lecture_is_refused_with_its_name_and_a_code(
    kind: str, code: str, footage: Footage
) -> None:
    path = footage(kind)
    with pytest.raises(RejectedMedia) as refused:
        probe.inspect(sources.of_file(path), filename="Lecture 1.mp4")
    assert refused.value.code == code
    assert "“Lecture 1.mp4”" in refused.value.message
    assert refused.value.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\xef\xbb\xbf\n#EXTM3U\n", "playlist_not_allowed"),
        (b"  \r\n#extm3u\n", "playlist_not_allowed"),
        (b"# a comment\nfile '/etc/passwd'\n", "playlist_not_allowed"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<MPD>', "playlist_not_allowed"),
        (b"<SmoothStreamingMedia>", "playlist_not_allowed"),
        (b"http://example.org/video.mp4\n", "playlist_not_allowed"),
        (b"%PDF-1.7\n", "not_media"),
        (b"\0\0\0\x18ftypheic", "not_media"),
        (b"<!DOCTYPE html><html>", "not_media"),
        ("第一讲：云计算".encode()[:-1], "not_media"),
    ],
)
def test_the_first_bytes_give_impostors_away(head: bytes, code: str) -> None:
    with pytest.raises(RejectedMedia) as refused:
        refuse_impostors(head, "x")
    assert refused.value.code == code


@pytest.mark.parametrize(
    "kind",
    [
        *("lecture", "mov", "mkv", "webm", "mpegts", "mp3", "fragmented"),
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in ("avi", "mpegps", "flv", "wmv", "wav", "flac", "ogg", "adts")
        ),
    ],
)
def test_recordings_are_not_taken_for_impostors(kind: str, footage: Footage) -> None:
    refuse_impostors(footage(kind).read_bytes()[:HEAD], "x")
