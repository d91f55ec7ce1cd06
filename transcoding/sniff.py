"""Tells from a file's first bytes what it certainly is not: a recording.

Playlists and texts are refused here by name, before libav sees a byte. What is not recognised goes on
to libav, whose formats are limited to containers that hold their media themselves (`sources.FORMATS`).
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from academy.errors import RejectedMedia

HEAD: Final = 4096
"""Bytes that are looked at."""

PLAYLISTS: Final = (
    (rb"#EXTM3U", "an HLS playlist (M3U8)"),
    (rb"ffconcat version|(?:\s*#[^\n]*\n)*\s*file\s+['\"]?[^\n]+", "a list of other files"),
    (rb"v=0\r?\n", "a session description (SDP)"),
    (rb"\[playlist\]", "a playlist (PLS)"),
    (rb"\[reference\]", "a playlist (ASX)"),
    (rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<(?:\w+:)?MPD\b", "a DASH manifest"),
    (rb"(?:<\?xml[^>]*>\s*)*<SmoothStreamingMedia", "a Smooth Streaming manifest"),
    (rb"(?:<\?xml[^>]*>\s*)*<(?:asx|smil|playlist|wpl)\b", "a playlist"),
    (rb"(?:rtsp|rtmp|https?|mms|file)://[^\s]+\s*$", "a link"),
    (rb"\[InternetShortcut\]", "a link"),
)
THINGS: Final = (
    (rb"PK\x03\x04|PK\x05\x06", "a ZIP archive or an Office document"),
    (rb"%PDF-", "a PDF document"),
    (rb"Rar!\x1a\x07", "a RAR archive"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"\x1f\x8b|BZh\d|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "a compressed file"),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|BM....\0\0\0\0|II\*\0|MM\0\*|RIFF....WEBP", "a picture"),
    (rb"....ftyp(?:heic|heix|mif1|msf1|avif|avis)", "a picture"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (rb"\x7fELF|MZ.{58}|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe", "a program"),
    (rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!DOCTYPE\s+)?(?:html|svg)\b", "a web page"),
    (rb"SQLite format 3\0", "a database"),
    (rb";FFMETADATA", "a text file"),
)


def refuse_impostors(head: bytes, filename: str) -> None:
    """Raises RejectedMedia for what is empty, a playlist, or plainly something else."""
    name = f"“{filename}”"
    if not head:
        raise RejectedMedia(
            f"{name} is empty. Check the file on your computer and upload it again.",
            code="not_media",
        )
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what in PLAYLISTS:
        if re.match(pattern, start, re.IGNORECASE | re.DOTALL):
            raise RejectedMedia(
                f"{name} is {what}: it only names other files and holds no recording. "
                "Upload the video file itself.",
                code="playlist_not_allowed",
            )
    for pattern, what in THINGS:
        # Not after leading blanks: these begin with their first byte.
        if re.match(pattern, head[:HEAD], re.DOTALL | re.IGNORECASE):
            raise RejectedMedia(
                f"{name} is {what}, not a recording. Upload a video or audio file, "
                "such as MP4, MOV, MKV or WebM.",
                code="not_media",
            )
    if is_text(head[:HEAD]):
        raise RejectedMedia(
            f"{name} is a text file, not a recording. Upload a video or audio file, "
            "such as MP4, MOV, MKV or WebM.",
            code="not_media",
        )


def is_text(head: bytes) -> bool:
    """Whether all of it are printable characters of UTF-8 (a character cut off at the end may be)."""
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
