"""`python -m tests.openapi_drift`: exits 1 when docs/openapi.json is not what the code describes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from academy.settings import Settings
from api.app import create_app

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"


def described() -> dict[str, Any]:
    """The document of the code. No server, database or environment is needed."""
    made: dict[str, Any] = json.loads(json.dumps(create_app(Settings.model_construct()).openapi()))
    return made


def differences(kept: Any, made: Any, pointer: str = "") -> list[str]:
    """JSON Pointers of what differs, in words."""
    if isinstance(kept, dict) and isinstance(made, dict):
        found: list[str] = []
        for name in sorted({*kept, *made}):
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in made:
                found.append(f"{below} is only in the file")
            elif name not in kept:
                found.append(f"{below} is only in the code")
            else:
                found += differences(kept[name], made[name], below)
        return found
    return [] if kept == made else [f"{pointer} differs"]


def main() -> int:
    kept = json.loads(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else {}
    found = differences(kept, described())
    if not found:
        return 0
    shown = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
    print(f"docs/openapi.json is not current: {shown}. Run `make openapi` and commit the result.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
