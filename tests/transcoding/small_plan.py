"""A plan of ten seconds in five chunks, one rung and sound."""

from __future__ import annotations

from academy.media import AudioRendition, Chunk, Grid, MediaPlan, VideoRendition
from academy.recordings import Inspection, Ratio

GRID = Grid(frame_rate=Ratio(num=30), segment_frames=30, frames=300)
RUNG = VideoRendition(
    id="v90",
    width=160,
    height=90,
    preset="ultrafast",
    crf=30,
    max_rate=1,
    buffer=1,
    profile="high",
    level="3.0",
)
SOUND = AudioRendition(id="a96", channels=2, bit_rate=96_000)
CHUNKS = [Chunk(index=n, first_segment=2 * n, segments=2) for n in range(5)]
PLAN = MediaPlan(grid=GRID, video=[RUNG], audio=SOUND, chunks=CHUNKS, encoder="x")
INSPECTION = Inspection(container="mp4", size=1, duration=10.0)
