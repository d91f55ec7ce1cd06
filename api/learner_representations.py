"""What learners, and those who check certificates, see. Seconds throughout; texts in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from academy.audience import CourseAudience
from academy.certificates import Certificate
from academy.completion_rules import CompletionRules
from academy.courses import Course, Lecture
from academy.enrolment import Enrolment
from academy.learning import Attendance, rules_of
from academy.opportunities import Opportunity, OpportunityKind
from academy.progress import Progress
from academy.watched import Range
from api.languages import FALLBACK, Languages, Text


class EnrolmentOut(BaseModel):
    course: str = Field(description="Slug")
    enrolled_at: datetime

    @classmethod
    def of(cls, enrolment: Enrolment) -> EnrolmentOut:
        return cls(course=enrolment.course, enrolled_at=enrolment.enrolled_at)


class ProgressOut(BaseModel):
    lecture_id: str
    title: Text
    course: str = Field(description="Slug")
    position: float = Field(description="Where the newest report was: resume here")
    furthest: float = Field(description="The latest second watched")
    watched: list[Range] = Field(description="Merged [start, end) pairs", examples=[[[0, 42.5]]])
    covered: float = Field(description="Seconds watched at least once")
    duration: float | None
    share: float | None = Field(description="covered / duration, 0..1; null until known")
    complete: bool = Field(description="Enough is covered for the course's completion rules")
    updated_at: datetime

    @classmethod
    def of(
        cls, progress: Progress, lecture: Lecture, rules: CompletionRules, languages: Languages
    ) -> ProgressOut:
        duration = lecture.duration
        watched = progress.within(duration)
        covered = sum(end - start for start, end in watched)
        return cls(
            lecture_id=lecture.id,
            title=languages.text(lecture.title, lecture.language),
            course=progress.course,
            position=progress.position if duration is None else min(progress.position, duration),
            furthest=watched[-1][1] if watched else 0.0,
            watched=list(watched),
            covered=round(covered, 3),
            duration=duration,
            share=round(covered / duration, 4) if duration else None,
            complete=bool(duration) and covered >= rules.needed(lecture),
            updated_at=progress.at,
        )


class CourseInShort(BaseModel):
    slug: str
    title: Text
    language: str
    poster_url: str | None
    lecture_count: int
    duration: float


class StandingOut(BaseModel):
    completed: int = Field(description="Lectures that are done")
    required: int = Field(description="Lectures that must be done")
    share: float = Field(description="0..1 of the seconds of the required lectures")
    complete: bool


class NextLecture(BaseModel):
    id: str
    title: Text
    duration: float | None
    position: float = Field(description="Where to resume; 0 when it was not begun")


class AttendanceOut(BaseModel):
    course: CourseInShort
    enrolled_at: datetime
    progress: StandingOut
    next: NextLecture | None = Field(description="Where to go on watching; null when all is done")
    certificate: str | None = Field(description="Code of the certificate, once issued")

    @classmethod
    def of(cls, attendance: Attendance, languages: Languages) -> AttendanceOut:
        course, where, follow = attendance.course, attendance.standing, attendance.next
        position = attendance.at.position if attendance.at else 0.0
        certificate = attendance.certificate
        return cls(
            course=CourseInShort(
                slug=course.slug,
                title=languages.text(course.title, course.language),
                language=course.language,
                poster_url=f"/v1/courses/{course.slug}/poster" if course.poster else None,
                lecture_count=course.lecture_count,
                duration=course.duration,
            ),
            enrolled_at=attendance.enrolment.enrolled_at,
            progress=StandingOut(
                completed=len(where.completed),
                required=len(where.completed) + len(where.missing),
                share=round(where.share, 4),
                complete=where.complete,
            ),
            next=None
            if follow is None
            else NextLecture(
                id=follow.id,
                title=languages.text(follow.title, follow.language),
                duration=follow.duration,
                position=position,
            ),
            certificate=certificate.code if certificate else None,
        )


class CompletionRulesOut(BaseModel):
    course: str = Field(description="Slug")
    share: float = Field(description="0..1 of each counted lecture that must be covered")
    lectures: list[str] | None = Field(description="Ids that count; null: every published lecture")

    @classmethod
    def of(cls, course: Course) -> CompletionRulesOut:
        rules = rules_of(course)
        return cls(course=course.slug, share=rules.share, lectures=rules.lectures)


class CertifiedCourse(BaseModel):
    slug: str
    title: Text


class CertificateOut(BaseModel):
    """As it was on the day it was issued."""

    code: str = Field(examples=["7k3qx-9d2mh-0v4rt-c8zew-1fnpa"])
    status: Literal["valid", "revoked"]
    name: str | None = Field(description="The holder's, as printed")
    course: CertifiedCourse
    programme: Text | None
    universities: list[Text]
    instructors: list[Text]
    lectures: int
    duration: float = Field(description="Seconds of the lectures that were required")
    share: float = Field(description="0..1 of each lecture that had to be covered")
    issued_at: datetime
    revoked_at: datetime | None
    reason: str | None = Field(description="Why it was revoked")
    url: str = Field(description="The public page that verifies it")
    pdf_url: str
    badge_url: str | None = Field(description="Open Badges 3.0; null where none are signed")

    @classmethod
    def of(
        cls, certificate: Certificate, languages: Languages, url: str, *, badges: bool
    ) -> CertificateOut:
        own = certificate.language
        address = f"{url}/v1/certificates/{certificate.code}"
        return cls(
            code=certificate.code,
            status="valid" if certificate.valid else "revoked",
            name=certificate.name,
            course=CertifiedCourse(
                slug=certificate.course, title=languages.heading(certificate.title, own)
            ),
            programme=languages.maybe(certificate.programme, own),
            universities=[languages.text(each, own) for each in certificate.universities],
            instructors=[languages.text(each, own) for each in certificate.instructors],
            lectures=certificate.lectures,
            duration=certificate.duration,
            share=certificate.share,
            issued_at=certificate.issued_at,
            revoked_at=certificate.revoked_at,
            reason=certificate.reason,
            url=f"{url}/certificates/{certificate.code}",
            pdf_url=f"{address}/pdf",
            badge_url=f"{address}/badge" if badges else None,
        )


class OpportunityOut(BaseModel):
    id: str
    title: Text
    organisation: Text
    location: Text | None
    description: Text | None
    kind: OpportunityKind
    url: str
    programmes: list[str] = Field(description="Slugs of the programmes it is meant for")
    closes_on: date

    @classmethod
    def of(cls, opportunity: Opportunity, languages: Languages) -> OpportunityOut:
        return cls(
            id=opportunity.id,
            title=languages.heading(opportunity.title, FALLBACK),
            organisation=languages.text(opportunity.organisation, FALLBACK),
            location=languages.maybe(opportunity.location, FALLBACK),
            description=languages.maybe(opportunity.description, FALLBACK),
            kind=opportunity.kind,
            url=opportunity.url,
            programmes=opportunity.programmes,
            closes_on=opportunity.closes_on,
        )


class FunnelOut(BaseModel):
    """Each is a part of the one before. Beyond 5,000 learners an estimate, save the first and last."""

    enrolled: int
    started: int
    halfway: int = Field(description="Completed at least half of the required lectures")
    completed: int
    certified: int = Field(description="Hold a valid certificate")


class MomentOut(BaseModel):
    start: float
    end: float
    learners: int = Field(description="Whose watching ends here")


class LectureStatistics(BaseModel):
    id: str
    title: Text
    duration: float
    started: int = Field(description="Learners who watched any of it")
    completed: int
    viewers: list[int] = Field(
        description="Learners who saw the middle of each of 50 equal parts: the retention curve"
    )
    leaving: list[MomentOut] = Field(description="Where clearly more leave than elsewhere")


class CourseStatistics(BaseModel):
    course: str = Field(description="Slug")
    counted_at: datetime = Field(description="Counted anew at most once a minute")
    learners: int = Field(description="Enrolled")
    active: int = Field(description="Enrolled, and watched something in the last seven days")
    funnel: FunnelOut
    lectures: list[LectureStatistics] = Field(description="Those that count for completion")

    @classmethod
    def of(cls, slug: str, audience: CourseAudience, languages: Languages) -> CourseStatistics:
        funnel = audience.funnel
        return cls(
            course=slug,
            counted_at=audience.counted_at,
            learners=funnel.enrolled,
            active=funnel.active,
            funnel=FunnelOut(
                enrolled=funnel.enrolled,
                started=funnel.started,
                halfway=funnel.halfway,
                completed=funnel.completed,
                certified=funnel.certified,
            ),
            lectures=[
                LectureStatistics(
                    id=each.lecture.id,
                    title=languages.text(each.lecture.title, each.lecture.language),
                    duration=each.lecture.duration or 0.0,
                    started=each.started,
                    completed=each.completed,
                    viewers=list(each.viewers),
                    leaving=[
                        MomentOut(start=one.start, end=one.end, learners=one.learners)
                        for one in each.moments
                    ],
                )
                for each in audience.lectures
            ],
        )


class PersonalData(BaseModel):
    """Everything kept under one account."""

    subject: str
    exported_at: datetime
    enrolments: list[Mapping[str, object]]
    progress: list[Mapping[str, object]]
    certificates: list[Mapping[str, object]]
