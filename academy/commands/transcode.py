"""`academy transcode`: the pipeline on a local file, to judge the encoder without a database."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from academy.commands.display import Display, display_on
from academy.findings import sentence
from academy.jobs import Progress
from academy.recordings import Finding


def transcode(file: Path, outdir: Path, *, profile: str, workers: int | None) -> None:
    """Progress on stderr; the summary as JSON on stdout, last. Raises AcademyError."""
    from transcoding.chunk_progress import ChunkProgress
    from transcoding.local import transcode_file

    display = display_on(sys.stderr)
    try:
        with display, display.bar("Transcoding", 1.0) as move:
            reached = 0.0

            def show(progress: Progress) -> None:
                nonlocal reached
                move(
                    progress.fraction - reached,
                    state=progress.stage,
                    speed=progress.speed,
                    eta=progress.eta,
                )
                reached = progress.fraction

            def show_chunk(chunk: ChunkProgress) -> None:
                display.part(chunk.name, chunk.share, chunk.speed)

            summary = asyncio.run(
                transcode_file(
                    file,
                    outdir,
                    profile=profile,
                    workers=workers,
                    on_progress=show,
                    on_chunk=show_chunk,
                )
            )
            move(1.0 - reached, state="done")
        _tell_findings(display, summary)
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again to go on from here.", file=sys.stderr)
        sys.exit(130)
    print(json.dumps(summary, indent=2, ensure_ascii=False))


def _tell_findings(display: Display, summary: dict[str, object]) -> None:
    findings = summary.get("findings")
    for finding in findings if isinstance(findings, list) else []:
        told = Finding.model_validate(finding)
        display.say(f"{told.severity}: {sentence(told, languages(os.environ))}")


def languages(environment: Mapping[str, str]) -> list[str]:
    """What the terminal is set to, as BCP 47: `fr_CA.UTF-8` is fr-CA. The summary stays English: programs
    read it.
    """
    locale = next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)),
        "C",
    )
    # As gettext has it: LANGUAGE is a list of wishes, and counts only where a language is set at all.
    plain = locale.partition(".")[0] in {"C", "POSIX"}
    named = locale if plain else environment.get("LANGUAGE") or locale
    tags = (each.partition(".")[0].partition("@")[0].replace("_", "-") for each in named.split(":"))
    return [tag for tag in tags if tag not in {"", "C", "POSIX"}]
