"""Other ways to make the same renditions of one recording: what the pipeline is measured against.

All take the pipeline's own plan: the same ladder, the same encoder settings, the same sound.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from academy.media import MediaPlan, VideoRendition

LIMIT: Final = 900
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Rivals:
    ffmpeg: str
    source: Path
    plan: MediaPlan
    folder: Path

    def single_command(self) -> None:
        """One hand-tuned ffmpeg: one decode, split, lanczos per rung, as many threads as it likes, HLS."""
        rungs = self.plan.video
        splits = "".join(f"[s{n}]" for n in range(len(rungs)))
        scaled = ";".join(f"[s{n}]{_scale(rung)}[v{n}]" for n, rung in enumerate(rungs))
        maps: list[str] = []
        for number, rung in enumerate(rungs):
            maps += ["-map", f"[v{number}]", *_indexed(self._encoder(rung), number)]
        streams = " ".join(f"v:{n},agroup:sound" for n in range(len(rungs)))
        self._run(
            *("-i", str(self.source)),
            *("-filter_complex", f"[0:v]split={len(rungs)}{splits};{scaled}"),
            *maps,
            *("-map", "0:a:0", *self._sound()),
            *("-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod"),
            *("-hls_segment_type", "fmp4", "-hls_flags", "independent_segments"),
            *("-var_stream_map", f"{streams} a:0,agroup:sound", "-master_pl_name", "main.m3u8"),
            str(self._fresh("single") / "%v.m3u8"),
        )

    def per_rendition(self) -> None:
        """The common way: one ffmpeg after another, each decodes and encodes the sound, too."""
        folder = self._fresh("each")
        for rung in self.plan.video:
            self._run(
                *("-i", str(self.source), "-vf", _scale(rung), "-map", "0:v:0", "-map", "0:a:0"),
                *(*self._encoder(rung), *self._sound()),
                *("-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod"),
                *("-hls_segment_type", "fmp4"),
                str(folder / f"{rung.id}.m3u8"),
            )

    def floor(self) -> float:
        """Seconds of CPU that decoding takes alone, and each encoder alone when it is fed raw pictures
        or samples, single-threaded. Scaling, seeking, muxing and all else count for nothing.
        """
        decode = [*self._base(), "-threads", "1", "-i", str(self.source)]
        with ThreadPoolExecutor(2) as two:  # as many at once as the pipeline's encoders
            alone = two.submit(_cpu, [*decode, "-map", "0:v", "-map", "0:a", "-f", "null", "-"])
            pairs = [*map(self._raw_pictures, self.plan.video), self._raw_sound()]
            fed = [two.submit(_fed_cpu, [*decode, *feed], encode) for feed, encode in pairs]
            return alone.result() + sum(each.result() for each in fed)

    def _raw_pictures(self, rung: VideoRendition) -> tuple[list[str], list[str]]:
        """What follows the decoder's input, and the encoder's command."""
        feed = ["-map", "0:v:0", "-vf", _scale(rung), "-f", "rawvideo", "pipe:1"]
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-r", str(self._rate)]
        size = ["-s", f"{rung.width}x{rung.height}", "-i", "pipe:0"]
        encode = [*self._encoder(rung), "-threads", "1", "-f", "null", "-"]
        return feed, [*self._base(), *raw, *size, *encode]

    def _raw_sound(self) -> tuple[list[str], list[str]]:
        form = ["-f", "s16le", "-ac", self._channels, "-ar", "48000"]
        feed = ["-map", "0:a:0", *form, "pipe:1"]
        encode = [*self._sound(), "-threads", "1", "-f", "null", "-"]
        return feed, [*self._base(), *form, "-i", "pipe:0", *encode]

    def playlist(self, rung: VideoRendition) -> Path:
        """Of the single command's rendition."""
        return self.folder / "single" / f"{self.plan.video.index(rung)}.m3u8"

    @property
    def _rate(self) -> float:
        return float(self.plan.grid.frame_rate.fraction)

    @property
    def _channels(self) -> str:
        return str(self.plan.audio.channels if self.plan.audio else 1)

    def _encoder(self, rung: VideoRendition) -> list[str]:
        frames = str(self.plan.grid.segment_frames)
        return [
            *("-c:v", "libx264", "-preset", rung.preset, "-crf", str(rung.crf)),
            *("-maxrate", str(rung.max_rate), "-bufsize", str(rung.buffer)),
            *("-profile:v", rung.profile, "-level", rung.level),
            *(("-x264-params", rung.parameters) if rung.parameters else ()),
            *("-g", frames, "-keyint_min", frames, "-sc_threshold", "0"),
        ]

    def _sound(self) -> list[str]:
        audio = self.plan.audio
        if audio is None:
            return ["-an"]
        return ["-c:a", "aac", "-b:a", str(audio.bit_rate), "-ac", str(audio.channels)]

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        return folder

    def _base(self) -> list[str]:
        return [self.ffmpeg, "-nostdin", "-v", "error", "-y"]

    def _run(self, *arguments: str) -> None:
        subprocess.run([*self._base(), *arguments], check=True, timeout=LIMIT)


def _scale(rung: VideoRendition) -> str:
    return f"scale={rung.width}:{rung.height}:flags=lanczos,format=yuv420p"


def _indexed(options: list[str], number: int) -> list[str]:
    """`-crf 23` as `-crf:v:1 23`: for the second picture only."""
    return [
        f"{word.removesuffix(':v')}:v:{number}" if word.startswith("-") else word
        for word in options
    ]


def _cpu(command: list[str]) -> float:
    """Seconds of CPU of one command."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        return _ended(process, command)


def _fed_cpu(feed: list[str], command: list[str]) -> float:
    """Seconds of CPU of `command`, which reads what `feed` writes; those of `feed` do not count."""
    with (
        subprocess.Popen(feed, stdout=subprocess.PIPE) as feeding,
        subprocess.Popen(
            [word for word in command if word != "-nostdin"],
            stdin=feeding.stdout,
            stdout=subprocess.DEVNULL,
        ) as process,
    ):
        if feeding.stdout is not None:
            feeding.stdout.close()
        return _ended(process, command)


def _ended(process: subprocess.Popen[bytes], command: list[str]) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime
