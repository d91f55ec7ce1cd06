"""AV1 beside H.264: the command, the stream's name, and one recording through both."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser

from academy.media import INIT
from academy.playlists import final_manifests
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import Bench, Benches, pictures
from transcoding.binary import FFmpeg
from transcoding.boxes import BadBox, box
from transcoding.commands import Span, video_command
from transcoding.mp4 import video_codec
from transcoding.profiles import parse
from transcoding.sources import of_file
from transcoding.tasks import Outcome, TaskKind

BOTH = parse(
    """
both:
  segment_seconds: 1
  video:
    - {size: 180, crf: 30, max_rate: 400000, buffer: 800000, preset: ultrafast}
    - {size: 180, codec: av1, crf: 45, max_rate: 300000, buffer: 600000, preset: 10, parameters: scm=0}
""",
    "both",
    origin="both.yaml",
)


@pytest.fixture
def encoded(bench: Benches, footage: Footage, ffmpeg: FFmpeg) -> Bench:
    """Three segments, the second and third in a chunk of their own."""
    if not ffmpeg.has("encoders", "libsvtav1"):
        pytest.skip("this ffmpeg has no SVT-AV1")
    made = bench(footage("lecture", duration=3), profile=BOTH)
    results = [made.run(TaskKind.VIDEO, 0, 1), made.run(TaskKind.VIDEO, 1, 2)]
    results += [made.run(TaskKind.AUDIO, 0, 3)]
    assert {result.outcome for result in results} == {Outcome.DONE}
    # SVT-AV1 talks on stderr, where lines count as damage of the source.
    assert [result.complaints for result in results] == [0, 0, 0]
    return made


def test_both_codecs_have_the_same_pictures_in_the_same_segments(encoded: Bench) -> None:
    plain, new = encoded.track("v180"), encoded.track("v180av1")
    assert [(r.number, r.start, r.duration, r.units) for r in new] == [
        (r.number, r.start, r.duration, r.units) for r in plain
    ]
    shown = [pictures(encoded.joined(track)) for track in ("v180", "v180av1")]
    assert [len(each) for each in shown] == [90, 90]
    for ours, theirs in zip(*shown, strict=True):
        assert ours.brightness == pytest.approx(theirs.brightness, abs=3)


def test_the_codec_string_is_what_the_init_segment_says(encoded: Bench) -> None:
    init = next(r for r in encoded.journal.receipts() if r.track == "v180av1" and r.number == INIT)
    assert init.codecs is not None
    assert re.fullmatch(r"av01\.0\.0[0-9]M\.08", init.codecs)
    assert video_codec((encoded.root / init.name).read_bytes()) == init.codecs


def test_both_stand_in_one_playlist_and_in_two_adaptation_sets(encoded: Bench) -> None:
    receipts = encoded.journal.receipts()
    manifests = final_manifests(encoded.plan, receipts)
    playlist = m3u8.loads(manifests.files[manifests.hls])
    pictured = [p.stream_info.codecs for p in playlist.playlists if p.stream_info.resolution]
    # What stands first plays everywhere.
    assert [codecs.split(".")[0] for codecs in pictured] == ["avc1", "av01"]
    period = MPEGDASHParser.parse(manifests.files[manifests.dash]).periods[0]
    sets = [each for each in period.adaptation_sets if each.content_type == "video"]
    names = [[r.codecs.split(".")[0] for r in each.representations] for each in sets]
    assert names == [["avc1"], ["av01"]]
    assert len({each.id for each in period.adaptation_sets}) == len(period.adaptation_sets)


def test_the_arguments_of_an_av1_rung(bench: Benches, footage: Footage) -> None:
    planned = bench(footage("lecture", duration=3), profile=BOTH)
    video = planned.inspection.video
    assert video is not None
    rung = planned.plan.video[1]
    span = Span(planned.grid, 0, 1)
    argv = video_command(
        "/ffmpeg", of_file(Path(__file__)), video, span, {rung.id: Path("/v.mp4")}, [rung]
    )
    output: dict[str, Any] = dict(pairwise(argv))
    assert output["-c:v"] == "libsvtav1"
    assert (output["-preset"], output["-crf"], output["-g"]) == ("10", "45", "30")
    assert output["-svtav1-params"] == "lp=1:scd=0:scm=0"
    assert (output["-maxrate"], output["-bufsize"]) == ("300000", "600000")
    # x264's own: SVT-AV1 would refuse or misread them.
    assert not {"-level", "-profile:v", "-keyint_min", "-sc_threshold"} & set(argv)


def entry(kind: str, *inner: bytes) -> bytes:
    """An init segment that is nothing but its sample description (14496-12 section 12.1.3)."""
    stsd = box("stsd", bytes(8), box(kind, bytes(78), *inner))
    return box("moov", box("trak", box("mdia", box("minf", box("stbl", stsd)))))


@pytest.mark.parametrize(
    ("bits", "name"),
    [
        (bytes([0x81, 0x08, 0x0C, 0]), "av01.0.08M.08"),
        (bytes([0x81, 0x0D, 0xCC, 0]), "av01.0.13H.10"),
        (bytes([0x81, 0x4C, 0x60, 0]), "av01.2.12M.12"),
    ],
)
def test_profile_level_tier_and_depth_are_read_from_av1c(bits: bytes, name: str) -> None:
    assert video_codec(entry("av01", box("colr", b"nclx"), box("av1C", bits))) == name


def test_other_codecs_have_no_name() -> None:
    with pytest.raises(BadBox, match="Neither"):
        video_codec(entry("hvc1"))
    with pytest.raises(BadBox, match="neither avcC nor av1C"):
        video_codec(entry("av01"))
