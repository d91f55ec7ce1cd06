"""`academy storage …`: the bucket's set-up, and how much is stored."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from academy.accounting import Usage
from academy.commands.data_directory import local_settings
from academy.settings import Settings
from academy.storage import open_storage
from academy.storage_stores import AccountingStore
from academy.store_values import Page, Position
from academy.wiring import open_backend

COLUMNS = ("lectures", "recordings", "sources", "media", "pending", "total")


def setup(*, data_dir: Path | None) -> None:
    """One line each. Exit status 1 without a bucket; what else could not be set is said, since it may
    be set elsewhere and `academy doctor` tells whether it works.
    """
    settings = local_settings(data_dir)
    storage = open_storage(settings, None)
    from academy.storage.bucket import set_up
    from academy.storage.s3 import S3Storage

    if not isinstance(storage, S3Storage):
        print("The storage is a folder: it needs no bucket.")
        return
    failed = False
    for step in set_up(storage, settings):
        failed = failed or (step.name == "bucket" and step.done is False)
        mark = {True: "ok", None: "note", False: "WRONG"}[step.done]
        print(f"{mark:<6}{step.name}: {step.detail}")
    if failed:
        sys.exit(1)


def usage(*, by: Literal["course", "instructor"], data_dir: Path | None) -> None:
    """A table in bytes, and the sum of everything."""
    asyncio.run(_usage(local_settings(data_dir), by))


async def _usage(settings: Settings, by: Literal["course", "instructor"]) -> None:
    async with open_backend(settings) as backend:
        accounting = backend.stores.accounting
        table = Table(box=None)
        table.add_column(by)
        for name in COLUMNS:
            table.add_column(name, justify="right")
        after: Position | None = None
        while True:
            page = await _page(accounting, by, after)
            for name, used in page.items:
                table.add_row(name, *_figures(used))
            after = page.next
            if after is None:
                break
        table.add_row("everything", *_figures(await accounting.total()))
        Console(soft_wrap=True).print(table)


async def _page(
    accounting: AccountingStore, by: str, after: Position | None
) -> Page[tuple[str, Usage]]:
    if by == "course":
        courses = await accounting.courses(limit=100, after=after)
        return Page([(each.course, each) for each in courses.items], courses.next)
    owners = await accounting.owners(limit=100, after=after)
    return Page([(each.owner, each) for each in owners.items], owners.next)


def _figures(used: Usage) -> list[str]:
    return [f"{getattr(used, name):,}" for name in COLUMNS]
