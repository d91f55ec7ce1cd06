"""Why a recording gets the renditions it gets, in sentences with their figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from academy.media import VideoRendition
from academy.recordings import Reason, VideoStream
from transcoding.complexity import Content
from transcoding.ladder import fitting
from transcoding.profiles import Profile

NAMES: Final = {"h264": "H.264", "av1": "AV1"}


def reasons(
    video: VideoStream,
    profile: Profile,
    rate: Fraction,
    content: Content | None,
    made: Sequence[VideoRendition],
) -> Iterator[Reason]:
    """In the order of the decision."""
    if content is None:
        yield Reason(
            code="not_sampled",
            message=f"The profile “{profile.name}” is taken as it stands: "
            + ("no stretch of the picture could be read." if profile.sampling else "it says so."),
        )
    else:
        yield _kind(content)
        if video.frame_rate.fraction > rate:
            yield _frame_rate(video.frame_rate.fraction, rate)
        yield from _left_out(video, profile, content, made)
    yield from (_rung(rung, content) for rung in made)


def _kind(content: Content) -> Reason:
    hard = max((loss.hard for s in content.samples for loss in s.losses.values()), default=0.0)
    figures = {
        "samples": len(content.samples),
        "moving_area": round(content.moving, 4),
        "sharp_area": round(hard, 4),
    }
    if content.drawn:
        return Reason(
            code="drawn",
            message="Slides or a screen: edges are sharp and most of the picture stands still. "
            "Text keeps its bits, flat areas get fewer.",
            figures=figures,
        )
    return Reason(
        code="filmed",
        message="Filmed by a camera: quality is set for motion and fine texture.",
        figures=figures,
    )


def _frame_rate(source: Fraction, rate: Fraction) -> Reason:
    return Reason(
        code="frame_rate",
        message=f"{float(rate):.5g} instead of {float(source):.5g} frames per second: "
        "the others repeat what was there, or are more than the profile allows.",
        figures={"source": round(float(source), 3), "chosen": round(float(rate), 3)},
    )


def _left_out(
    video: VideoStream, profile: Profile, content: Content, made: Sequence[VideoRendition]
) -> Iterator[Reason]:
    for codec, name in NAMES.items():
        table = [rung for rung in profile.video if rung.codec == codec]
        kept = {min(rung.width, rung.height) for rung in made if rung.codec == codec}
        for size, _ in fitting(video, table) if kept else ():
            above = [each for each in kept if each > size]
            if size // 2 * 2 in kept:
                continue
            if above:
                need = content.need_at(min(above))
                yield Reason(
                    code="not_needed",
                    message=f"No {name} rung of {size} lines: small text is hard to read there, and the "
                    f"rung above asks little of any connection, about {need / 1000:.0f} kb/s.",
                    figures={"size": size, "above": min(above), "above_needs": round(need)},
                )
            else:
                yield Reason(
                    code="looks_alike",
                    message=f"No {name} rung of {size} lines: the recording shows nothing that "
                    f"{max(kept)} lines do not.",
                    figures={"size": size, "instead": max(kept)},
                )


def _rung(rung: VideoRendition, content: Content | None) -> Reason:
    size = min(rung.width, rung.height)
    figures: dict[str, float] = {"crf": rung.crf, "cap": rung.max_rate}
    expected = ""
    if content is not None:
        figures["cost"] = rung.cost or 0.0
        if rung.codec == "h264":
            need = content.need_at(size)
            figures["expected"] = round(need)
            expected = f", expected to take about {need / 1000:.0f} kb/s"
    name = NAMES[rung.codec]
    return Reason(
        code="rung",
        message=f"{rung.id}: {rung.width} x {rung.height} in {name} at quality {rung.crf}{expected}, "
        f"at most {rung.max_rate / 1000:.0f} kb/s.",
        figures=figures,
    )
