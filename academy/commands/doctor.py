"""`academy doctor`: one line for each thing the services depend on, with the remedy where it is wrong."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from academy.commands.data_directory import local_settings
from academy.errors import AcademyError, SettingsError
from academy.keys import KeyRing
from academy.settings import Settings

PATIENCE: Final = 60.0
"""Seconds for one part; what takes longer counts as wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """`good` None: worse than it could be, but everything works."""

    part: str
    good: bool | None
    text: str

    def __str__(self) -> str:
        mark = {True: "ok", None: "note", False: "WRONG"}[self.good]
        return f"{mark:<6}{self.part}: {self.text}"


Check = Callable[[Settings], Awaitable[Sequence[Line]]]


def doctor(*, data_dir: Path | None) -> None:
    """Prints the lines; exit status 1 when something is wrong."""
    settings = local_settings(data_dir)
    lines = asyncio.run(examine(settings))
    for line in lines:
        print(line)
    if any(line.good is False for line in lines):
        sys.exit(1)


async def examine(settings: Settings) -> list[Line]:
    """All parts, at the same time; their lines in order."""
    parts: Iterable[tuple[str, Check]] = (
        ("Secret key", _secret),
        ("MongoDB", _mongodb),
        ("Storage", _storage),
        ("ffmpeg", _ffmpeg),
        ("Dask", _dask),
    )
    found = await asyncio.gather(*(_guarded(part, check, settings) for part, check in parts))
    return [line for lines in found for line in lines]


async def _guarded(part: str, check: Check, settings: Settings) -> Sequence[Line]:
    try:
        return await asyncio.wait_for(check(settings), PATIENCE)
    except AcademyError as error:
        return [Line(part, False, error.message)]
    except TimeoutError:
        return [
            Line(part, False, f"no answer within {PATIENCE:g} s: see whether it is overloaded.")
        ]


async def _secret(settings: Settings) -> Sequence[Line]:
    if settings.secret_key is None:
        text = "none yet: `academy up` makes one; elsewhere set ACADEMY_SECRET_KEY"
        return [Line("Secret key", None, text)]
    return [Line("Secret key", True, "set")]


async def _mongodb(settings: Settings) -> Sequence[Line]:
    if settings.mongodb_url is None:
        return [Line("MongoDB", True, await asyncio.to_thread(_embedded))]
    from academy.mongo.stores import MongoStores

    stores = await MongoStores.open(settings.mongodb_url, settings.mongodb_database)
    try:
        info = await stores.client.server_info()
        return [Line("MongoDB", True, f"answers, version {info['version']}, replica set")]
    finally:
        await stores.close()


def _embedded() -> str:
    """SettingsError when `academy up` could not start its own."""
    from academy.embedded import find_mongod

    mongod = find_mongod()
    try:
        ended = subprocess.run(
            [mongod, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or str(error)
        last = str(output).strip().splitlines()[-1:]
        raise SettingsError(
            f"{mongod} cannot run ({''.join(last)}): install what it misses (Debian: "
            "`apt-get install libcurl4`), or set ACADEMY_MONGODB_URL to a replica set."
        ) from error
    version = ended.stdout.splitlines()[0].removeprefix("db version ")
    return f"not running; `academy up` starts its own, {version} ({mongod})"


async def _storage(settings: Settings) -> Sequence[Line]:
    if settings.storage_url is None:
        folder = settings.data_dir.absolute() / "storage"
        return [Line("Storage", True, f"not running; `academy up` keeps objects in {folder}")]
    from academy.storage import open_storage
    from academy.storage.checks import check_storage

    keys = KeyRing(settings.secret_key) if settings.secret_key else None
    storage = await asyncio.to_thread(open_storage, settings, keys)
    checks = await asyncio.to_thread(check_storage, storage, settings)
    return [Line(f"Storage {check.name}", check.ok, check.detail) for check in checks]


async def _ffmpeg(settings: Settings) -> Sequence[Line]:
    from transcoding.binary import find

    ffmpeg = await asyncio.to_thread(find, settings.ffmpeg)
    lines = [Line("ffmpeg", True, f"{ffmpeg.version} from {ffmpeg.path} ({ffmpeg.origin})")]
    if ffmpeg.lacking:
        lacks = ", ".join(ffmpeg.lacking)
        text = (
            f"lacks {lacks}: some recordings come out worse. `pip install imageio-ffmpeg` has them."
        )
        lines.append(Line("ffmpeg", None, text))
    return lines


async def _dask(settings: Settings) -> Sequence[Line]:
    from transcoding.engine import cores, open_engine

    if settings.dask_scheduler is None:
        text = f"inside the transcoder, {cores()} encoders at a time"
        return [Line("Dask", True, text)]
    async with open_engine(settings) as engine:
        slots = await engine.slots()
    if slots == 0:
        text = (
            f"{settings.dask_scheduler} answers but has no worker with the resource `encoder`: "
            "start some with `dask worker … --resources encoder=1`."
        )
        return [Line("Dask", False, text)]
    return [Line("Dask", True, f"{settings.dask_scheduler}, {slots} encoders")]
