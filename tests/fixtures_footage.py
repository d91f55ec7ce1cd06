"""Small real recordings, each made once per test session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.footage import KINDS, make
from transcoding import binary

Footage = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> binary.FFmpeg:
    return binary.find()


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    """`footage("webm", duration=4)` is the path of such a recording. Copy before changing it."""
    folder = tmp_path_factory.mktemp("footage")
    made: dict[tuple[str, str], Path] = {}

    def get(kind: str, **options: Any) -> Path:
        named = repr(sorted(options.items()))
        if (kind, named) not in made:
            mark = hashlib.sha256(named.encode()).hexdigest()[:6] if options else ""
            path = folder / f"{kind}{mark}{KINDS[kind].suffix}"
            made[kind, named] = make(kind, path, **options)
        return made[kind, named]

    return get
