"""Brings events out of the outbox to the endpoints that want them, until it is told to stop.

Runs in every API process; claims in the database keep two from sending the same attempt. What a
killed process had claimed is sent by another one a minute later.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from academy.courses import now
from academy.errors import Unavailable
from academy.stores import WebhookStore
from academy.webhook_sending import AT_ONCE, Sender
from academy.webhooks import Delivery, Endpoint, Outcome, pause_after

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at an empty outbox: two indexed queries."""
JITTER: Final = 0.2
"""Share by which pauses vary, so that a receiver that comes back is not met by all at once."""
_dice: Final = random.SystemRandom()
"""Not the process's own: whoever seeds that is not disturbed by a thread beside."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    store: WebhookStore
    sender: Sender

    async def run(self, closing: asyncio.Event) -> None:
        """Until `closing`. What is being sent then is handed back."""
        running: set[asyncio.Task[None]] = set()
        while not closing.is_set():
            try:
                busy = await self._begin(running, closing)
            except Unavailable as error:
                log.warning("webhooks wait: %s", error)
                busy = False
            except Exception:
                # Ended by a bug, this loop would stop all webhooks without a word.
                log.exception("delivering webhooks failed")
                busy = False
            if not busy:
                await _until(closing, LOOK_EVERY)
        if running:
            await asyncio.wait(running)

    async def _begin(self, running: set[asyncio.Task[None]], closing: asyncio.Event) -> bool:
        """Fans out one event and begins one delivery, if there are any."""
        fanned = await self.store.fan_out()
        if len(running) >= AT_ONCE:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_EVERY)
            return True
        claimed = await self.store.claim()
        if claimed is not None:
            task = asyncio.create_task(self._deliver(*claimed, closing), name="webhook")
            running.add(task)
            task.add_done_callback(running.discard)
        return fanned or claimed is not None

    async def _deliver(
        self, delivery: Delivery, endpoint: Endpoint, closing: asyncio.Event
    ) -> None:
        try:
            if not endpoint.enabled:
                outcome = Outcome(error="The webhook is disabled: enable it and replay this.")
                await self.store.settle(delivery, outcome, None)
                return
            sending = asyncio.ensure_future(self.sender.send(delivery, endpoint, at=now()))
            stop = asyncio.ensure_future(closing.wait())
            await asyncio.wait({sending, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if not sending.done():
                sending.cancel()
                await asyncio.wait({sending})
                await self.store.hand_back(delivery)
                return
            await self._settle(delivery, endpoint, sending.result())
        except Unavailable as error:
            log.warning("a webhook's outcome is not recorded, it will be sent again: %s", error)
        except Exception:
            log.exception("a webhook's delivery failed")

    async def _settle(self, delivery: Delivery, endpoint: Endpoint, outcome: Outcome) -> None:
        if outcome.gone:
            await self.store.switch_off(endpoint.id, outcome.error or "")
            await self.store.settle(delivery, outcome, None)
            return
        pause = pause_after(delivery.attempts, outcome.wait)
        await self.store.settle(delivery, outcome, pause and _varied(pause))
        if outcome.error is not None:
            # Without the address: it may hold a receiver's own secret.
            log.info("webhook %s: %s", endpoint.id, outcome.error)


@asynccontextmanager
async def delivering(
    store: WebhookStore, sender: Sender, closing: asyncio.Event
) -> AsyncIterator[None]:
    """Delivers in the background until `closing`, which must be set before this is left."""
    async with sender:
        task = asyncio.create_task(Deliverer(store, sender).run(closing), name="webhooks")
        try:
            yield
        finally:
            await task


def _varied(pause: timedelta) -> timedelta:
    return pause * _dice.uniform(1, 1 + JITTER)


async def _until(event: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({waiting}, timeout=seconds)
    waiting.cancel()
