"""Makes the sample lecture's recording: drawn slides and babble, encoded by ffmpeg in a few seconds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from academy.demo import slides
from academy.demo.fonts import Fonts
from academy.demo.voice import write_speech

FONT_PACKAGE: Final = "@fontsource-variable/noto-sans-sc"
ENCODING_LIMIT: Final = 300.0
"""Seconds; it takes less than ten."""
FRAME_RATE: Final = 15
"""Enough for slides, and the first start waits for half of what 30 frames a second would cost."""


def font_package() -> Path:
    """Where `npm ci` puts the portal's fonts."""
    import api

    return Path(api.__file__).parent / "portal" / "node_modules" / FONT_PACKAGE


def make_sample_lecture(
    path: Path,
    *,
    ffmpeg: str,
    fonts: Path | None = None,
    lecture: Sequence[slides.Slide] = slides.LECTURE,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Writes an MP4 of about 73 s: 1920x1080 at 15 frames a second, H.264 and AAC.

    Whole or not at all. Unavailable when the fonts are not installed; EncodingFailed; Cancelled.
    """
    from transcoding.ffmpeg import Limits, run

    drawn = slides.steps(Fonts(fonts or font_package()), lecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".drawing-") as folder:
        pictures = Path(folder)
        script = ["ffconcat version 1.0"]
        name = ""
        for number, (seconds, image) in enumerate(drawn):
            name = f"{number:03}.png"
            image.save(pictures / name, compress_level=1)
            script += [f"file {name}", f"duration {seconds:.6f}"]
        script.append(f"file {name}")  # the demuxer ignores the duration of the last entry
        (pictures / "slides.ffconcat").write_text("\n".join(script) + "\n")
        seconds = slides.duration(lecture)
        write_speech(pictures / "speech.wav", seconds)
        made = pictures / "lecture.mp4"
        run(
            _arguments(ffmpeg, pictures, made, seconds),
            limits=Limits(wall_seconds=ENCODING_LIMIT),
            cancelled=cancelled,
        )
        made.replace(path)


def _arguments(ffmpeg: str, pictures: Path, made: Path, seconds: float) -> list[str]:
    return [
        ffmpeg, "-nostdin", "-v", "error", "-y",
        "-f", "concat", "-i", str(pictures / "slides.ffconcat"),
        "-i", str(pictures / "speech.wav"),
        # Each picture is read and converted once, then repeated; x264 skips what stands still.
        "-vf", f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,fps={FRAME_RATE}",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-g", str(10 * FRAME_RATE),
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:a", "aac", "-b:a", "96k", "-ar", "48000",
        "-t", f"{seconds:.3f}", "-movflags", "+faststart",
        str(made),
    ]  # fmt: skip
