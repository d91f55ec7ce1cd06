from __future__ import annotations

import json

from academy.settings import Settings


def openapi() -> None:
    """Prints the document. No server, database or storage is needed, and no settings are read."""
    from api.app import create_app

    # model_construct: the document must not depend on the environment it is printed in.
    document = create_app(Settings.model_construct()).openapi()
    print(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))
