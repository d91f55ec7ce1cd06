"""What validation found wrong, as JSON Pointers (RFC 6901) into what the client sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from academy.ids import Slug
from academy.localised import LanguageTag


def _pattern(constrained: Any) -> str:
    return next(str(each.pattern) for each in constrained.__metadata__)


PATTERNS: Final = {
    _pattern(Slug): "use lower-case letters, digits and single hyphens between them",
    _pattern(LanguageTag): "use a BCP 47 language tag such as zh or en",
}


def members_of(wrong: Sequence[Any], body: Any) -> list[dict[str, str]]:
    """One entry per wrong member; the branches of a union are one member, not two."""
    details: dict[tuple[str, str], list[str]] = {}
    for each in wrong:
        where, *path = each["loc"]
        pointer = pointer_of(path, body) if where == "body" else pointer_of(path, None)
        details.setdefault((where, pointer), []).append(_sentence(each))
    return [
        {"pointer": pointer, "detail": "; or ".join(dict.fromkeys(sentences))}
        | ({} if where == "body" else {"in": where})
        for (where, pointer), sentences in details.items()
        # What is wrong inside says more than that the whole is not, say, a string instead.
        if not any(at == where and below.startswith(f"{pointer}/") for at, below in details)
    ]


def pointer_of(path: Sequence[str | int], body: Any) -> str:
    """A JSON Pointer. Pydantic names the branch of a union in between: steps that the body
    does not have are left out, save the last (it may be what is missing).
    """
    steps: list[str] = []
    here = body
    for index, step in enumerate(path):
        if _has(here, step):
            here = here[step]
        elif body is not None and not (
            index == len(path) - 1 and isinstance(here, Mapping) and _is_name(step)
        ):
            continue
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in steps)


def _has(here: Any, step: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(step, int) and step < len(here)
    return isinstance(here, Mapping) and step in here


def _is_name(step: str | int) -> bool:
    """Names of members, unlike those of union branches such as `dict[...]` or `constrained-str`."""
    return isinstance(step, str) and step.isidentifier()


def _sentence(wrong: Mapping[str, Any]) -> str:
    if wrong["type"] == "missing":
        return "this is required"
    if wrong["type"] == "extra_forbidden":
        return "there is no such member"
    if wrong["type"] == "string_pattern_mismatch" and wrong["ctx"]["pattern"] in PATTERNS:
        return PATTERNS[wrong["ctx"]["pattern"]]
    return str(wrong["msg"]).removeprefix("Value error, ")
