"""From what a recording holds and a profile to the renditions it becomes. Pure.

Never upscaled, sized by the short side, aspect kept, even dimensions. A source between two rungs keeps
its own size as the top rung: scaling 900 lines of text to 720 is what makes slides illegible.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from academy.media import AudioRendition, Grid, VideoRendition
from academy.recordings import AudioStream, Inspection, Ratio, VideoStream
from transcoding.complexity import Content
from transcoding.levels import av1_level, level
from transcoding.profiles import AudioSettings, Drawn, FrameRates, Profile, Rung

NOMINAL_RATE = Fraction(25)
"""The clock of the segment grid where there is no picture."""
LONGEST_SIDE = 4096
"""Hardware decoders stop here."""
CLOSE = Fraction(13, 10)
"""A rung less than this factor below the one above cannot be told apart and is dropped."""
HIGH_RATE = Fraction(30)
FAST = Fraction(3, 2)
"""Above 30 frames per second the caps grow by this factor."""
HEADROOM: Final = 2
"""Times the need: what a rung may take in its busiest seconds."""
EFFORT: Final = {
    "ultrafast": 0.6,
    "superfast": 0.8,
    "veryfast": 1.1,
    "faster": 1.7,
    "fast": 2.0,
    "medium": 2.2,
    "slow": 3.5,
    "slower": 6.0,
    "veryslow": 9.0,
    "10": 1.3,
    "9": 1.4,
    "8": 1.9,
    "7": 2.5,
    "6": 3.5,
}
"""Encoding a full-size picture, in times the CPU of sampling one."""


def grid_for(inspection: Inspection, profile: Profile, content: Content | None = None) -> Grid:
    """The segment grid: the frame rate that is really there, within the profile's limits, exact."""
    source = inspection.video.frame_rate.fraction if inspection.video else NOMINAL_RATE
    if content is not None and inspection.video and not inspection.video.variable_frame_rate:
        source = content.frame_rate
    rate = frame_rate(source, profile.frame_rate)
    grid = Grid(
        frame_rate=Ratio.of(rate),
        segment_frames=max(1, round(Fraction(profile.segment_seconds) * rate)),
        frames=max(1, round(Fraction(inspection.duration) * rate)),
    )
    return grid.sounding() if inspection.audio is not None else grid


def frame_rate(source: Fraction, limits: FrameRates) -> Fraction:
    """Thinned or repeated by a whole factor, so that motion stays even."""
    if source > limits.most:
        thinned = source / ceil(source / limits.most)
        # A whole factor of something like 1000 frames per second is no standard rate at all.
        return thinned if source <= 5 * limits.most else Fraction(limits.most)
    if source < limits.least:
        return source * ceil(limits.least / source)
    return source


def video_renditions(
    video: VideoStream, profile: Profile, rate: Fraction, content: Content | None = None
) -> list[VideoRendition]:
    """From large to small, H.264 before AV1. Without samples the table is taken as it stands."""
    made: list[VideoRendition] = []
    for codec in ("h264", "av1"):
        table = [rung for rung in profile.video if rung.codec == codec]
        if table:
            sizes = fitting(video, table)
            kept = told_apart(sizes, content) if content else sizes
            made += [_rendition(video, size, rung, rate, content) for size, rung in kept]
    return made


def fitting(video: VideoStream, table: Sequence[Rung]) -> list[tuple[int, Rung]]:
    """Short sides that the recording can fill, each with the rung whose settings it gets."""
    short = min(video.width, video.height)
    above = [rung for rung in table if rung.size > short]
    sizes = [(rung.size, rung) for rung in table if rung.size <= short]
    if above and (not sizes or Fraction(short, sizes[0][0]) > Fraction(11, 10)):
        sizes.insert(0, (short, above[-1]))
    kept = sizes[:1]
    for size, rung in sizes[1:]:
        if Fraction(kept[-1][0], size) >= CLOSE:
            kept.append((size, rung))
    return kept


def told_apart(sizes: Sequence[tuple[int, Rung]], content: Content) -> list[tuple[int, Rung]]:
    """Without rungs that show no more than the next smaller one, and, for slides, without those too small
    to be read where the one above asks little of any connection.
    """
    top = 0
    while top + 1 < len(sizes) and content.alike(sizes[top + 1][0]):
        top += 1
    kept = [sizes[top]]
    for size, rung in sizes[top + 1 :]:
        above = content.need_at(kept[-1][0])
        if content.drawn and rung.drawn.only_above and above < rung.drawn.only_above:
            continue
        kept.append((size, rung))
    return kept


def _rendition(
    video: VideoStream, size: int, rung: Rung, rate: Fraction, content: Content | None
) -> VideoRendition:
    width, height = dimensions(video.width, video.height, size)
    pixels = Fraction(width * height, Fraction(rung.size**2 * 16, 9))
    factor = min(max(pixels, Fraction(1, 4)), Fraction(2)) if size != rung.size else Fraction(1)
    if rate > HIGH_RATE:
        factor *= FAST
    wanted = rung.max_rate
    if content and rung.most_rate:
        wanted = min(max(wanted, int(HEADROOM * content.need_at(size))), rung.most_rate)
    most = int(wanted * factor)
    slides = content is not None and content.drawn
    drawn = rung.drawn if slides else Drawn()
    av1 = rung.codec == "av1"
    return VideoRendition(
        id=f"v{_even(size)}{'av1' if av1 else ''}",
        width=width,
        height=height,
        codec=rung.codec,
        preset=str(rung.preset_for(drawn=slides)),
        crf=rung.crf if drawn.crf is None else drawn.crf,
        parameters=rung.parameters if drawn.parameters is None else drawn.parameters,
        cost=content and round(cost(content, rung, Fraction(width * height), rate), 4),
        max_rate=most,
        buffer=int(rung.buffer * factor * wanted / rung.max_rate),
        profile="main" if av1 else rung.profile,
        level=av1_level(width, height, rate)
        if av1
        else level(width, height, rate, most, least=rung.level),
    )


def cost(content: Content, rung: Rung, pixels: Fraction, rate: Fraction) -> float:
    """Seconds of one core per second of recording, from what sampling took on this machine."""
    share = float(pixels / (content.width * content.height))
    effort = EFFORT.get(str(rung.preset_for(drawn=content.drawn)), 2.0)
    return content.picture_seconds * float(rate) * effort * (0.1 + 0.9 * share)


def dimensions(width: int, height: int, size: int) -> tuple[int, int]:
    """Even numbers with the short side `size` (or less, where the long side would pass 4096)."""
    scale = Fraction(size, min(width, height))
    scale = min(scale, Fraction(LONGEST_SIDE, max(width, height)))
    return _even(width * scale), _even(height * scale)


def _even(value: Fraction | int) -> int:
    """The even number nearest below or at: rounding up would invent pixels."""
    return max(2, 2 * int((value + Fraction(1, 1000)) / 2))


def audio_rendition(
    audio: AudioStream, settings: AudioSettings, *, gain_db: float = 0.0
) -> AudioRendition:
    """AAC-LC: mono stays mono, everything else becomes stereo."""
    channels = 1 if audio.channels == 1 else 2
    bits = settings.mono if channels == 1 else settings.stereo
    return AudioRendition(id=f"a{bits // 1000}", channels=channels, bit_rate=bits, gain_db=gain_db)
