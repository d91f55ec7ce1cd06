"""Whether what was measured is what it should be: frames, segments, quality."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import av

LIMIT: Final = 600
"""Seconds."""


def frames(playlist: Path) -> int:
    """Packets with pictures that a player which reads this media playlist gets."""
    with av.open(str(playlist), "r") as container:
        video = container.streams.video[0]
        return sum(packet.size > 0 for packet in container.demux(video))


def boundaries(playlist: Path) -> list[float]:
    """Where segments begin, seconds, to the millisecond."""
    lengths = [
        float(line[len("#EXTINF:") :].rstrip(","))
        for line in playlist.read_text().splitlines()
        if line.startswith("#EXTINF:")
    ]
    return [round(sum(lengths[:number]), 3) for number in range(len(lengths))]


def vmaf(ffmpeg: str, playlist: Path, source: Path, *, rate: float, every: int = 10) -> float:
    """Mean over every `every`th frame at the source's size. Frames are paired by their index: times that
    a container rounds would pair the wrong ones.
    """
    by_index = f"settb=1/{round(rate)},setpts=N"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        graph = (
            f"[0:v]{by_index},scale=1920:1080:flags=bicubic[d];[1:v]{by_index}[r];"
            f"[d][r]libvmaf=n_threads=2:n_subsample={every}:log_fmt=json:log_path={log}"
        )
        inputs = ["-i", str(playlist), "-i", str(source)]
        subprocess.run(
            [ffmpeg, "-nostdin", "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"],
            check=True,
            timeout=LIMIT,
        )
        told = json.loads(log.read_text())
    return float(told["pooled_metrics"]["vmaf"]["mean"])
