"""Small real recordings, each made once per test run: xdist's workers share them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.encoder import encoder
from tests.fixtures_shared import alone
from tests.footage import KINDS, make
from transcoding import binary

Footage = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> binary.FFmpeg:
    return encoder()


@pytest.fixture(scope="session")
def footage(shared_folder: Path) -> Footage:
    """`footage("webm", duration=4)` is the path of such a recording. Copy before changing it."""
    folder = shared_folder / "footage"
    folder.mkdir(exist_ok=True)

    def get(kind: str, **options: Any) -> Path:
        named = repr(sorted(options.items()))
        mark = hashlib.sha256(named.encode()).hexdigest()[:6] if options else ""
        path = folder / f"{kind}{mark}{KINDS[kind].suffix}"
        if not path.exists():
            with alone(path):
                if not path.exists():
                    make(kind, folder / f"unfinished-{path.name}", **options).rename(path)
        return path

    return get
