from __future__ import annotations

from academy.commands.parent import end_with_parent
from academy.settings import Settings


def api(*, host: str, port: int, with_parent: bool) -> None:
    """Serves until SIGTERM or SIGINT."""
    if with_parent:
        end_with_parent()
    from api.server import serve

    serve(Settings.load(), host, port)
