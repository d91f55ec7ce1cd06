"""Subtitles inside a recording, on their way into the manifests."""

from __future__ import annotations

import re
from pathlib import Path

import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser

from academy.recordings import SubtitleStream
from tests.beacons import Beacon
from tests.footage import AAC, H264
from tests.footage import ffmpeg as run
from tests.odd_recordings import ODD
from transcoding import tongues
from transcoding.binary import FFmpeg
from transcoding.local import transcode_file
from transcoding.probe import inspect
from transcoding.sources import of_file
from transcoding.subtitles import extract

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def subtitled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("subtitled") / "lecture.mkv"
    ODD["subtitles"].make(path, Beacon())
    return path


def assert_shown(webvtt: str, start: float, end: float, words: str) -> None:
    """Within a unit of sound: ffmpeg 5.1 counts Matroska's times from the first priming sample."""
    cue = re.search(rf"00:00:(\S+) --> 00:00:(\S+)\n{words}\n", webvtt)
    assert cue is not None, webvtt
    assert [float(each) for each in cue.groups()] == pytest.approx([start, end], abs=0.022)


async def test_a_recordings_subtitles_become_caption_tracks_of_the_lecture(
    subtitled: Path, tmp_path: Path, tiny_file: str
) -> None:
    summary = await transcode_file(subtitled, tmp_path, profile=tiny_file, workers=1)
    chinese, english = summary["captions"]
    assert (chinese["language"], chinese["label"], chinese["kind"]) == ("zh", "中文", "subtitles")
    assert (english["language"], english["kind"]) == ("en", "captions")
    text = (tmp_path / chinese["name"]).read_text("utf-8")
    assert text.startswith("WEBVTT")
    assert_shown(text, 0.5, 1.5, "什么是云计算？")

    main = m3u8.load(str(tmp_path / summary["hls"]))
    offered = [each for each in main.media if each.type == "SUBTITLES"]
    assert [each.language for each in offered] == ["zh", "en"]
    assert all(p.stream_info.subtitles == "subtitles" for p in main.playlists)
    for each in offered:
        playlist = m3u8.load(str(tmp_path / "r1" / each.uri))
        assert playlist.is_endlist
        (segment,) = playlist.segments
        assert segment.duration == pytest.approx(summary["duration"])
        assert (tmp_path / "r1" / segment.uri).resolve().read_text("utf-8").startswith("WEBVTT")

    (period,) = MPEGDASHParser.parse(str(tmp_path / summary["dash"])).periods
    texts = [each for each in period.adaptation_sets if each.content_type == "text"]
    assert [(each.lang, each.roles[0].value) for each in texts] == [
        ("zh", "subtitle"),
        ("en", "caption"),
    ]
    for each in texts:
        (base,) = each.representations[0].base_urls
        assert (tmp_path / "r1" / base.base_url_value).resolve().is_file()


def test_subtitles_keep_their_times_when_the_recording_begins_late(
    tmp_path: Path, ffmpeg: FFmpeg
) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:01,400\nHello\n", encoding="utf-8")
    path = tmp_path / "late.mkv"
    beacon = Beacon()
    inputs = [*beacon.picture("format=yuv420p"), *beacon.sound(), "-i", str(words)]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-c:s", "ass", "-output_ts_offset", "7"]
    run(*inputs, *maps, *H264, *AAC, path)
    inspection = inspect(of_file(path), filename="late.mkv")
    assert len(inspection.subtitles) == 1
    (found,) = extract(ffmpeg.path, of_file(path), inspection.subtitles, language="fr")
    assert (found.language, found.label) == ("fr", "Français")
    assert_shown(found.webvtt.decode(), 1.0, 1.4, "Hello")


def test_what_subtitles_say_is_escaped_in_order_and_without_overlaps(
    tmp_path: Path, ffmpeg: FFmpeg
) -> None:
    words = tmp_path / "words.srt"
    words.write_text(
        "1\n00:00:00,500 --> 00:00:02,000\na < b & c <img src=x> <b>bold</b>\n\n"
        "2\n00:00:01,000 --> 00:00:03,000\nwith an --> arrow\n\n"
        "3\n00:00:01,000 --> 00:00:03,000\n<script>at once</script>\n",
        encoding="utf-8",
    )
    path = tmp_path / "hostile.mkv"
    beacon = Beacon()
    inputs = [*beacon.picture("format=yuv420p"), *beacon.sound(), "-i", str(words)]
    run(*inputs, "-map", "0", "-map", "1", "-map", "2", "-c:s", "copy", *H264, *AAC, path)
    inspection = inspect(of_file(path), filename="hostile.mkv")
    (found,) = extract(ffmpeg.path, of_file(path), inspection.subtitles, language="en")
    header, first, second = found.webvtt.decode().strip().split("\n\n")
    assert header == "WEBVTT"
    assert first.split("\n")[1:] == ["a &lt; b &amp; c  <b>bold</b>"]
    assert second.split("\n")[1:] == ["with an --&gt; arrow", "at once"]
    assert first.split("\n")[0].split(" --> ")[1] == second.split(" --> ")[0]


def test_forced_second_and_empty_tracks_are_left_out(subtitled: Path, ffmpeg: FFmpeg) -> None:
    seen = inspect(of_file(subtitled), filename="x.mkv").subtitles
    first = seen[0]
    streams = [first, first.model_copy(update={"title": "again"}), seen[1]]
    found = extract(ffmpeg.path, of_file(subtitled), streams)
    assert [(each.language, each.label) for each in found] == [("zh", "中文"), ("en", "English")]
    forced = SubtitleStream(index=first.index, codec="subrip", language="chi", forced=True)
    assert extract(ffmpeg.path, of_file(subtitled), [forced]) == []
    # A stream that is not there costs no more than itself.
    absent = SubtitleStream(index=99, codec="subrip", language="ger")
    assert len(extract(ffmpeg.path, of_file(subtitled), [absent, first])) == 1


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("chi", "zh"),
        ("eng", "en"),
        ("fre", "fr"),
        ("yue", "yue"),
        ("zh-Hant", "zh-Hant"),
        ("pt_BR", "pt-BR"),
        ("und", None),
        ("", None),
        ("<script>", None),
        (None, None),
    ],
)
def test_languages_of_containers_become_those_of_the_web(told: str | None, tag: str | None) -> None:
    assert tongues.tag(told) == tag
