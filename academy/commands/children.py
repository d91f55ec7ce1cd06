"""A service as a child process of `academy up`: kept running, its output kept, stopped in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from academy.errors import SettingsError, Unavailable

GRACE: Final = 25.0
"""Seconds between SIGTERM and SIGKILL."""
STEADY: Final = 30.0
"""Seconds of life after which earlier deaths are forgotten."""
MOST_DEATHS: Final = 5
"""In a row, before `up` gives up."""
LONGEST_PAUSE: Final = 15.0
KEPT_LINES: Final = 20
WRONG_SETTINGS: Final = 2
"""Exit status that no restart can help."""

Report = Callable[[str], None]


class Child:
    """One command of ours. Its standard input stays open as long as this process lives. Its output goes to `log`; the last lines are kept for a report."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        report: Report,
    ) -> None:
        self.name = name
        self.deaths = 0
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._report = report
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)

    async def keep_running(self) -> None:
        """Restarts it whenever it ends, until cancelled; then stops it.

        SettingsError when it ended because of a setting; Unavailable when it keeps dying.
        """
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            status = await self._run_once()
            if status == WRONG_SETTINGS:
                raise SettingsError(self._lines[-1] if self._lines else f"{self.name}: exit 2")
            self.deaths = 1 if loop.time() - begun > STEADY else self.deaths + 1
            ending = f"The {self.name} ended with status {status}."
            if self.deaths >= MOST_DEATHS:
                raise Unavailable(f"{ending} It will not be started again.\n{self._tail()}")
            pause = min(LONGEST_PAUSE, 2.0 ** (self.deaths - 1) / 2)
            self._report(f"{ending} Starting it again in {pause:g} s.\n{self._tail()}")
            await asyncio.sleep(pause)

    async def _run_once(self) -> int:
        self._lines.clear()
        # A session of its own: Ctrl-C in the terminal reaches `up` only, which stops all in order.
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
        )
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        reading = asyncio.create_task(self._keep_output(process.stdout))
        try:
            status = await process.wait()
        finally:
            await _stop(process)
            # Whatever it started and left behind may hold the pipe open.
            await asyncio.wait({reading}, timeout=1)
            reading.cancel()
        return status

    async def _keep_output(self, stream: asyncio.StreamReader) -> None:
        with self._log.open("ab") as log:
            while True:
                try:
                    line = await stream.readline()
                except ValueError:  # a line beyond the limit: the reader dropped it
                    continue
                if not line:
                    return
                self._lines.append(line.decode(errors="replace").rstrip())
                _append(log, line)

    def _tail(self) -> str:
        return "\n".join(f"  {self.name} | {line}" for line in self._lines)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _append(log: BinaryIO, line: bytes) -> None:
    log.write(line)
    log.flush()
