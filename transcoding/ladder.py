"""From what a recording holds and a profile to the renditions it becomes. Pure.

Never upscaled, sized by the short side, aspect kept, even dimensions. A source between two rungs keeps
its own size as the top rung: scaling 900 lines of text to 720 is what makes slides illegible.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from academy.media import AudioRendition, Grid, VideoRendition
from academy.recordings import AudioStream, Inspection, Ratio, VideoStream
from transcoding.profiles import AudioSettings, FrameRates, Profile, Rung

NOMINAL_RATE = Fraction(25)
"""The clock of the segment grid where there is no picture."""
LONGEST_SIDE = 4096
"""Hardware decoders stop here."""
CLOSE = Fraction(13, 10)
"""A rung less than this factor below the one above cannot be told apart and is dropped."""
HIGH_RATE = Fraction(30)
FAST = Fraction(3, 2)
"""Above 30 frames per second the caps grow by this factor."""


@dataclass(frozen=True, slots=True)
class LevelLimits:
    """ITU-T H.264 Table A-1: macroblocks per second and per frame, bits per second (x 1000, Main)."""

    name: str
    rate: int
    frame: int
    kilobits: int


LEVELS = (
    LevelLimits("1.3", 11_880, 396, 768),
    LevelLimits("2.0", 11_880, 396, 2_000),
    LevelLimits("2.1", 19_800, 792, 4_000),
    LevelLimits("3.0", 40_500, 1_620, 10_000),
    LevelLimits("3.1", 108_000, 3_600, 14_000),
    LevelLimits("3.2", 216_000, 5_120, 20_000),
    LevelLimits("4.0", 245_760, 8_192, 20_000),
    LevelLimits("4.1", 245_760, 8_192, 50_000),
    LevelLimits("4.2", 522_240, 8_704, 50_000),
    LevelLimits("5.0", 589_824, 22_080, 135_000),
    LevelLimits("5.1", 983_040, 36_864, 240_000),
    LevelLimits("5.2", 2_073_600, 36_864, 240_000),
)


def grid_for(inspection: Inspection, profile: Profile) -> Grid:
    """The segment grid: the recording's own frame rate within the profile's limits, exact."""
    source = inspection.video.frame_rate.fraction if inspection.video else NOMINAL_RATE
    rate = frame_rate(source, profile.frame_rate)
    return Grid(
        frame_rate=Ratio.of(rate),
        segment_frames=max(1, round(Fraction(profile.segment_seconds) * rate)),
        frames=max(1, round(Fraction(inspection.duration) * rate)),
    )


def frame_rate(source: Fraction, limits: FrameRates) -> Fraction:
    """Thinned or repeated by a whole factor, so that motion stays even."""
    if source > limits.most:
        thinned = source / ceil(source / limits.most)
        # A whole factor of something like 1000 frames per second is no standard rate at all.
        return thinned if source <= 5 * limits.most else Fraction(limits.most)
    if source < limits.least:
        return source * ceil(limits.least / source)
    return source


def video_renditions(video: VideoStream, profile: Profile, rate: Fraction) -> list[VideoRendition]:
    """From large to small."""
    short = min(video.width, video.height)
    rungs = [rung for rung in profile.video if rung.size <= short]
    above = [rung for rung in profile.video if rung.size > short]
    sizes = [(rung.size, rung) for rung in rungs]
    if above and (not rungs or Fraction(short, rungs[0].size) > Fraction(11, 10)):
        sizes.insert(0, (short, above[-1]))
    kept = [sizes[0]]
    for size, rung in sizes[1:]:
        if Fraction(kept[-1][0], size) >= CLOSE:
            kept.append((size, rung))
    return [_rendition(video, size, rung, rate) for size, rung in kept]


def _rendition(video: VideoStream, size: int, rung: Rung, rate: Fraction) -> VideoRendition:
    width, height = dimensions(video.width, video.height, size)
    pixels = Fraction(width * height, Fraction(rung.size**2 * 16, 9))
    factor = min(max(pixels, Fraction(1, 4)), Fraction(2)) if size != rung.size else Fraction(1)
    if rate > HIGH_RATE:
        factor *= FAST
    most = int(rung.max_rate * factor)
    return VideoRendition(
        id=f"v{_even(size)}",
        width=width,
        height=height,
        preset=rung.preset,
        crf=rung.crf,
        max_rate=most,
        buffer=int(rung.buffer * factor),
        profile=rung.profile,
        level=level(width, height, rate, most, least=rung.level),
    )


def dimensions(width: int, height: int, size: int) -> tuple[int, int]:
    """Even numbers with the short side `size` (or less, where the long side would pass 4096)."""
    scale = Fraction(size, min(width, height))
    scale = min(scale, Fraction(LONGEST_SIDE, max(width, height)))
    return _even(width * scale), _even(height * scale)


def _even(value: Fraction | int) -> int:
    """The even number nearest below or at: rounding up would invent pixels."""
    return max(2, 2 * int((value + Fraction(1, 1000)) / 2))


def level(width: int, height: int, rate: Fraction, bits: int, *, least: str) -> str:
    """The lowest H.264 level, from `least` up, that allows this (High profile: 1.25 times the bits)."""
    across, down = -(-width // 16), -(-height // 16)
    names = [limits.name for limits in LEVELS]
    for limits in LEVELS[names.index(least) :]:
        if (
            across * down <= limits.frame
            and max(across, down) ** 2 <= 8 * limits.frame
            and across * down * rate <= limits.rate
            and bits <= limits.kilobits * 1250
        ):
            return limits.name
    return names[-1]


def audio_rendition(
    audio: AudioStream, settings: AudioSettings, *, gain_db: float = 0.0
) -> AudioRendition:
    """AAC-LC: mono stays mono, everything else becomes stereo."""
    channels = 1 if audio.channels == 1 else 2
    bits = settings.mono if channels == 1 else settings.stereo
    return AudioRendition(id=f"a{bits // 1000}", channels=channels, bit_rate=bits, gain_db=gain_db)
