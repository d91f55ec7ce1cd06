from __future__ import annotations

from academy import logs
from academy.commands.parent import end_with_parent
from academy.settings import Settings
from academy.tracing import traced


def transcoder(*, with_parent: bool) -> None:
    """Claims and encodes until SIGTERM or SIGINT, then hands its leases back."""
    if with_parent:
        end_with_parent()
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    with traced(settings, "academy-transcoder"):
        from transcoding.dispatcher import run

        run(settings)
