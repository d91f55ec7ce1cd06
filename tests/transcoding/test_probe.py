"""What inspection finds in real recordings, and how the process that reads them is contained."""

from __future__ import annotations

import json
import socket
from fractions import Fraction
from pathlib import Path

import pytest

from academy.errors import RejectedMedia, Transient
from academy.recordings import Inspection
from tests.fixtures_footage import Footage
from transcoding import probe, sources
from transcoding.facts import Failure
from transcoding.process import Cancelled, Limits


def inspect(path: Path) -> Inspection:
    return probe.inspect(sources.of_file(path), filename=path.name)


def codes(inspection: Inspection) -> set[str]:
    return {finding.code for finding in inspection.findings}


@pytest.mark.parametrize(
    ("kind", "container", "video", "audio"),
    [
        ("lecture", "mp4", "h264", "aac"),
        ("moov_at_end", "mp4", "h264", "aac"),
        ("mov", "mp4", "h264", "aac"),
        ("fragmented", "mp4", "h264", "aac"),
        ("mkv", "matroska", "h264", "aac"),
        ("webm", "matroska", "vp9", "opus"),
        ("media_recorder", "matroska", "vp9", "opus"),
        pytest.param("avi", "avi", "mpeg4", "mp2", marks=pytest.mark.slow),
        ("mpegts", "mpegts", "h264", "aac"),
        pytest.param("mpegps", "mpeg", "mpeg2video", "mp2", marks=pytest.mark.slow),
        pytest.param("flv", "flv", "h264", "aac", marks=pytest.mark.slow),
        pytest.param("wmv", "asf", "wmv2", "wmav2", marks=pytest.mark.slow),
    ],
)
def test_every_ordinary_container_is_understood(
    kind: str, container: str, video: str, audio: str, footage: Footage
) -> None:
    path = footage(kind)
    seen = inspect(path)
    assert seen.container == container
    assert seen.size == path.stat().st_size
    assert seen.duration == pytest.approx(6, abs=0.05)
    assert seen.video is not None
    assert seen.audio is not None
    assert (seen.video.codec, seen.audio.codec) == (video, audio)
    assert (seen.video.width, seen.video.height) == (320, 180)
    assert seen.video.frame_rate.fraction == 30
    assert not seen.video.variable_frame_rate
    assert not seen.video.interlaced
    assert seen.video.bit_depth == 8
    assert seen.audio.channels == 2
    assert codes(seen) == {"low_resolution"}


@pytest.mark.parametrize(
    "kind",
    [
        *("audio_only", "mp3", "cover_art"),
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("wav", "flac", "ogg", "adts")),
    ],
)
def test_sound_alone_is_fine_and_cover_art_is_no_picture(kind: str, footage: Footage) -> None:
    seen = inspect(footage(kind))
    assert seen.video is None
    assert seen.video_streams == 0
    assert seen.audio is not None
    assert seen.duration == pytest.approx(6, abs=0.06)
    assert codes(seen) == {"no_video"}


def test_a_recording_without_sound_is_accepted_with_a_warning(footage: Footage) -> None:
    seen = inspect(footage("no_audio"))
    assert seen.audio is None
    assert "no_audio" in codes(seen)


def test_ntsc_is_exactly_30000_over_1001(footage: Footage) -> None:
    video = inspect(footage("ntsc")).video
    assert video is not None
    assert video.frame_rate.fraction == Fraction(30000, 1001)
    assert not video.variable_frame_rate


def test_ntsc_is_exact_in_matroska_too_whose_times_are_milliseconds(footage: Footage) -> None:
    video = inspect(footage("mkv", rate="30000/1001")).video
    assert video is not None
    assert video.frame_rate.fraction == Fraction(30000, 1001)


def test_a_varying_frame_rate_is_noticed_and_the_busy_rate_taken(footage: Footage) -> None:
    seen = inspect(footage("variable"))
    assert seen.video is not None
    assert seen.video.variable_frame_rate
    assert seen.video.frame_rate.fraction == 30
    assert "variable_frame_rate" in codes(seen)


def test_slides_with_a_frame_every_ten_seconds_get_five_per_second(footage: Footage) -> None:
    seen = inspect(footage("slides"))
    assert seen.video is not None
    assert seen.video.frame_rate.fraction == 5
    assert seen.duration == pytest.approx(30)


def test_a_still_picture_beside_sound_lasts_as_long_as_the_sound(footage: Footage) -> None:
    seen = inspect(footage("still"))
    assert seen.video is not None
    assert seen.video.frame_rate.fraction >= 5
    assert seen.duration == pytest.approx(6, abs=0.05)


def test_more_than_sixty_frames_per_second_are_told(footage: Footage) -> None:
    seen = inspect(footage("fast"))
    assert seen.video is not None
    assert seen.video.frame_rate.fraction == 120
    assert "high_frame_rate" in codes(seen)


def test_a_turned_telephone_gives_upright_sizes(footage: Footage) -> None:
    seen = inspect(footage("rotated"))
    video = seen.video
    assert video is not None
    assert (video.width, video.height, video.rotation) == (180, 320, 90)
    assert (video.coded_width, video.coded_height) == (320, 180)
    assert "rotated" in codes(seen)


def test_pixels_that_are_not_square_widen_the_picture(footage: Footage) -> None:
    video = inspect(footage("anamorphic")).video
    assert video is not None
    assert (video.coded_width, video.coded_height) == (180, 144)
    assert (video.width, video.height) == (256, 144)


def test_interlaced_high_dynamic_range_and_odd_sizes_are_found(footage: Footage) -> None:
    interlaced, hdr, odd = (inspect(footage(kind)) for kind in ("interlaced", "hdr", "odd_size"))
    assert interlaced.video is not None
    assert interlaced.video.interlaced
    assert interlaced.video.frame_rate.fraction == 25
    assert hdr.video is not None
    assert hdr.video.hdr
    assert hdr.video.bit_depth == 10
    assert hdr.video.colour_transfer == "smpte2084"
    assert hdr.video.colour_primaries == "bt2020"
    assert odd.video is not None
    assert (odd.video.width, odd.video.height) == (321, 179)
    assert {"interlaced", "hdr", "odd_size"} <= codes(interlaced) | codes(hdr) | codes(odd)


def test_the_default_sound_track_is_chosen(footage: Footage) -> None:
    seen = inspect(footage("two_languages"))
    assert seen.audio_streams == 2
    assert seen.audio is not None
    assert (seen.audio.language, seen.audio.channels) == ("chi", 2)
    assert "several_audio_tracks" in codes(seen)


def test_a_start_offset_is_not_counted_as_duration(footage: Footage) -> None:
    seen = inspect(footage("start_offset", offset=5.4))
    assert seen.start == pytest.approx(5.4, abs=0.01)
    assert seen.duration == pytest.approx(6, abs=0.03)
    assert "truncated" not in codes(seen)


def test_picture_and_sound_may_begin_and_end_apart(footage: Footage) -> None:
    late, long = inspect(footage("late_video")), inspect(footage("long_audio"))
    assert late.video is not None
    assert (late.video.start, late.video.end) == pytest.approx((1.5, 5.5), abs=0.05)
    assert long.video is not None
    assert long.audio is not None
    assert long.video.end == pytest.approx(4, abs=0.05)
    assert long.audio.end == pytest.approx(7, abs=0.05)
    assert long.duration == pytest.approx(7, abs=0.05)


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [("truncated_mp4", 3.2, 4), ("truncated_mkv", 3.2, 4), ("truncated_avi", 3, 4)],
)
def test_a_recording_that_broke_off_lasts_as_long_as_what_is_there(
    kind: str, least: float, most: float, footage: Footage
) -> None:
    seen = inspect(footage(kind))
    assert least < seen.duration < most
    assert "truncated" in codes(seen)


def test_a_tail_of_zeros_is_not_counted(footage: Footage) -> None:
    seen = inspect(footage("zero_tail"))
    assert seen.duration < 5
    assert "truncated" in codes(seen)


def test_a_remnant_below_a_second_is_refused(footage: Footage) -> None:
    with pytest.raises(RejectedMedia) as refused:
        inspect(footage("truncated_mp4", share=0.12))
    assert refused.value.code == "truncated"


def test_names_in_other_scripts_and_with_colons_are_only_names(
    footage: Footage, tmp_path: Path
) -> None:
    path = tmp_path / "concat:第一讲|x%d 'y'.mp4"
    path.write_bytes(footage("lecture").read_bytes())
    assert inspect(path).duration == pytest.approx(6)


@pytest.mark.parametrize(
    "fate",
    [
        "import os; os.abort()",
        "bytearray(4 << 30)",
        "while True: pass",
        "import sys; sys.stdout.write('{' * (8 << 20))",
    ],
)
def test_a_file_that_ruins_the_process_reading_it_is_refused(
    fate: str, footage: Footage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such file is at hand, so the process ruins itself."""
    child = tmp_path / "child.py"
    child.write_text(fate)
    monkeypatch.setattr(probe, "CHILD", child)
    limits = Limits(wall_seconds=60, cpu_seconds=1, memory_bytes=1 << 30)
    with pytest.raises(RejectedMedia) as refused:
        probe.inspect(sources.of_file(footage("lecture")), filename="x.mp4", limits=limits)
    assert refused.value.code == "unreadable_media"


def test_running_out_of_time_is_the_machines_fault_and_tried_again(footage: Footage) -> None:
    with pytest.raises(Transient):
        probe.inspect(
            sources.of_file(footage("lecture")), filename="x.mp4", limits=Limits(wall_seconds=0.01)
        )


def test_inspection_can_be_cancelled(footage: Footage) -> None:
    """The reading process waits for an answer that nobody gives."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        waiting = sources.Source(
            url=f"http://127.0.0.1:{silent.getsockname()[1]}/",
            size=10_000,
            protocols=("http", "tcp"),
            fetch=lambda *_: footage("lecture").read_bytes()[:4096],
        )
        with pytest.raises(Cancelled):
            probe.inspect(waiting, filename="x.mp4", cancelled=lambda: True)


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"not json",
        b"[1]",
        b"{}",
        json.dumps({"container": "mp4", "start": 1e300, "declared": 1}).encode(),
        json.dumps({"failure": "x" * 5000}).encode(),
    ],
)
def test_nonsense_from_the_reading_process_refuses_the_file(report: bytes) -> None:
    with pytest.raises(RejectedMedia):
        probe.checked(report, "x.mp4")


def test_trouble_with_the_storage_is_no_fault_of_the_file(footage: Footage) -> None:
    good = sources.of_file(footage("lecture"))
    source = sources.Source(good.url, good.size, good.protocols, good.fetch, lambda: "no answer")
    with pytest.raises(Transient):
        probe.inspect(source, filename="x.mp4")
    with pytest.raises(Transient):
        probe.checked(b'{"failure": "io", "reason": "reset"}', "x.mp4")
    assert isinstance(probe.checked(b'{"failure": "invalid"}', "x.mp4"), Failure)
