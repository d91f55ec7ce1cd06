from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Plan, soak


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--uploads", type=int, default=100)
    words.add_argument("--kills", type=int, default=500)
    words.add_argument("--seconds", type=int, default=10)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    # Stopped from outside, the services and the small disk go all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(asked.uploads, asked.kills, asked.seconds, asked.seed, rest=3600.0)
    with tempfile.TemporaryDirectory(prefix="academy-soak-") as folder:
        mischief, verdict = soak(plan, Path(folder))
    for each in mischief.left_out():
        print(each)
    print(verdict.line(mischief.kills))
    return 0 if verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
