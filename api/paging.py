"""Cursors: a store's position, made opaque and signed, valid only for the same list."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Query

from academy.errors import BadCursor
from academy.keys import KeyRing
from academy.store_values import Position

Limit = Annotated[int, Query(ge=1, le=100, description="Items per page")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`next_cursor` of the page before; opaque"),
]
USUAL_LIMIT = 20


def scope_of(name: str, **filters: object) -> str:
    """What a cursor belongs to: a list and how it is filtered and sorted."""
    return json.dumps([name, {key: str(value) for key, value in filters.items() if value}])


def encode(keys: KeyRing, scope: str, position: Position | None) -> str | None:
    """The cursor of the next page. `scope` names the list and its filters."""
    if position is None:
        return None
    payload = json.dumps(dict(position), separators=(",", ":"), sort_keys=True).encode()
    signature = bytes.fromhex(keys.sign("cursors", _message(scope, payload)))
    return base64.urlsafe_b64encode(signature + payload).decode().rstrip("=")


def decode(keys: KeyRing, scope: str, cursor: str | None) -> Position | None:
    """Raises BadCursor for anything `encode` did not make for this very scope."""
    if cursor is None:
        return None
    raw = _bytes_of(cursor)
    signature, payload = raw[:20], raw[20:]
    if not keys.verify("cursors", _message(scope, payload), signature.hex()):
        raise BadCursor
    position: dict[str, Any] = json.loads(payload)
    return position


def _bytes_of(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error


def _message(scope: str, payload: bytes) -> bytes:
    return scope.encode() + b"\n" + payload
