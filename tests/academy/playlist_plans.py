"""Plans of many shapes, and receipts as if all had been encoded."""

from hypothesis import strategies as st

from academy.media import (
    INIT,
    UNIT_SAMPLES,
    AudioRendition,
    Chunk,
    Grid,
    MediaPlan,
    Receipt,
    VideoRendition,
)
from academy.playlists import (
    media_playlist,
)
from academy.recordings import Ratio

RATES = [
    Ratio(num=n, den=d)
    for n, d in [(30, 1), (25, 1), (30000, 1001), (24000, 1001), (60, 1), (5, 1), (15, 1)]
]


def a_rung(height: int) -> VideoRendition:
    return VideoRendition(
        id=f"v{height}",
        width=height * 16 // 9,
        height=height,
        preset="faster",
        crf=23,
        max_rate=height * 4000,
        buffer=height * 8000,
        profile="high",
        level={1080: "4.0", 720: "3.1"}.get(height, "3.0"),
    )


def a_plan(rate=RATES[0], frames=1000, heights=(1080, 720, 360), audio=True) -> MediaPlan:
    grid = Grid(frame_rate=rate, segment_frames=max(1, round(4 * rate.fraction)), frames=frames)
    return MediaPlan(
        grid=grid,
        video=[a_rung(height) for height in heights],
        audio=AudioRendition(id="a96", channels=2, bit_rate=96_000) if audio else None,
        chunks=[Chunk(index=0, first_segment=0, segments=grid.segment_count)],
        encoder="test",
    )


def receipts_of(
    plan: MediaPlan,
    *,
    segments: int | None = None,
    size=lambda track, n: 100_000,
    attempt=lambda n: 1,
):
    grid = plan.grid
    made = []
    for track in plan.tracks:
        audio = plan.audio is not None and track == plan.audio.id
        made.append(
            Receipt(
                track=track,
                number=INIT,
                name=f"{track}/init-1.mp4",
                bytes=800,
                codecs="mp4a.40.2" if audio else "avc1.640028",
            )
        )
        for n in range(grid.segment_count if segments is None else segments):
            unit = UNIT_SAMPLES if audio else grid.frame_ticks
            first, units = (
                (grid.first_unit(n), grid.units_in(n))
                if audio
                else (grid.first_frame(n), grid.frames_in(n))
            )
            made.append(
                Receipt(
                    track=track,
                    number=n,
                    name=f"{track}/{n}-{attempt(n)}.m4s",
                    bytes=size(track, n),
                    start=first * unit,
                    duration=units * unit,
                    units=units,
                )
            )
    return made


plans = st.builds(
    a_plan,
    rate=st.sampled_from(RATES),
    frames=st.integers(1, 5000),
    heights=st.sampled_from([(1080, 720, 360), (360,), ()]),
    audio=st.just(True),
)


def the_playlist(plan, track, receipts, *, final=True):
    return media_playlist(plan, track, receipts, uri=lambda name: f"../{name}", final=final)
