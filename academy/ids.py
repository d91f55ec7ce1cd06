"""Opaque, unguessable identifiers."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=80)]


def new_id() -> str:
    """128 random bits as 32 hexadecimal digits: unguessable, safe in paths and object keys."""
    return secrets.token_hex(16)
