"""How a merge patch (RFC 7396) becomes a guarded write of only what changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel

from academy.errors import Conflict, FieldError, Invalid, PreconditionFailed
from academy.localised import merged
from academy.store_values import Changes

Expected = Collection[int] | None
"""The revisions a client's `If-Match` names; None when it named none."""

ATTEMPTS: Final = 5
OWN_LANGUAGE: Final = "zh"
"""Of resources without a language of their own: universities, programmes, instructors."""


class Revised(Protocol):
    @property
    def revision(self) -> int: ...


Document = TypeVar("Document", bound=Revised)


def check(expected: Expected, revision: int) -> None:
    """Raises PreconditionFailed unless the client's revisions include this one (RFC 9110 §13.1.1)."""
    if expected is not None and revision not in expected:
        raise PreconditionFailed


async def rewrite(
    read: Callable[[], Awaitable[Document]],
    fields_of: Callable[[Document], Awaitable[Mapping[str, Any]]],
    write: Callable[[Changes], Awaitable[Document]],
    expected: Expected,
) -> Document:
    """Reads, works out the fields, writes them if nobody wrote in between.

    Who named a revision gets PreconditionFailed; who named none merges into what is there now,
    a few times over. Nothing to change: the document as it is.
    """
    for _ in range(ATTEMPTS):
        current = await read()
        check(expected, current.revision)
        fields = await fields_of(current)
        if not fields:
            return current
        try:
            return await write(Changes(revision=current.revision, fields=fields))
        except PreconditionFailed:
            if expected is not None:
                raise
    raise Conflict("Others keep writing to this at the same moment: try again.")


def merge(
    stored: BaseModel,
    patch: BaseModel,
    *,
    texts: Collection[str],
    required: Collection[str],
    language: str,
) -> dict[str, Any]:
    """The fields that `patch` changes, as plain data.

    `texts`: localised members, merged language by language, where a plain string means `language`.
    `required`: members that null may not empty. Raises Invalid with a pointer to each wrong member.
    """
    fields: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for name in patch.model_fields_set:
        value = getattr(patch, name)
        if name in texts and value is not None:
            value = merged(getattr(stored, name) or {}, value, language) or None
        if value is None and name in required:
            detail = "this cannot be empty: keep it in at least one language"
            wrong.append(FieldError(f"/{name}", detail if name in texts else "this cannot be null"))
        if value != getattr(stored, name, None):
            fields[name] = value
    if wrong:
        raise Invalid("A member cannot be emptied.", errors=wrong)
    return fields
