"""A service started by `academy up` ends with it, even when `up` is killed without a word.

Its standard input is a pipe that only `up` holds open: the kernel closes it however `up` ends, and
the service then stops as it would on SIGTERM, handing back what it holds. Works wherever pipes do.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Final

PATIENCE: Final = 20.0
"""Seconds to stop in order before the process ends regardless."""


def end_with_parent() -> None:
    """Watches standard input from a daemon thread."""
    threading.Thread(target=_watch, name="watch the parent", daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(PATIENCE)
    os._exit(1)
