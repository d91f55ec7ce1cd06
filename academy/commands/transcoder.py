from __future__ import annotations

import logging

from academy.commands.parent import end_with_parent
from academy.settings import Settings


def transcoder(*, with_parent: bool) -> None:
    """Claims and encodes until SIGTERM or SIGINT, then hands its leases back."""
    if with_parent:
        end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    from transcoding.dispatcher import run

    run(Settings.load())
