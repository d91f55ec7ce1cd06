"""`academy gc`: what is stored though nobody needs it, and what is needed though it is not stored."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from rich.progress import Progress

from academy.commands.data_directory import local_settings
from academy.garbage import Garbage, Survey
from academy.holdings import Reason
from academy.settings import Settings
from academy.wiring import open_backend

SENTENCES: dict[Reason, str] = {
    Reason.UNKNOWN: "no document names them",
    Reason.LECTURE_GONE: "their lecture was deleted",
    Reason.SUPERSEDED: "their lecture plays newer media",
    Reason.GIVEN_UP: "their transcoding failed or was cancelled",
    Reason.STRAY: "segments without a receipt",
    Reason.PROBE: "left by a health check",
}


def gc(
    *, delete: bool, older_than: float, though_most: bool, as_json: bool, data_dir: Path | None
) -> None:
    """Looks, says what it found, and deletes only with `delete`. `older_than` in hours."""
    settings = local_settings(data_dir)
    asyncio.run(_gc(settings, timedelta(hours=older_than), delete, though_most, as_json))


async def _gc(
    settings: Settings, age: timedelta, delete: bool, though_most: bool, as_json: bool
) -> None:
    async with open_backend(settings) as backend:
        garbage = Garbage(backend.stores.holdings, backend.storage)
        survey = await garbage.survey(age)
        if as_json:
            print(json.dumps(_plain(survey)))
        else:
            print(*_report(survey), sep="\n")
        if not delete:
            if not as_json:
                print("Nothing was deleted: repeat with --delete.")
            return
        with Progress(disable=as_json, transient=True) as bar:
            task = bar.add_task("Deleting", total=len(survey.orphans) + len(survey.abandoned))
            swept = await garbage.sweep(
                survey, though_most=though_most, progress=lambda: bar.advance(task)
            )
        if as_json:
            print(json.dumps({"deleted": asdict(swept)}))
            return
        print(f"Deleted {swept.objects} objects ({swept.bytes:,} bytes), {swept.uploads} uploads.")
        for prefix in swept.needed_again:
            print(f"Left alone, since it is needed now: {prefix}")


def _report(survey: Survey) -> list[str]:
    lines = [f"{survey.objects} objects, {survey.bytes:,} bytes in storage."]
    totals: dict[tuple[str, Reason], list[int]] = defaultdict(lambda: [0, 0, 0])
    for orphan in survey.orphans:
        total = totals[orphan.kind, orphan.reason]
        for index, value in enumerate((1, orphan.objects, orphan.bytes)):
            total[index] += value
    for (kind, reason), (groups, objects, size) in sorted(totals.items()):
        lines.append(
            f"Garbage: {groups} × {kind}, {objects} objects, {size:,} bytes: {SENTENCES[reason]}."
        )
    if survey.abandoned:
        lines.append(
            f"Abandoned: {len(survey.abandoned)} multipart uploads that no document knows."
        )
    if survey.unlisted is not None:
        lines.append(
            f"Multipart uploads were not looked at ({survey.unlisted}) A lifecycle rule of the "
            "bucket must end abandoned ones: `academy storage setup`."
        )
    for missing in survey.missing:
        shown = ", ".join(missing.names[:3]) + (" …" if len(missing.names) > 3 else "")
        lines.append(
            f"MISSING: {missing.kind} {missing.id} of lecture {missing.lecture_id}: "
            f"{len(missing.names)} objects ({shown}). Restore them from a backup, or "
            + (
                "upload the recording again."
                if missing.kind == "recording"
                else "transcode the recording again."
            )
        )
    if len(lines) == 1:
        lines.append("No garbage, and nothing is missing.")
    return lines


def _plain(survey: Survey) -> dict[str, object]:
    return {
        "objects": survey.objects,
        "bytes": survey.bytes,
        "orphans": [asdict(each) for each in survey.orphans],
        "abandoned": [{"key": u.key, "upload_id": u.upload_id} for u in survey.abandoned],
        "missing": [asdict(each) for each in survey.missing],
    }
