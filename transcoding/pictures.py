"""Pictures out of segments that this project encoded: decoded in this process, since they are our own work.

A segment's first picture needs only its first bytes (`Receipt.key_bytes`): about 5 ms of CPU at 360 lines.
All pictures of a segment of four seconds take ten times that.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final, Literal

import av
import av.error
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

Shade = Literal["rgb24", "gray"]
LUMA_FIRST: Final = frozenset({"yuv420p", "yuvj420p"})
_FULL: Final = [min(255, max(0, round((value - 16) * 255 / 219))) for value in range(256)]
"""From the range of video, 16 to 235, to that of pictures."""


def first_picture(recording: bytes, width: int, height: int, shade: Shade = "rgb24") -> Image.Image:
    """The first frame of an init segment and (the beginning of) a media segment, scaled."""
    for _, picture in pictures(recording, width, height, shade):
        return picture
    raise av.error.InvalidDataError(0, "a segment without a picture")


def pictures(
    recording: bytes,
    width: int,
    height: int,
    shade: Shade = "rgb24",
    *,
    apart: float = 0.0,
    quick: bool = False,
) -> Iterator[tuple[float, Image.Image]]:
    """Frames of an init segment and a media segment with their seconds after the first one.

    `apart`: at least so many seconds lie between two. `quick` leaves out what others do not refer to,
    and the smoothing: good enough to compare.
    """
    with av.open(io.BytesIO(recording), "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if quick:
            stream.codec_context.skip_frame = "NONREF"
            stream.codec_context.options = {"skip_loop_filter": "all"}
        first: float | None = None
        last = -1e9
        for frame in container.decode(stream):
            time = frame.time
            first = time if first is None else first
            # The clock's rounding must not cost a picture.
            if time - last >= apart - 1e-3:
                last = time
                yield time - first, scaled(frame, width, height, shade)


def scaled(frame: VideoFrame, width: int, height: int, shade: Shade) -> Image.Image:
    if shade == "gray" and frame.format.name in LUMA_FIRST:
        return _brightness(frame, width, height)
    # Untagged video is BT.709 to players, but BT.601 to swscale.
    matrix = Colorspace.ITU709 if frame.colorspace in {1, 2} else None
    small = frame.reformat(
        width,
        height,
        shade,
        src_colorspace=matrix,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA,
    )
    picture: Image.Image = small.to_image()  # type: ignore[no-untyped-call]
    return picture if shade == "rgb24" else picture.convert("L")


def _brightness(frame: VideoFrame, width: int, height: int) -> Image.Image:
    """Averaged straight from the plane of brightness: a third of what a scaler takes for it."""
    plane = frame.planes[0]
    whole = Image.frombuffer(
        "L", (frame.width, frame.height), bytes(plane), "raw", "L", plane.line_size, 1
    )
    small = whole.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0)
    return small if frame.color_range == ColorRange.JPEG else small.point(_FULL)


def jpeg(picture: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()
