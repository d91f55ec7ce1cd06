"""Poster and storyboard from real segments."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from academy.media import INIT, Grid, MediaPlan, VideoRendition
from academy.recordings import Ratio
from tests import footage as films
from tests.fixtures_footage import Footage
from transcoding import storyboard
from transcoding.mp4 import Fragment
from transcoding.process import Cancelled
from transcoding.reel import Reel
from transcoding.stills import Stills, make_stills, most_telling, poster_rung, score
from transcoding.storyboard import PER_SHEET, plan_storyboard, timestamp, webvtt
from transcoding.tail import boxes

Segments = dict[str, dict[int, bytes]]


def rung(width: int, height: int) -> VideoRendition:
    shape = {"preset": "ultrafast", "profile": "high", "level": "3.0"}
    numbers = {"crf": 23, "max_rate": 1, "buffer": 1}
    return VideoRendition(id=f"v{height}", width=width, height=height, **shape, **numbers)


def plan_of(frames: int, rungs: list[VideoRendition], segment_frames: int = 60) -> MediaPlan:
    grid = Grid(frame_rate=Ratio(num=30), segment_frames=segment_frames, frames=frames)
    return MediaPlan(grid=grid, video=rungs, audio=None, chunks=[], encoder="x")


@dataclass(frozen=True)
class Pieces:
    """Segments in memory, as `reel.Segments`."""

    made: Segments

    def whole(self, track: str, number: int) -> bytes:
        return self.made[track][number]

    def key(self, track: str, number: int) -> bytes:
        data = self.made[track][number]
        return data[: Fragment(data).key_bytes]


def stills_of(segments: Segments, *rungs: VideoRendition) -> Stills:
    plan = plan_of(240, list(rungs))
    reels = [Reel(plan.grid, each, Pieces(segments)) for each in rungs]
    return make_stills(reels[-1], reels[0])


def boxes_of(data: bytes) -> list[tuple[bytes, int, int]]:
    return boxes(lambda start, end: data[start:end], len(data))


@pytest.fixture(scope="session")
def segments(tmp_path_factory: pytest.TempPathFactory, footage: Footage) -> Segments:
    """Eight seconds, the first two black, in two sizes and segments of two seconds."""
    folder = tmp_path_factory.mktemp("segments")
    found: Segments = {}
    flags = "+cmaf+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"
    for each in (rung(320, 180), rung(160, 90)):
        path = folder / f"{each.id}.mp4"
        keys = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-movflags", flags]
        scale = ["-vf", f"scale={each.width}:{each.height}", *films.H264, *keys]
        films.ffmpeg("-i", footage("black_start"), *scale, path)
        data = path.read_bytes()
        parts = [(name, data[at:end]) for name, at, end in boxes_of(data)]
        pieces = {INIT: b"".join(part for name, part in parts if name in {b"ftyp", b"moov"})}
        media = [part for name, part in parts if name in {b"moof", b"mdat"}]
        for number in range(len(media) // 2):
            pieces[number] = media[2 * number] + media[2 * number + 1]
        found[each.id] = pieces
    assert len(found["v180"]) == 5
    return found


def test_the_poster_is_not_black_and_the_sheet_shows_every_segment(segments: Segments) -> None:
    stills = stills_of(segments, rung(320, 180), rung(160, 90))
    poster = Image.open(io.BytesIO(stills.poster))
    assert (poster.format, poster.size) == ("JPEG", (320, 180))
    assert score(poster) > 2
    (sheet,) = (Image.open(io.BytesIO(each)) for each in stills.sheets)
    assert (sheet.format, sheet.size) == ("JPEG", (640, 90))
    tiles = [sheet.crop((n * 160, 0, n * 160 + 160, 90)) for n in range(4)]
    assert score(tiles[0]) < 1
    assert all(score(tile) > 2 for tile in tiles[1:])


def test_colours_come_out_as_they_went_in(segments: Segments) -> None:
    stills = stills_of(segments, rung(320, 180))
    red, _, blue = Image.open(io.BytesIO(stills.poster)).convert("RGB").getpixel((20, 130))  # type: ignore[misc]
    assert red > 200
    assert blue < 60


def test_making_stills_can_be_cancelled(segments: Segments) -> None:
    reel = Reel(plan_of(240, []).grid, rung(160, 90), Pieces(segments), lambda: True)
    with pytest.raises(Cancelled):
        make_stills(reel, reel)


def slide(words: int, background: int = 255) -> Image.Image:
    picture = Image.new("RGB", (160, 90), (background,) * 3)
    pen = ImageDraw.Draw(picture)
    for line in range(words):
        pen.text((5, 8 * line), f"Cloud computing {line}", fill=(0, 40 * line % 255, 90))
    return picture


def test_a_poster_is_a_slide_with_words_and_neither_black_nor_blank() -> None:
    black, blank = slide(0, 0), slide(0)
    assert most_telling([black, blank, slide(6), blank, black, black, blank, black, blank]) == 2
    assert most_telling([black] * 9 + [slide(5)]) == 9
    assert most_telling([black]) == 0
    # Among equally good ones, the first.
    assert most_telling([slide(6)] * 12) == 0


def test_the_poster_comes_from_the_smallest_rendition_that_fills_it() -> None:
    rungs = [rung(1920, 1080), rung(1280, 720), rung(640, 360)]
    assert poster_rung(rungs).height == 720
    assert poster_rung(rungs[2:]).height == 360
    assert poster_rung([rung(1080, 1920), rung(360, 640)]).width == 1080


@given(
    frames=st.integers(1, 60 * 60 * 30 * 12),
    rate=st.sampled_from([(25, 1), (30, 1), (30000, 1001)]),
    size=st.tuples(st.integers(2, 4096), st.integers(2, 4096)),
)
def test_any_lecture_has_few_sheets_that_cover_it_without_gaps(
    frames: int, rate: tuple[int, int], size: tuple[int, int]
) -> None:
    grid = Grid(frame_rate=Ratio(num=rate[0], den=rate[1]), segment_frames=120, frames=frames)
    board = plan_storyboard(grid, *size)
    assert 1 <= board.sheet_count <= 3
    assert board.starts[0] == 0
    assert board.starts[-1] == pytest.approx(float(grid.duration))
    assert all(end > begin for begin, end in pairwise(board.starts))
    assert board.width <= 160
    assert board.height <= 120
    names = [f"{n}.jpg" for n in range(board.sheet_count)]
    cues = re.findall(
        r"(\S+) --> (\S+)\n(\d)\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n", webvtt(board, names)
    )
    assert len(cues) == len(board.segments)
    places = set()
    for begin, end, sheet, x, y, width, height in cues:
        assert begin < end or len(begin) < len(end) or grid.duration < Fraction(1, 500)
        across, down = board.sheet_size
        assert int(x) + int(width) <= across
        assert int(y) + int(height) <= down
        places.add((sheet, x, y))
    assert len(places) == len(cues)
    assert all(before[1] == after[0] for before, after in pairwise(cues))


def test_the_storyboard_is_what_players_expect() -> None:
    board = plan_storyboard(plan_of(210, [rung(1280, 720)]).grid, 1280, 720)
    assert webvtt(board, ["storyboard-0.jpg"]) == (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:00:02.000\nstoryboard-0.jpg#xywh=0,0,160,90\n"
        "\n00:00:02.000 --> 00:00:04.000\nstoryboard-0.jpg#xywh=160,0,160,90\n"
        "\n00:00:04.000 --> 00:00:06.000\nstoryboard-0.jpg#xywh=320,0,160,90\n"
        "\n00:00:06.000 --> 00:00:07.000\nstoryboard-0.jpg#xywh=480,0,160,90\n"
    )


def test_tiles_run_along_rows_and_then_onto_the_next_sheet() -> None:
    board = plan_storyboard(plan_of(60 * 150, [rung(160, 90)]).grid, 160, 90)
    assert board.place(9) == (0, 1440, 0)
    assert board.place(10) == (0, 0, 90)
    assert board.place(PER_SHEET) == (1, 0, 0)
    assert board.sheet_size == (1600, 900)


def test_a_single_sheet_is_no_larger_than_its_tiles() -> None:
    board = plan_storyboard(plan_of(60 * 24, [rung(160, 90)]).grid, 160, 90)
    assert (board.columns, board.rows, board.sheet_size) == (10, 3, (1600, 270))


def test_hours_are_written_out() -> None:
    assert timestamp(3723.0456) == "01:02:03.046"
    assert timestamp(59.9999) == "00:01:00.000"
    assert storyboard.timestamp(100 * 3600) == "100:00:00.000"
