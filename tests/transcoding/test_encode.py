from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from academy.jobs import FailureKind
from academy.media import INIT, Chunk
from academy.object_stores import ObjectInfo
from tests.fixtures_footage import Footage
from tests.fixtures_transcoding import Bench, Benches, pictures
from transcoding import workspaces
from transcoding.boxes import boxes
from transcoding.directory import SOURCE_KEY, DirectoryStore
from transcoding.encode import encode_chunk
from transcoding.fragments import FragmentReader
from transcoding.tasks import Outcome, TaskKind


def whole(bench: Bench) -> list[Chunk]:
    """Encodes all the video, a task per chunk of the plan."""
    for chunk in bench.plan.chunks:
        result = bench.run(TaskKind.VIDEO, chunk.first_segment, chunk.segments)
        assert (result.outcome, result.segments) == (Outcome.DONE, chunk.segments), result
    return bench.plan.chunks


def assert_on_the_grid(bench: Bench) -> None:
    """Receipts, bytes and decoded frames of every rung agree with the plan's grid."""
    grid = bench.grid
    for rung in bench.plan.video:
        receipts = bench.track(rung.id)
        assert [r.number for r in receipts] == list(range(grid.segment_count))
        assert [r.units for r in receipts] == [
            grid.frames_in(number) for number in range(grid.segment_count)
        ]
        assert all(
            before.start + before.duration == after.start for before, after in pairwise(receipts)
        )
        assert [r.bytes for r in receipts] == [
            (bench.root / r.name).stat().st_size for r in receipts
        ]
        reader = FragmentReader()
        fragments = list(reader.feed(bench.joined(rung.id)))
        assert [f.decode_time for f in fragments] == [r.start for r in receipts]
        assert all(f.earliest == 0 and f.starts_with_keyframe for f in fragments)
        frames = pictures(bench.joined(rung.id))
        assert len(frames) == grid.frames
        assert {(frame.width, frame.height) for frame in frames} == {(rung.width, rung.height)}
        tick = 1 / grid.frame_rate.fraction
        assert all(abs(frame.time - n * tick) < 1e-4 for n, frame in enumerate(frames))


def test_chunks_make_aligned_segments_of_every_rung(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5))
    assert [chunk.segments for chunk in whole(made)] == [1, 1, 2, 1]
    assert [rung.id for rung in made.plan.video] == ["v180", "v90"]
    assert_on_the_grid(made)


# The others' frames are counted in tests/transcoding/test_every_recording.py too.
SLOW_KINDS = [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("rotated", "anamorphic", "interlaced", "webm")
]


@pytest.mark.parametrize("kind", ["ntsc", "late_video", *SLOW_KINDS])
def test_frames_are_exact_for(kind: str, bench: Benches, footage: Footage) -> None:
    made = bench(footage(kind))
    whole(made)
    assert_on_the_grid(made)


def test_a_rotated_recording_stands_upright(bench: Benches, footage: Footage) -> None:
    made = bench(footage("rotated"))
    assert [(rung.width, rung.height) for rung in made.plan.video] == [(180, 320), (90, 160)]


def test_variable_frame_rates_become_constant(bench: Benches, footage: Footage) -> None:
    made = bench(footage("variable", duration=4))
    whole(made)
    assert_on_the_grid(made)


def test_one_frame_every_ten_seconds_fills_chunks_that_begin_between_two(
    bench: Benches, footage: Footage
) -> None:
    made = bench(footage("slides"), segment_seconds=4)
    whole(made)
    assert_on_the_grid(made)
    shown = pictures(made.joined("v90"))
    change = [n for n, (a, b) in enumerate(pairwise(shown), 1) if differ(a.luma, b.luma)]
    assert change == [10 * 5, 20 * 5]


def differ(one: bytes, other: bytes) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 4 * len(one)


def test_a_chunk_shows_the_frames_a_single_run_would(bench: Benches, footage: Footage) -> None:
    # 29.97 frames per second: where multiples of seconds are no multiples of frames.
    path = footage("ntsc", duration=4)
    single, chunked = bench(path), bench(path)
    single.run(TaskKind.VIDEO, 0, single.grid.segment_count)
    whole(chunked)
    for one, other in zip(
        pictures(single.joined("v90")), pictures(chunked.joined("v90")), strict=True
    ):
        assert one.time == pytest.approx(other.time, abs=1e-6)
        assert not differ(one.luma, other.luma)


def test_init_segments_are_the_same_from_every_chunk(bench: Benches, footage: Footage) -> None:
    path = footage("lecture", duration=5)
    made = bench(path)
    whole(made)
    other = bench(path)
    other.run(TaskKind.VIDEO, 3, 2)
    inits = {r.track: (r.sha256, r.codecs) for r in made.journal.receipts() if r.number == INIT}
    assert inits == {
        r.track: (r.sha256, r.codecs) for r in other.journal.receipts() if r.number == INIT
    }
    # The fastest preset leaves out what Main and High add.
    assert {codecs for _, codecs in inits.values()} == {"avc1.42c01e"}
    init = (made.root / "v180/init-1.mp4").read_bytes()
    assert [each.kind for each in boxes(init)] == [b"ftyp", b"moov"]


def test_another_init_segment_than_the_recorded_one_is_refused(
    bench: Benches, footage: Footage
) -> None:
    path = footage("lecture", duration=5)
    made = bench(path)
    made.run(TaskKind.VIDEO, 0, 1)
    changed = [rung.model_copy(update={"level": "4.0"}) for rung in made.plan.video]
    made.plan = made.plan.model_copy(update={"video": changed})
    result = made.run(TaskKind.VIDEO, 1, 1)
    assert (result.outcome, result.code) == (Outcome.FAILED, "wrong_init")
    assert [r.number for r in made.track("v180")] == [0]


def test_what_has_receipts_is_not_encoded_again(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5))
    made.run(TaskKind.VIDEO, 2, 1)
    before = {r.name for r in made.journal.receipts()}
    assert made.run(TaskKind.VIDEO, 0, 5).segments == 4
    after = {r.name for r in made.journal.receipts()}
    assert before < after
    assert_on_the_grid(made)
    again = made.run(TaskKind.VIDEO, 0, 5)
    assert (again.outcome, again.segments, again.cpu_seconds) == (Outcome.DONE, 0, 0.0)


def test_only_whole_chunks_get_the_plain_name(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5))
    made.run(TaskKind.VIDEO, 0, 2)
    assert [r.name for r in made.track("v90")] == ["v90/0-1.m4s", "v90/1-1.m4s"]
    made.run(TaskKind.VIDEO, 1, 3)
    third = made.track("v90")[2].name
    assert third.startswith("v90/2-1.")
    assert third != "v90/2-1.m4s"


def test_the_same_chunk_encodes_to_the_same_bytes(bench: Benches, footage: Footage) -> None:
    path = footage("lecture", duration=5)
    one, other = bench(path), bench(path)
    for each in (one, other):
        each.run(TaskKind.VIDEO, 1, 2)
    assert one.joined("v180") == other.joined("v180")


def test_a_lost_lease_stops_the_work_and_records_nothing(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5))
    made.ledger.let_go()
    result = made.run(TaskKind.VIDEO, 0, 5)
    assert result.outcome is Outcome.STOPPED
    assert list(made.root.glob(".academy/receipts")) == []


def test_letting_go_midway_ends_ffmpeg_and_keeps_what_was_recorded(
    bench: Benches, footage: Footage
) -> None:
    made = bench(footage("lecture", duration=60))
    timer = threading.Thread(target=let_go_after_a_segment, args=(made,))
    timer.start()
    result = made.run(TaskKind.VIDEO, 0, 60)
    timer.join()
    assert result.outcome is Outcome.STOPPED
    assert 0 < len(made.track("v90")) < 60


def let_go_after_a_segment(made: Bench) -> None:
    while not made.track("v90"):
        threading.Event().wait(0.02)
    made.ledger.let_go()


def test_another_encoder_build_is_refused(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5))
    made.plan = made.plan.model_copy(update={"encoder": "another"})
    result = made.run(TaskKind.VIDEO, 0, 1)
    assert (result.outcome, result.code) == (Outcome.FAILED, "wrong_encoder")
    # Another worker may have the right one.
    assert result.failure is FailureKind.TRANSIENT


def test_a_source_that_is_gone_is_a_plain_result(
    bench: Benches, footage: Footage, tmp_path: Path
) -> None:
    copy = shutil.copy(footage("lecture", duration=5), tmp_path / "gone.mp4")
    made = bench(Path(copy))
    Path(copy).unlink()
    result = made.run(TaskKind.VIDEO, 0, 1)
    assert (result.outcome, result.code) == (Outcome.FAILED, "object_not_found")


class Remote(DirectoryStore):
    """As a bucket: no file of it can be opened."""

    path = None  # type: ignore[assignment]

    def stat(self, key: str) -> ObjectInfo:
        assert key == SOURCE_KEY
        size = self._source.stat().st_size
        return ObjectInfo(key, size, "video/mp4", None, "e", datetime.now(UTC))

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        assert key == SOURCE_KEY
        yield self._source.read_bytes()[start:end]


def test_a_source_in_a_bucket_is_read_in_ranges(
    bench: Benches, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = footage("moov_at_end", duration=5)
    local, remote = bench(path), bench(path)
    whole(local)
    local.run(TaskKind.AUDIO, 0, 5)
    monkeypatch.setattr(workspaces, "DirectoryStore", Remote)
    whole(remote)
    remote.run(TaskKind.AUDIO, 0, 5)
    assert remote.joined("v90") == local.joined("v90")
    assert remote.joined("a96") == local.joined("a96")


def test_a_result_is_small(bench: Benches, footage: Footage) -> None:
    made = bench(footage("damaged"))
    data = encode_chunk(made.task(TaskKind.VIDEO, 0, 6).model_dump(mode="json"))
    assert data["complaints"] > 0
    assert len(repr(data)) < 10_000


def test_a_source_that_ends_a_little_early_holds_its_last_picture(
    bench: Benches, footage: Footage
) -> None:
    made = bench(footage("lecture", duration=5), frames=165)
    whole(made)
    assert_on_the_grid(made)


def test_a_source_that_ends_much_too_early_is_noticed(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5), frames=300)
    result = made.run(TaskKind.VIDEO, 0, 10)
    assert (result.outcome, result.segments) == (Outcome.SHORT, 6)
    assert result.ends_at == pytest.approx(5.0, abs=0.05)
    behind = made.run(TaskKind.VIDEO, 8, 2)
    assert (behind.outcome, behind.segments, behind.ends_at) == (Outcome.SHORT, 0, 8.0)


def test_behind_the_end_the_last_picture_is_held(bench: Benches, footage: Footage) -> None:
    made = bench(footage("lecture", duration=5), frames=300)
    made.run(TaskKind.VIDEO, 0, 10)
    for first, segments in ((5, 1), (6, 2), (8, 2)):
        result = made.run(TaskKind.VIDEO, first, segments, hold_from=5.0)
        assert result.outcome is Outcome.DONE
    assert_on_the_grid(made)
    shown = pictures(made.joined("v90"))
    assert not differ(shown[160].luma, shown[299].luma)


def test_a_picture_that_changes_its_size_midway_keeps_the_grid(
    bench: Benches, footage: Footage, tmp_path: Path
) -> None:
    path = tmp_path / "resized.ts"
    first = footage("mpegts", duration=2, audio=None, extra=["-muxdelay", "0", "-muxpreload", "0"])
    later = ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", "2"]
    second = footage("mpegts", duration=2, size="160x120", audio=None, extra=later)
    path.write_bytes(first.read_bytes() + second.read_bytes())
    made = bench(path, frames=120)
    whole(made)
    assert_on_the_grid(made)
