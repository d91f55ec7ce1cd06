"""A last segment of a single picture, which at 60 per second lasts less than one unit of sound."""

from __future__ import annotations

from pathlib import Path

import m3u8
import pytest

from tests.fixtures_transcoding import decoded
from tests.footage import AAC, H264, ffmpeg
from transcoding.local import transcode_file

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

FRAMES = 3 * 60 + 1
"""Sound of three seconds ends with unit 140.6, one frame later with 141.4: rounded, the same unit."""


async def test_a_recording_that_ends_with_one_picture_in_its_last_segment_becomes_a_lecture(
    tiny_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp4"
    card = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=60:d=4"]
    tone = ["-f", "lavfi", "-i", "sine=r=48000:d=3"]
    ffmpeg(*card, *tone, "-frames:v", str(FRAMES), *H264, *AAC, path)
    made = await transcode_file(path, tmp_path / "out", profile=tiny_file, workers=1)
    assert made["duration"] == pytest.approx((FRAMES + 1) / 60, abs=0.001)
    folder = tmp_path / "out" / "r1"
    counts = {}
    for rendition in made["renditions"]:
        listed = m3u8.load(str(folder / f"{rendition['id']}.m3u8"))
        names = [listed.segment_map[0].uri, *(each.uri for each in listed.segments)]
        joined = b"".join((folder / name).resolve().read_bytes() for name in names)
        kind = "video" if rendition["height"] else "audio"
        counts[kind] = len(listed.segments)
        if kind == "video":
            assert len(decoded(joined, "video")) == FRAMES + 1
        else:
            assert len(decoded(joined, "audio")) == 142
    assert counts == {"video": 4, "audio": 4}
