"""What a driver does to an installation, at random but repeatably (`seed`)."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from academy.jobs import LEASE
from tests.soak.town import Town

MONGOD_EVERY = 25.0
"""Seconds: its guardian starts it again three times a minute at most."""
PAST_LEASE = LEASE.total_seconds() + 3
DISK_FULL = 2.0


@dataclass
class Mischief:
    town: Town
    seed: int
    pace: tuple[float, float] = (0.5, 2.5)
    """Seconds between two deeds."""
    done: Counter[str] = field(default_factory=Counter)
    killed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When each was killed (`time.monotonic`)."""
    _mongod_at: float = 0.0
    _pausing: threading.Thread | None = None

    @property
    def kills(self) -> int:
        return sum(count for name, count in self.done.items() if name.startswith("kill"))

    def left_out(self) -> list[str]:
        """What this run says nothing about, as sentences."""
        if self.done["fill disk"]:
            return []
        if self.town.disk is None:
            return ["The workers' disk was never full: no small one could be mounted (root can)."]
        return ["The workers' disk was never full: chance did not have it so."]

    def go_on(self, kills: int, allowed: Callable[[], int]) -> None:
        """Until so many were killed, never more than are `allowed` by then."""
        chance = random.Random(self.seed)
        self._pause()
        while self.kills < kills:
            time.sleep(chance.uniform(*self.pace))
            if self.kills >= allowed():
                continue
            deeds: list[tuple[Callable[[], None], int]] = [
                *((self._killer(name), 3) for name in self.town.services if name != "swift"),
                *((self._killer("swift"), 2), (self._mongod, 2)),
                *((self._drop, 3), (self._delay, 2), (self._fill, 2), (self._pause, 1)),
            ]
            chance.choices([d for d, _ in deeds], [weight for _, weight in deeds])[0]()
        if self._pausing is not None:
            self._pausing.join()

    def _killer(self, name: str) -> Callable[[], None]:
        def kill() -> None:
            if self.town.services[name].kill():
                self.killed[name].append(time.monotonic())
                self.done[f"kill {name}"] += 1

        return kill

    def _mongod(self) -> None:
        mongod = self.town.mongod()
        if mongod is None or time.monotonic() - self._mongod_at < MONGOD_EVERY:
            return
        self._mongod_at = time.monotonic()
        self.killed["mongod"].append(self._mongod_at)
        try:
            mongod.kill()
        except psutil.NoSuchProcess:
            return
        self.done["kill mongod"] += 1

    def _drop(self) -> None:
        for name, proxy in self.town.proxies.items():
            self.done[f"drop {name}"] += proxy.drop()

    def _delay(self) -> None:
        for name, proxy in self.town.proxies.items():
            proxy.delay = 0.02
            self.done[f"delay {name}"] += 1
        time.sleep(1.5)
        for proxy in self.town.proxies.values():
            proxy.delay = 0.0

    def _fill(self) -> None:
        """The workers' disk, for some seconds."""
        if self.town.disk is None:
            return
        filler = self.town.disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            time.sleep(DISK_FULL)
        filler.unlink()
        self.done["fill disk"] += 1

    def _pause(self) -> None:
        """One dispatcher stands still until its leases have run out, and then goes on."""
        if self._pausing is not None and self._pausing.is_alive():
            return
        service = self.town.services["transcoder-0"]
        self._pausing = threading.Thread(target=service.pause, args=(PAST_LEASE,), daemon=True)
        self._pausing.start()
        self.done["pause dispatcher"] += 1
