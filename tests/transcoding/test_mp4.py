from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from academy.media import UNIT_SAMPLES
from tests.fixtures_transcoding import samples
from tests.footage import ffmpeg
from transcoding.adts import AdtsReader, BadStream
from transcoding.boxes import BadBox, box, boxes, find, full_box, size_of
from transcoding.fragments import FragmentReader
from transcoding.mp4 import Fragment, timescale, video_codec
from transcoding.mp4_audio import audio_specific_config, init_segment, segment

FRAGMENTED = "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Ten frames a fragment, three and a half of them, with B-frames."""
    path = tmp_path_factory.mktemp("mp4") / "video.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=128x72:r=30000/1001"]
    codec = ["-c:v", "libx264", "-preset", "faster", "-g", "10", "-keyint_min", "10"]
    shape = ["-sc_threshold", "0", "-profile:v", "high", "-level", "3.0", "-pix_fmt", "yuv420p"]
    out = ["-frames:v", "35", "-movflags", FRAGMENTED, "-video_track_timescale", "30000"]
    ffmpeg(*source, *codec, *shape, *out, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def read(fragmented: bytes) -> tuple[bytes, list[Fragment]]:
    reader = FragmentReader()
    fragments = list(reader.feed(fragmented))
    assert reader.init is not None
    return reader.init, fragments


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Access units of two seconds of 440 Hz in stereo; the first is the encoder's priming."""
    path = tmp_path_factory.mktemp("adts") / "sound.aac"
    tone = "aevalsrc=0.3*sin(2*PI*440*t)|0.3*sin(2*PI*440*t):s=48000:d=2"
    ffmpeg("-f", "lavfi", "-i", tone, "-c:a", "aac", "-b:a", "96k", "-f", "adts", path)
    return list(AdtsReader().feed(path.read_bytes()))


def test_boxes_are_walked_by_their_sizes() -> None:
    data = box("moov", full_box("mvhd", 1, 7, b"xy")) + box("free")
    assert [(each.kind, each.start, each.end) for each in boxes(data)] == [
        (b"moov", 0, 22),
        (b"free", 22, 30),
    ]
    assert data[find(data, "moov/mvhd").payload :][:6] == b"\x01\x00\x00\x07xy"


def test_a_box_of_64_bit_size_is_understood() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 18) + b"ab"
    (only,) = boxes(data)
    assert data[only.payload : only.end] == b"ab"
    assert size_of(data[:12]) is None


def test_broken_boxes_are_refused() -> None:
    with pytest.raises(BadBox):
        list(boxes(struct.pack(">I4s", 7, b"moov")))
    with pytest.raises(BadBox):
        list(boxes(struct.pack(">I4s", 100, b"moov")))
    with pytest.raises(BadBox, match="no moov/trak"):
        find(box("moov"), "moov/trak")


def test_fragments_tell_their_frames_duration_and_keyframe(
    read: tuple[bytes, list[Fragment]],
) -> None:
    _, fragments = read
    assert [fragment.samples for fragment in fragments] == [10, 10, 10, 5]
    assert [fragment.duration for fragment in fragments] == [10010, 10010, 10010, 5005]
    assert [fragment.decode_time for fragment in fragments] == [0, 10010, 20020, 30030]
    assert all(fragment.earliest == 0 for fragment in fragments)
    assert all(fragment.starts_with_keyframe for fragment in fragments)


def test_the_init_segment_tells_timescale_and_codec(read: tuple[bytes, list[Fragment]]) -> None:
    init, _ = read
    assert timescale(init) == 30000
    assert video_codec(init) == "avc1.64001e"
    assert [each.kind for each in boxes(init)] == [b"ftyp", b"moov"]


def test_placing_a_fragment_changes_its_number_and_time_and_nothing_else(
    read: tuple[bytes, list[Fragment]],
) -> None:
    fragment = read[1][1]
    far = 5 << 32
    placed = fragment.placed(number=78, decode_time=far)
    assert Fragment(placed).decode_time == far
    assert placed[find(placed, "moof/mfhd").payload + 4 :][:4] == struct.pack(">I", 78)
    changed = [at for at, (a, b) in enumerate(zip(fragment.data, placed, strict=True)) if a != b]
    tfdt, mfhd = find(placed, "moof/traf/tfdt"), find(placed, "moof/mfhd")
    assert all(mfhd.payload <= at < mfhd.end or tfdt.payload <= at < tfdt.end for at in changed)


def test_placed_fragments_play_at_their_new_time(
    read: tuple[bytes, list[Fragment]], tmp_path: Path
) -> None:
    init, fragments = read
    path = tmp_path / "placed.mp4"
    moved = [
        f.placed(number=n + 1, decode_time=300_300 + 10_010 * n) for n, f in enumerate(fragments)
    ]
    path.write_bytes(init + b"".join(moved))
    with av.open(str(path), mode="r") as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 35
    times = [round((frame.time or 0) * 30000) for frame in frames]
    steps = {after - before for before, after in pairwise(times)}
    assert steps == {1001}


def test_a_32_bit_time_that_does_not_fit_is_refused() -> None:
    moof = box(
        "moof",
        full_box("mfhd", 0, 0, bytes(4)),
        box("traf", full_box("tfhd", 0, 0, bytes(4)), full_box("tfdt", 0, 0, bytes(4))),
    )
    assert Fragment(Fragment(moof).placed(number=1, decode_time=9)).decode_time == 9
    with pytest.raises(BadBox):
        Fragment(moof).placed(number=1, decode_time=1 << 32)


def test_sample_counts_that_pass_the_run_are_refused() -> None:
    trun = full_box("trun", 0, 0x200, struct.pack(">I", 9), bytes(4))
    traf = box("traf", full_box("tfhd", 0, 0x8, struct.pack(">II", 1, 100)), trun)
    with pytest.raises(BadBox, match="shorter"):
        _ = Fragment(box("moof", traf)).samples


def test_adts_is_taken_apart_in_pieces_of_any_size(units: list[bytes]) -> None:
    # Two seconds are 93.75 units; one more for priming.
    assert len(units) == 95
    header = bytes([0xFF, 0xF1, 0x4C, 0x80])
    stream = b"".join(
        header + struct.pack(">I", (len(u) + 7) << 13 | 0x1FFC)[1:] + u for u in units[:5]
    )
    reader = AdtsReader()
    found = [unit for at in range(len(stream)) for unit in reader.feed(stream[at : at + 1])]
    assert found == units[:5]
    assert reader.rest == 0


def test_what_is_not_adts_is_refused() -> None:
    with pytest.raises(BadStream):
        list(AdtsReader().feed(b"RIFF1234"))
    with pytest.raises(BadStream):
        list(AdtsReader().feed(bytes([0xFF, 0xF1, 0x4C, 0x80, 0, 0x1F, 0xFC])))


@pytest.mark.parametrize(("channels", "config"), [(1, b"\x11\x88"), (2, b"\x11\x90")])
def test_the_audio_specific_config_is_aac_lc_at_48_khz(channels: int, config: bytes) -> None:
    assert audio_specific_config(channels) == config


def test_the_audio_init_segment_reads_as_such(units: list[bytes], tmp_path: Path) -> None:
    init = init_segment(channels=2, bit_rate=96_000)
    assert [each.kind for each in boxes(init)] == [b"ftyp", b"moov"]
    assert timescale(init) == 48_000
    path = tmp_path / "sound.mp4"
    path.write_bytes(init + segment(units, number=1, decode_time=0))
    with av.open(str(path), mode="r") as container:
        stream = container.streams.audio[0]
        context = stream.codec_context
        assert (context.name, context.sample_rate, context.channels) == ("aac", 48_000, 2)
        assert context.extradata == audio_specific_config(2)
        assert stream.time_base == Fraction(1, 48_000)


def test_the_edit_list_removes_exactly_the_priming(units: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    path.write_bytes(
        init_segment(channels=2, bit_rate=96_000) + segment(units, number=1, decode_time=0)
    )
    left, right = samples(path)
    assert len(left) == len(right) == (len(units) - 1) * UNIT_SAMPLES
    # The tone begins with the first sample: a sine's first zero crossing upwards is at 0.
    period = 48_000 / 440
    crossings = [n for n in range(2000, 40_000) if left[n] < 0 <= left[n + 1]]
    assert abs(crossings[0] % period) < 2 or abs(crossings[0] % period - period) < 2


def test_segments_of_sound_follow_one_another_without_gap(
    units: list[bytes], tmp_path: Path
) -> None:
    whole = tmp_path / "whole.mp4"
    init = init_segment(channels=2, bit_rate=96_000)
    whole.write_bytes(init + segment(units, number=1, decode_time=0))
    parts = tmp_path / "parts.mp4"
    cut = [units[:47], units[47:94], units[94:]]
    starts = [0, 47, 94]
    parts.write_bytes(
        init
        + b"".join(
            segment(each, number=n + 1, decode_time=start * UNIT_SAMPLES)
            for n, (each, start) in enumerate(zip(cut, starts, strict=True))
        )
    )
    assert samples(whole) == samples(parts)
