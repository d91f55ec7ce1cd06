"""Where a task reads, writes and reports: storage and journal from a plain reference.

Tasks carry references, never credentials. `{"kind": "directory", …}` is a folder on this machine
(`academy transcode`); any other kind is resolved from the worker's own settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from academy.media import media_prefix
from academy.object_stores import ObjectStore
from academy.recording_stores import Journal
from transcoding.directory import DirectoryJournal, DirectoryStore


@dataclass(frozen=True, slots=True)
class Workspace:
    storage: ObjectStore
    journal: Journal
    prefix: str
    """Of the media's objects: empty or ending in `/`."""

    def key(self, name: str) -> str:
        return self.prefix + name


def open_workspace(reference: Mapping[str, Any]) -> Workspace:
    """Raises SettingsError when this worker's environment is incomplete."""
    if reference["kind"] == "directory":
        store = DirectoryStore.of(reference)
        return Workspace(store, DirectoryJournal(store.root, str(reference["token"])), prefix="")
    # Late: a folder needs neither database nor bucket, nor their libraries.
    from academy.wiring import WorkspaceReference, worker_workspace

    storage, journal = worker_workspace(cast("WorkspaceReference", reference))
    return Workspace(storage, journal, media_prefix(str(reference["media_id"])))
