"""Small files that promise to go on for ever, or for days: by their structure, their clock or their header."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from tests.footage.recording import AAC, H264, ffmpeg, kind, pictures, record, sound

WITHOUT_END = 0xFFFFFFFF
TICKS = 2
"""Per second, of the clock of a film whose edits are made here: hours of it fit in 32 bits."""


def changed(path: Path, mark: bytes, at: int, form: str, *values: float) -> None:
    """Writes numbers over those behind the first `mark`."""
    data = bytearray(path.read_bytes())
    found = data.find(mark)
    assert found >= 0, mark
    struct.pack_into(form, data, found + at, *values)
    path.write_bytes(data)


def boxes(data: bytes, begin: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Where the first box of each name is, and its length."""
    found: dict[bytes, tuple[int, int]] = {}
    while begin + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, begin)
        found.setdefault(name, (begin, length))
        begin += max(8, length)
    return found


@kind("edited_for_ever", ".mp4")
def edited_for_ever(path: Path, *, times: int = 100) -> None:
    """An edit list that plays the same half second again and again."""
    record(path, duration=4, rate="25")
    data = path.read_bytes()
    edits = struct.pack(">II", 0, times) + struct.pack(">IiI", 1, 0, 0x10000) * times
    new = struct.pack(">I4s", 8 + len(edits), b"elst") + edits
    around, begin, end = [], 0, len(data)
    for name in (b"moov", b"trak", b"edts", b"elst"):
        begin, length = boxes(data, begin, end)[name]
        around.append(begin)
        begin, end = begin + 8, begin + length
    assert data.find(b"moov") > data.find(b"mdat"), "else offsets of chunks would move"
    out = bytearray(data[: around[-1]] + new + data[end:])
    for begin in around[:-1]:
        (length,) = struct.unpack_from(">I", data, begin)
        struct.pack_into(">I", out, begin, length + len(new) - (end - around[-1]))
    struct.pack_into(">II", out, out.find(b"mvhd") + 16, TICKS, times)
    struct.pack_into(">I", out, out.find(b"tkhd") + 24, times)
    (own,) = struct.unpack_from(">I", out, out.find(b"mdhd") + 16)
    struct.pack_into(">I", out, out.find(b"mdhd") + 20, min(WITHOUT_END - 1, times * own // TICKS))
    path.write_bytes(out)


@kind("samples_for_ever", ".mp4")
def samples_for_ever(path: Path) -> None:
    """One byte each, four thousand million of them, in two numbers."""
    record(path, duration=4)
    changed(path, b"stsz", 8, ">II", 1, WITHOUT_END)
    changed(path, b"stsc", 16, ">I", WITHOUT_END)
    changed(path, b"stts", 12, ">II", WITHOUT_END, 1)


@kind("run_for_ever", ".mp4")
def run_for_ever(path: Path) -> None:
    """A fragment whose samples have nothing but a number of how many there are."""
    fragments = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
    record(path, duration=4, extra=fragments)
    changed(path, b"trun", 4, ">II", 1, WITHOUT_END)


@kind("clock_goes_round", ".ts")
def clock_goes_round(path: Path, *, times: int = 30) -> None:
    """The same four seconds again and again, each with the same times."""
    record(path, duration=4, rate="25")
    path.write_bytes(path.read_bytes() * times)


@kind("tags_go_round", ".flv")
def tags_go_round(path: Path, *, times: int = 30) -> None:
    record(path, duration=4, rate="25")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[13:] * times)


@kind("nothing_for_ever", ".ts")
def nothing_for_ever(path: Path, *, packets: int = 400_000) -> None:
    """Four seconds, and padding."""
    record(path, duration=4, rate="25")
    with path.open("ab") as file:
        file.write((b"\x47\x1f\xff\x10" + bytes(184)) * packets)


@kind("boxes_for_ever", ".mp4")
def boxes_for_ever(path: Path, *, count: int = 3_000_000) -> None:
    begin = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    path.write_bytes(begin + struct.pack(">I4s", 8, b"free") * count)


@kind("sound_without_length", ".wav")
def sound_without_length(
    path: Path, *, length: int = WITHOUT_END, rate: int = 8000, size: int = 200_000
) -> None:
    """As a recorder leaves it that was switched off. With a rate of 1 Hz, a byte of it lasts a second."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate, 1, 8)
    begin = b"RIFF" + struct.pack("<I", WITHOUT_END) + b"WAVEfmt " + form
    path.write_bytes(begin + b"data" + struct.pack("<I", length) + bytes(size))


@kind("sound_of_ages", ".caf")
def sound_of_ages(path: Path) -> None:
    ffmpeg(*sound(4), path)
    changed(path, b"data", 4, ">q", 2**62)


@kind("frames_promised", ".mp3")
def frames_promised(path: Path) -> None:
    ffmpeg(*sound(4), path)
    changed(path, b"Info", 8, ">I", WITHOUT_END - 15)


@kind("index_of_itself", ".avi")
def index_of_itself(path: Path, *, entries: int = 200) -> None:
    """Where its list of frames should be: an index of indexes, and all of them are this one."""
    silent_avi(path)
    data = bytearray(path.read_bytes())
    at = data.find(b"JUNK")
    (length,) = struct.unpack_from("<I", data, at + 4)
    body = struct.pack("<HBBI4s12x", 4, 0, 0, entries, b"00dc")
    body += struct.pack("<QII", at, length + 8, 100) * entries
    assert len(body) <= length
    data[at : at + 4] = b"indx"
    data[at + 8 : at + 8 + len(body)] = body
    path.write_bytes(data)


@kind("frames_of_ages", ".avi")
def frames_of_ages(path: Path) -> None:
    """Its header: frames of 136 years each, and as many of them as a number holds."""
    silent_avi(path)
    changed(path, b"strh", 28, "<II", WITHOUT_END, 1)
    changed(path, b"strh", 40, "<I", WITHOUT_END)


@kind("chunks_without_end", ".avi")
def chunks_without_end(path: Path) -> None:
    silent_avi(path)
    changed(path, b"strh", 40, "<I", WITHOUT_END)
    changed(path, b"avih", 24, "<I", WITHOUT_END)
    changed(path, b"movi", -4, "<I", WITHOUT_END)


def silent_avi(path: Path) -> None:
    ffmpeg(*pictures(4), "-c:v", "mpeg4", path)


@kind("eternal", ".mkv")
def eternal(path: Path, *, seconds: float = math.inf) -> None:
    """By its own word."""
    ffmpeg(*pictures(4), *sound(4), *H264, *AAC, path)
    changed(path, b"\x44\x89\x88", 3, ">d", seconds * 1000)


@kind("looping_gif", ".gif")
def looping_gif(path: Path) -> None:
    ffmpeg(*pictures(2, "64x64", "5"), "-loop", "0", path)


@kind("looping_png", ".png")
def looping_png(path: Path) -> None:
    ffmpeg(*pictures(2, "64x64", "5"), "-plays", "0", "-f", "apng", path)


@kind("tune_without_end", ".mp3")
def tune_without_end(path: Path) -> None:
    """Music of a games console is a program: this one jumps to its own beginning."""
    begin = b"NESM\x1a\x01\x01\x01" + struct.pack("<HHH", 0x8000, 0x8000, 0x8003)
    path.write_bytes(begin.ljust(128, b"\0") + bytes([0x4C, 0x00, 0x80]) * 100)
