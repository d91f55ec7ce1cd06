"""How much storage something takes, in bytes. Counted from the documents when asked, never kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, computed_field


class Usage(BaseModel):
    """`sources` are recordings as uploaded, `media` what was published of them, `pending` the whole
    announced size of uploads that are not completed yet.
    """

    model_config = ConfigDict(frozen=True)

    lectures: int = 0
    recordings: int = 0
    sources: int = 0
    media: int = 0
    pending: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return self.sources + self.media + self.pending


class CourseUsage(Usage):
    course: str
    owner: str
    quota: int | None = None
    """Bytes; None where there is none."""


class OwnerUsage(Usage):
    """Of all courses of one account."""

    owner: str
    courses: int
    quota: int | None = None
