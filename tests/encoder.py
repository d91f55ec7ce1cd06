"""The ffmpeg under test: what ACADEMY_FFMPEG names, else what the project would take by itself."""

from __future__ import annotations

import os
from pathlib import Path

from transcoding import binary


def encoder() -> binary.FFmpeg:
    named = os.environ.get("ACADEMY_FFMPEG")
    return binary.find(Path(named) if named else None)
