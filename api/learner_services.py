"""What learners' routes work with, built once per process: the buffer of heartbeats, badges, print."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from academy.audience import Audiences
from academy.badge_keys import BadgeKeys
from academy.badges import BadgeIssuer
from academy.certificate_print import CertificatePrinter
from academy.certificates import Certificate
from academy.heartbeats import HeartbeatBuffer
from academy.learner_stores import LearnerStores
from academy.public_lectures import PublicLectures
from academy.settings import Settings
from academy.typefaces import Typeface

FONTS: Final = Path(__file__).parent / "portal/node_modules/@fontsource-variable/noto-sans-sc"
PRINTED: Final = 100
"""Pages kept, about 25 kB each."""


@dataclass(slots=True)
class PrintShop:
    """Pages as PDF, two at a time in threads; the last ones are kept, since anybody may ask for them."""

    settings: Settings
    _printer: CertificatePrinter | None = None
    _printed: OrderedDict[tuple[str, str, bool], bytes] = field(default_factory=OrderedDict)
    _presses: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def page(self, certificate: Certificate, language: str) -> bytes:
        """Unavailable without the font package."""
        key = (certificate.code, language, certificate.valid)
        async with self._presses:
            page = self._printed.pop(key, None)
            if page is None:
                page = await asyncio.to_thread(self._print, certificate, language)
            self._printed[key] = page
            while len(self._printed) > PRINTED:
                self._printed.popitem(last=False)
        return page

    def _print(self, certificate: Certificate, language: str) -> bytes:
        if self._printer is None:
            self._printer = CertificatePrinter(
                Typeface(FONTS), self.settings.public_url, self.settings.issuer_name
            )
        return self._printer.pdf(certificate, language)


@dataclass(frozen=True, slots=True)
class LearnerServices:
    heartbeats: HeartbeatBuffer
    lectures: PublicLectures
    audiences: Audiences
    prints: PrintShop
    badges: BadgeIssuer | None
    """None where no keys were given."""

    @classmethod
    def of(cls, stores: LearnerStores, settings: Settings) -> LearnerServices:
        """Raises SettingsError for keys that cannot be read."""
        keys = BadgeKeys.read(settings.badge_keys) if settings.badge_keys else None
        return cls(
            heartbeats=HeartbeatBuffer(stores.progress),
            lectures=PublicLectures(stores.courses, time.monotonic),
            audiences=Audiences(stores, time.monotonic),
            prints=PrintShop(settings),
            badges=BadgeIssuer(keys, settings.public_url, settings.issuer_name) if keys else None,
        )

    async def close(self) -> None:
        await self.heartbeats.close()
