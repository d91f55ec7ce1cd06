"""Who acts, in which roles, and what each may do."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from academy.ids import Slug
from academy.localised import LocalisedText


class Role(StrEnum):
    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class Identity(BaseModel):
    """The bearer of a token. `subject` is the issuer's opaque id of a person."""

    model_config = ConfigDict(frozen=True)

    subject: str = Field(min_length=1, max_length=255)
    roles: frozenset[Role] = frozenset()
    name: str | None = None

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def may_teach(self) -> bool:
        return bool(self.roles & {Role.INSTRUCTOR, Role.ADMIN})


class Instructor(BaseModel):
    """A public profile. `subject` links it to the account that may edit its courses."""

    model_config = ConfigDict(frozen=True)

    slug: Slug
    name: LocalisedText
    headline: LocalisedText | None = None
    bio: LocalisedText | None = None
    organisation: LocalisedText | None = None
    visiting: bool = False
    portrait_url: str | None = None
    subject: str | None = None
    revision: int = 1


def may_write_course(
    identity: Identity | None,
    *,
    owner: str,
    taught_by: Collection[str],
    profiles: Collection[str],
) -> bool:
    """Whether `identity` may change a course.

    `taught_by`: slugs of the course's instructors; `profiles`: slugs of the instructor
    profiles linked to this identity's subject.
    """
    if identity is None:
        return False
    if identity.is_admin:
        return True
    if Role.INSTRUCTOR not in identity.roles:
        return False
    return identity.subject == owner or not set(taught_by).isdisjoint(profiles)
