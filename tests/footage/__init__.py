"""Makes small real recordings, and files that only pretend to be some.

`make(kind, path, **options)` writes one; `KINDS` tells each kind's file suffix. Pictures come from
ffmpeg's generators, 320x180 and a few seconds long, each in a fraction of a second of CPU. Common options:
`duration` (s), `size` ("320x180"), `rate` ("30", "30000/1001").
"""

from tests.footage import audio, broken, endless, ordinary, picture, pointing
from tests.footage.broken import cut
from tests.footage.picture import turn
from tests.footage.recording import AAC, H264, KINDS, OPUS, VP9, ffmpeg, ffmpeg_path, make

__all__ = [
    "AAC",
    "H264",
    "KINDS",
    "OPUS",
    "VP9",
    "audio",
    "broken",
    "cut",
    "endless",
    "ffmpeg",
    "ffmpeg_path",
    "make",
    "ordinary",
    "picture",
    "pointing",
    "turn",
]
