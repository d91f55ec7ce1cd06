"""`academy retranscode`: a whole catalogue again, with another profile or a newer encoder.

Viewers keep what they have until the new media of a lecture are whole. A campaign's name makes the
command repeatable: each recording is queued once in a campaign, however often it is given, until another
campaign has made something else of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from academy.commands.data_directory import local_settings
from academy.commands.display import Display, display_on
from academy.correlation import working_for
from academy.errors import Invalid
from academy.ids import new_id
from academy.jobs import ACTIVE, JobState
from academy.mongo.stores import MongoStores
from academy.operating import Again
from academy.settings import Settings
from transcoding import profiles

LOOK_EVERY: Final = 2.0
"""Seconds."""
ENDED: Final = frozenset(JobState) - ACTIVE


def retranscode(
    *,
    profile: str | None,
    course: str | None,
    everything: bool,
    campaign: str | None,
    wait: bool,
    dry_run: bool,
    data_dir: Path | None,
) -> None:
    """Queues what is not in the campaign yet; with `wait` follows it until all of it has ended."""
    if everything == (course is not None):
        raise Invalid("Give --course SLUG, or --all for the whole catalogue.")
    settings = local_settings(data_dir)
    used = profiles.load(profile or settings.profile)
    # The profile's contents are part of the name: after a change of it, the same command does it again.
    digest = hashlib.sha256(used.model_dump_json().encode()).hexdigest()[:10]
    name = campaign or f"{used.name}-{digest}"
    with working_for(request=new_id()):
        try:
            asyncio.run(_run(settings, profile, course, name, wait=wait, dry_run=dry_run))
        except KeyboardInterrupt:
            # What is queued stays so: transcoders go on with it.
            print("Interrupted. Give the same command again to go on from here.", file=sys.stderr)
            sys.exit(130)


async def _run(
    settings: Settings,
    profile: str | None,
    course: str | None,
    campaign: str,
    *,
    wait: bool,
    dry_run: bool,
) -> None:
    stores = await MongoStores.open(settings.require_mongodb_url(), settings.mongodb_database)
    try:
        lectures = await stores.operating.candidates(course)
        todo = [each for each in lectures if each.campaign != campaign]
        print(f"Campaign {campaign}: {len(lectures)} lectures, {len(todo)} of them not in it yet.")
        if dry_run:
            return
        with display_on(sys.stderr) as display:
            skipped = await _queue(stores, todo, profile, campaign, display)
            if skipped:
                print(f"{skipped} are being transcoded anyway: give the command again afterwards.")
            if wait:
                await _follow(stores, campaign, display)
        counts = await stores.operating.campaign(campaign)
        told = ", ".join(f"{counts[state]} {state.value}" for state in JobState if state in counts)
        print(f"Campaign {campaign}: {told or 'nothing to do'}.")
    finally:
        await stores.close()


async def _queue(
    stores: MongoStores,
    todo: Sequence[Again],
    profile: str | None,
    campaign: str,
    display: Display,
) -> int:
    """How many were left out, since they have a job under way."""
    skipped = 0
    with display.bar("Queueing", len(todo)) as advance:
        for each in todo:
            job = await stores.operating.transcode_again(each, profile=profile, campaign=campaign)
            skipped += job is None
            advance(1, state=each.lecture_id)
    return skipped


async def _follow(stores: MongoStores, campaign: str, display: Display) -> None:
    counts = await stores.operating.campaign(campaign)
    total, shown = sum(counts.values()), 0
    with display.bar("Transcoding", total) as advance:
        while True:
            ended = sum(count for state, count in counts.items() if state in ENDED)
            advance(ended - shown, state=f"{ended} of {total}")
            shown = ended
            if ended >= total:
                return
            await asyncio.sleep(LOOK_EVERY)
            counts = await stores.operating.campaign(campaign)
            total = max(total, sum(counts.values()))
