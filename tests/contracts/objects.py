"""What the object stores' contract puts and lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from academy.object_stores import ObjectStore
from tests.fixtures_storage import SLOW_SERVERS

everywhere = pytest.mark.parametrize(
    "storage", ["disk", "s3", "s3-prefix", *SLOW_SERVERS], indirect=True
)

KEY = "media/9f/v720/12-1.m4s"
BODY = bytes(range(256)) * 20


def put(store: ObjectStore, key: str = KEY, body: bytes | Path = BODY) -> None:
    store.put(key, body, content_type="video/mp4", cache_control="public, max-age=60")


def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [info.key for info in store.list(prefix)]
