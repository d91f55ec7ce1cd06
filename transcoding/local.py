"""`academy transcode`: one local file to a folder, with the same pipeline and no database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from academy.errors import Invalid
from academy.jobs import Progress
from academy.media import Publication
from academy.settings import Settings
from transcoding import binary, profiles
from transcoding.chunk_progress import ChunkProgress, ChunkWatch
from transcoding.directory import SOURCE_KEY, DirectoryLedger, DirectoryStore
from transcoding.engine import open_engine
from transcoding.pipeline import Assignment, transcode


async def transcode_file(
    path: Path,
    outdir: Path,
    *,
    profile: str = "default",
    workers: int | None = None,
    watched: bool = False,
    scheduler: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_chunk: Callable[[ChunkProgress], None] | None = None,
) -> dict[str, Any]:
    """Transcodes `path` into `outdir` and returns a summary as JSON-ready data.

    `workers`: encoders at once, one per core by default. `watched`: as on the portal, what can be watched
    at once comes before the rest of the ladder. `scheduler`: of a Dask cluster whose workers see the same
    folders, instead of encoders in this process. An interrupted run goes on where it stopped.
    Raises RejectedMedia, Invalid, SettingsError, EncodingFailed.
    """
    began = time.monotonic()
    settings = Settings.load()
    chosen = profiles.load(profile)
    ledger, store = await asyncio.to_thread(_open, path, outdir, profile, on_progress)
    ffmpeg = asyncio.ensure_future(asyncio.to_thread(binary.find, settings.ffmpeg))
    try:
        elsewhere = settings.model_copy(update={"dask_scheduler": scheduler}) if scheduler else None
        async with open_engine(elsewhere, workers=workers, at_once=False) as engine:
            if on_chunk is not None:
                engine.listen(ledger.reference["token"], ChunkWatch(on_chunk))
            publication = await transcode(
                Assignment(
                    source_key=SOURCE_KEY,
                    filename=path.name,
                    attempt=ledger.attempt,
                    workspace=lambda _: ledger.reference,
                    prefix=lambda _: "",
                    watched=watched,
                ),
                engine=engine,
                storage=store,
                ledger=ledger,
                ffmpeg=ffmpeg,
                profile=chosen,
            )
    except BaseException:
        ledger.let_go()
        raise
    finally:
        if not ffmpeg.cancel() and not ffmpeg.cancelled():
            ffmpeg.exception()  # taken note of: whatever else failed came first and is told
    names = [receipt.name for receipt in await ledger.receipts("")]
    await asyncio.to_thread(ledger.finish, names)
    await asyncio.to_thread(store.tidy)
    return summary(publication, ledger, time.monotonic() - began)


def _open(
    path: Path, outdir: Path, profile: str, on_progress: Callable[[Progress], None] | None
) -> tuple[DirectoryLedger, DirectoryStore]:
    source = path.absolute()
    if not source.is_file():
        raise Invalid(f"There is no file {path}.", code="no_such_file")
    ledger = DirectoryLedger(outdir.absolute(), source, profile, on_progress)
    return ledger, DirectoryStore(ledger.root, source)


def summary(publication: Publication, ledger: DirectoryLedger, spent: float) -> dict[str, Any]:
    inspection = ledger.inspection
    return {
        "directory": str(ledger.root),
        "hls": publication.hls,
        "dash": publication.dash,
        "poster": publication.poster,
        "storyboard": publication.storyboard,
        "captions": [track.model_dump(mode="json") for track in publication.captions],
        "chapters": [chapter.model_dump(mode="json") for chapter in publication.chapters],
        "duration": publication.duration,
        "seconds": round(spent, 3),
        "speed": round(publication.duration / spent, 3),
        "bytes": sum(rendition.bytes for rendition in publication.renditions),
        "renditions": [rendition.model_dump(mode="json") for rendition in publication.renditions],
        "findings": [
            finding.model_dump(mode="json")
            for finding in (inspection.findings if inspection else [])
        ],
    }
