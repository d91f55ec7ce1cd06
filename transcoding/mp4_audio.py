"""CMAF audio written by us from AAC access units, so that segments cut exactly where we say. Pure.

ISO/IEC 14496-12 boxes, 14496-14 `mp4a`/`esds`, 14496-3 AudioSpecificConfig, 23000-19 CMAF brands.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from academy.media import AUDIO_RATE, PRIMING_UNITS, UNIT_SAMPLES
from transcoding.boxes import box, full_box

AAC_LC: Final = "mp4a.40.2"
RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Samples per second by sampling frequency index (14496-3 table 1.18)."""
MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
SYNC_SAMPLE: Final = 0x02000000
"""Sample flags: depends on no other."""


def init_segment(*, channels: int, bit_rate: int) -> bytes:
    """ftyp and moov of an AAC-LC track at 48 kHz whose edit list removes the priming."""
    stbl = box(
        "stbl",
        full_box("stsd", 0, 0, struct.pack(">I", 1), _mp4a(channels, bit_rate)),
        full_box("stts", 0, 0, bytes(4)),
        full_box("stsc", 0, 0, bytes(4)),
        full_box("stsz", 0, 0, bytes(8)),
        full_box("stco", 0, 0, bytes(4)),
    )
    url = full_box("url ", 0, 1)  # flag 1: the media lies in this same file
    minf = box(
        "minf",
        full_box("smhd", 0, 0, bytes(4)),
        box("dinf", full_box("dref", 0, 0, struct.pack(">I", 1), url)),
        stbl,
    )
    language = 0x55C4  # `und`, three times five bits
    mdia = box(
        "mdia",
        full_box("mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, AUDIO_RATE, 0, language, 0)),
        full_box("hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"audio\0"),
        minf,
    )
    tkhd = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, 0, 0, 1, 0x0100, 0) + MATRIX + bytes(8)
    # Duration 0: the edit goes on to the end of the fragments (14496-12 section 8.6.6).
    edit = struct.pack(">IIiHH", 1, 0, PRIMING_UNITS * UNIT_SAMPLES, 1, 0)
    trak = box(
        "trak",
        full_box("tkhd", 0, 7, tkhd),
        box("edts", full_box("elst", 0, 0, edit)),
        mdia,
    )
    mvhd = struct.pack(">IIIIIH10x", 0, 0, AUDIO_RATE, 0, 0x10000, 0x0100) + MATRIX + bytes(24)
    trex = full_box("trex", 0, 0, struct.pack(">IIIII", 1, 1, UNIT_SAMPLES, 0, SYNC_SAMPLE))
    moov = box(
        "moov",
        full_box("mvhd", 0, 0, mvhd, struct.pack(">I", 2)),
        trak,
        box("mvex", trex),
    )
    return box("ftyp", b"iso6", bytes(4), b"iso6cmfcmp41") + moov


def segment(units: Sequence[bytes], *, number: int, decode_time: int) -> bytes:
    """moof and mdat of these access units. `number` from 1; `decode_time` in samples."""
    sizes = struct.pack(f">{len(units)}I", *map(len, units))

    def moof(data_offset: int) -> bytes:
        return box(
            "moof",
            full_box("mfhd", 0, 0, struct.pack(">I", number)),
            box(
                "traf",
                # default-base-is-moof, default duration and flags
                full_box("tfhd", 0, 0x020028, struct.pack(">III", 1, UNIT_SAMPLES, SYNC_SAMPLE)),
                full_box("tfdt", 1, 0, struct.pack(">Q", decode_time)),
                # data offset and a size for each sample
                full_box("trun", 0, 0x000201, struct.pack(">II", len(units), data_offset), sizes),
            ),
        )

    return moof(len(moof(0)) + 8) + box("mdat", *units)


def _mp4a(channels: int, bit_rate: int) -> bytes:
    entry = struct.pack(">6xH8xHHHHI", 1, channels, 16, 0, 0, AUDIO_RATE << 16)
    return box("mp4a", entry, full_box("esds", 0, 0, _es_descriptor(channels, bit_rate)))


def _es_descriptor(channels: int, bit_rate: int) -> bytes:
    """14496-1 section 7.2.6: ES, decoder configuration, decoder specific info, SL configuration."""
    specific = _descriptor(0x05, audio_specific_config(channels))
    # 0x40: MPEG-4 audio; 0x15: an audio stream; then buffer size, peak and average rate.
    rates = struct.pack(">BB3sII", 0x40, 0x15, bytes(3), bit_rate, bit_rate)
    sync = _descriptor(0x06, b"\x02")
    return _descriptor(0x03, struct.pack(">HB", 1, 0) + _descriptor(0x04, rates + specific) + sync)


def _descriptor(tag: int, payload: bytes) -> bytes:
    return bytes([tag, len(payload)]) + payload


def audio_specific_config(channels: int) -> bytes:
    """AAC-LC at 48 kHz: object type 2, frequency index 3, channel configuration."""
    return struct.pack(">H", 2 << 11 | RATES.index(AUDIO_RATE) << 7 | channels << 3)
