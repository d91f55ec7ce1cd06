"""Playlists and containers that point elsewhere: `target` is what they want opened."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.footage.recording import kind, record


@kind("m3u8", ".m3u8")
def m3u8(path: Path, *, target: str) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:6", "#EXTINF:6,", target, "#EXT-X-ENDLIST", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


@kind("ffconcat", ".ffconcat")
def ffconcat(path: Path, *, target: str) -> None:
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n", encoding="utf-8")


@kind("bare_concat", ".txt")
def bare_concat(path: Path, *, target: str) -> None:
    path.write_text(f"file '{target}'\n", encoding="utf-8")


@kind("sdp", ".sdp")
def sdp(path: Path, *, target: str) -> None:
    session = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns={target}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    path.write_text(session + "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")


@kind("mpd", ".mpd")
def mpd(path: Path, *, target: str) -> None:
    path.write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT6S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
        encoding="utf-8",
    )


@kind("pls", ".pls")
def pls(path: Path, *, target: str) -> None:
    path.write_text(f"[playlist]\nFile1={target}\nNumberOfEntries=1\n", encoding="utf-8")


@kind("asx", ".asx")
def asx(path: Path, *, target: str) -> None:
    path.write_text(f'<ASX version="3.0"><ENTRY><REF HREF="{target}"/></ENTRY></ASX>')


@kind("ffmetadata", ".txt")
def ffmetadata(path: Path, *, target: str) -> None:
    path.write_text(f";FFMETADATA1\ntitle={target}\n", encoding="utf-8")


@kind("external_track", ".mov")
def external_track(path: Path, *, target: str) -> None:
    """A QuickTime movie whose samples lie in another file (`dref` holding an alias, QTFF p. 65)."""
    record(path, audio=None, extra=["-movflags", "+faststart"], duration=3)
    data = path.read_bytes()
    at = data.index(b"dref") - 4
    size = struct.unpack_from(">I", data, at)[0]
    reference = box(b"dref", bytes(4) + struct.pack(">I", 1) + alias(target))
    moved = data[:at] + reference + data[at + size :]
    grown = len(reference) - size
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = moved.index(name) - 4
        old = struct.unpack_from(">I", moved, place)[0]
        moved = moved[:place] + struct.pack(">I", old + grown) + moved[place + 4 :]
    # Sample offsets now point into the other file; its bytes are what must never be read.
    path.write_bytes(moved[: moved.index(b"mdat") - 4])


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def alias(target: str) -> bytes:
    """An `alis` record as Mac OS wrote it, with an absolute path (tag 18) to `target`."""
    filename = target.rsplit("/", 1)[-1].encode()[:63]
    record_ = bytes(10) + b"\x03disk".ljust(28, b"\0") + bytes(12)
    record_ += bytes([len(filename)]) + filename.ljust(63, b"\0") + bytes(16)
    record_ += struct.pack(">hh", 1, 1) + bytes(16)
    for tag, value in ((2, target.encode()), (18, target.encode())):
        record_ += struct.pack(">hH", tag, len(value)) + value + b"\0" * (len(value) % 2)
    return box(b"alis", bytes(4) + record_ + struct.pack(">hH", -1, 0))
