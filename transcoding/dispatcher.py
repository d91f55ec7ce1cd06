"""Claims jobs, runs each through the pipeline under its lease, and records how it ended.

One dispatcher holds several leases, so that the first chunk of one lecture overtakes a late chunk of
another. It owns no state: whatever it knows is in the job's document, and another dispatcher can go on
from there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from typing import Final

from academy.errors import LeaseLost, SettingsError, Unavailable
from academy.jobs import Job
from academy.operating import REPORT_EVERY
from academy.settings import Settings
from academy.wiring import Backend, open_backend, workbench
from transcoding import profiles
from transcoding.binary import FFmpeg, find
from transcoding.engine import Engine, cores, open_engine
from transcoding.metrics import Metrics, served
from transcoding.profiles import Profile
from transcoding.shift import Shift

MOST_LEASES: Final = 12
"""Jobs in work at once; their chunks share the encoders by priority. A lecture that comes while long ones
are encoded gets its first seconds before their later ones, so it must not wait for one of them to end."""

PLANNING: Final = max(2, cores())
"""Recordings looked at and planned at once. All twelve together would all be late, and a transcoder that
ends before it froze a plan has worked for nothing."""
LONG_PLANNING: Final = 30.0
"""Seconds after which a recording that is still being looked at keeps nobody from being next."""

log = logging.getLogger(__name__)


class Dispatcher:
    def __init__(
        self,
        backend: Backend,
        engine: Engine,
        ffmpeg: FFmpeg,
        profile: Profile,
        *,
        bench: str,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._backend = backend
        self._engine = engine
        self._ffmpeg = ffmpeg
        self._profile = profile
        self._bench = bench
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._shifts: dict[asyncio.Task[None], Shift] = {}
        self._changed = asyncio.Event()

    async def serve(self) -> None:
        """Until cancelled; then hands every lease back."""
        listener = asyncio.create_task(self._listen(), name="listen for jobs")
        reporter = asyncio.create_task(self._keep_reporting(), name="signs of life")
        try:
            while True:
                self._changed.clear()
                await self._claim_what_fits()
                for shift in self._shifts.values():
                    shift.look_up()
                with suppress(TimeoutError):
                    # Not for ever where others wait for a long planning to end.
                    async with asyncio.timeout(LONG_PLANNING if self._planning() else None):
                        await self._changed.wait()
        finally:
            listener.cancel()
            reporter.cancel()
            await self._stop_shifts()
            await asyncio.gather(listener, reporter, return_exceptions=True)
            with suppress(Unavailable):
                await self._backend.stores.operating.leave(self._owner)

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._backend.stores.jobs.changes():
                    self._changed.set()
            except Unavailable as error:
                log.warning("The database does not answer (%s): trying again.", error)
                await asyncio.sleep(1)

    async def _keep_reporting(self) -> None:
        """Tells operators that this transcoder is there, and what it has."""
        while True:
            try:
                slots: int | None = await self._engine.slots()
            except Unavailable:
                slots = None
            self._metrics.leases.set(len(self._shifts))
            self._metrics.encoders.set(slots or 0)
            try:
                await self._backend.stores.operating.report(
                    self._owner,
                    leases=len(self._shifts),
                    encoders=slots,
                    encoder=self._ffmpeg.version,
                    profile=self._profile.name,
                )
            except Unavailable as error:
                log.debug("No sign of life could be given: %s", error)
            await asyncio.sleep(REPORT_EVERY)

    async def _claim_what_fits(self) -> None:
        while len(self._shifts) < MOST_LEASES and self._planning() < PLANNING:
            try:
                job = await self._backend.stores.jobs.claim_next(self._owner)
            except Unavailable as error:
                log.warning("No job could be claimed (%s): trying again.", error)
                return
            if job is None:
                return
            self._begin(job)

    def _planning(self) -> int:
        """Jobs in work whose plan is not frozen yet, those apart that take long about it."""
        return sum(shift.planning_for(LONG_PLANNING) for shift in self._shifts.values())

    def _begin(self, job: Job) -> None:
        shift = Shift(
            job,
            self._backend,
            self._engine,
            self._ffmpeg,
            self._profile,
            bench=self._bench,
            rank=lambda: self._rank(job),
            metrics=self._metrics,
            on_planned=self._changed.set,
        )
        task = asyncio.create_task(shift.run(), name=f"job {job.id}")
        self._shifts[task] = shift
        task.add_done_callback(self._ended)

    def _rank(self, job: Job) -> int:
        """How many older jobs of the same instructor are in work here."""
        jobs = [shift.job for shift in self._shifts.values()]
        return sum(
            each.instructor == job.instructor and each.created_at < job.created_at for each in jobs
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._shifts[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A job ended in a way nobody foresaw.", exc_info=error)
        self._changed.set()

    async def _stop_shifts(self) -> None:
        tasks = list(self._shifts)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve(settings: Settings) -> None:
    """The transcoder service, until SIGTERM or SIGINT."""
    profile = profiles.load(settings.profile)
    ffmpeg = find(settings.ffmpeg)
    if ffmpeg.missing:
        raise SettingsError(
            f"{ffmpeg.path} lacks {', '.join(ffmpeg.missing)}: "
            "install a fuller ffmpeg or unset ACADEMY_FFMPEG."
        )
    async with open_backend(settings) as backend, open_engine(settings) as engine:
        metrics = Metrics()
        with workbench(settings) as bench, served(metrics, settings):
            dispatcher = Dispatcher(backend, engine, ffmpeg, profile, bench=bench, metrics=metrics)
            work = asyncio.create_task(dispatcher.serve(), name="dispatcher")
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, work.cancel)
            log.info("Transcoder ready: ffmpeg %s.", ffmpeg.version)
            with suppress(asyncio.CancelledError, LeaseLost):
                await work


def run(settings: Settings) -> None:
    asyncio.run(serve(settings))
