import asyncio
import struct
import wave
from datetime import date
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import ImageChops

from academy.catalogue_stores import CourseFilter
from academy.commands.demo_lecture import FRAME_RATE, font_package, make_sample_lecture
from academy.courses import CourseOrder, now
from academy.demo import slides
from academy.demo.catalogue import OWNER, read_catalogue
from academy.demo.fonts import Fonts
from academy.demo.load import load
from academy.demo.voice import RATE, write_speech
from academy.errors import Unavailable
from academy.store_values import Changes
from transcoding.binary import find

pytestmark = pytest.mark.real

needs_fonts = pytest.mark.skipif(
    not font_package().is_dir(), reason="the font package is not installed: `npm ci` in api/portal"
)
FOUNDERS = {
    "beihang", "zhejiang", "fudan", "shanghai-jiao-tong", "xian-jiaotong", "nanjing", "wuhan",
    "south-china-technology",
}  # fmt: skip


def test_the_catalogue_has_the_eight_founders_and_both_programmes():
    catalogue = read_catalogue()
    assert {university.slug for university in catalogue.universities} == FOUNDERS
    assert {p.slug for p in catalogue.programmes} == {"cloud-computing", "data-science"}
    for university in catalogue.universities:
        assert set(university.name) == {"zh", "en"}
        assert university.city is not None
        assert university.website is not None
        assert university.website.startswith("https://")


def test_whatever_a_course_refers_to_is_in_the_catalogue():
    catalogue = read_catalogue()
    universities = {u.slug for u in catalogue.universities}
    programmes = {p.slug for p in catalogue.programmes}
    instructors = {i.slug for i in catalogue.instructors}
    for course in catalogue.courses:
        assert course.programme in programmes
        assert set(course.universities) <= universities
        assert set(course.instructors) <= instructors
        assert set(course.title) == {"zh", "en"}
        assert course.demo
        assert course.owner == OWNER
        lectures = [lecture for lecture in catalogue.lectures if lecture.course == course.slug]
        assert {lecture.section for lecture in lectures} == {s.id for s in course.sections}
    assert {c.language for c in catalogue.courses} == {"zh", "en"}
    assert {c.programme for c in catalogue.courses} == programmes


def test_invented_persons_say_so():
    for person in read_catalogue().instructors:
        assert person.slug.startswith("demo-")
        assert "demo" in person.name["en"]
        assert "示例" in person.name["zh"]
        assert person.bio is not None
        assert "invented" in person.bio["en"]


def test_reading_the_catalogue_twice_gives_the_same_ids():
    first, second = read_catalogue(), read_catalogue()
    assert [lecture.id for lecture in first.lectures] == [lecture.id for lecture in second.lectures]
    assert len({lecture.id for lecture in first.lectures}) == len(first.lectures)
    assert first.sample.id in {lecture.id for lecture in first.lectures}


async def test_loading_adds_everything_once_and_keeps_what_people_changed(stores):
    catalogue = read_catalogue()
    added = await load(stores, catalogue)
    assert added == sum(
        len(part)
        for part in (
            catalogue.universities,
            catalogue.programmes,
            catalogue.instructors,
            catalogue.courses,
            catalogue.lectures,
            catalogue.opportunities,
        )
    )
    sample = catalogue.sample
    await stores.courses.delete_lecture(catalogue.lectures[-1].id)
    assert await load(stores, catalogue) == 1
    assert await load(stores, catalogue) == 0
    course = await stores.courses.get(sample.course)
    assert course.lecture_count == 6
    first, *_ = await stores.courses.lectures(sample.course, drafts=False)
    assert first.id == sample.id
    page = await stores.catalogue.courses(CourseFilter(), order=CourseOrder.NEWEST, limit=20)
    assert [c["slug"] for c in page.courses] == [c.slug for c in catalogue.courses]
    beihang = await stores.universities.get("beihang")
    assert beihang.course_count == 2


async def test_offers_are_told_in_three_languages_and_open_again_after_they_expired(stores):
    catalogue = read_catalogue()
    await load(stores, catalogue)
    offers = catalogue.opportunities
    programmes = {programme.slug for programme in catalogue.programmes}
    for offer in offers:
        assert set(offer.title) == set(offer.organisation) == {"zh", "en", "fr"}
        assert "(demo)" in offer.organisation["en"]
        assert set(offer.programmes) <= programmes
    long_ago = Changes(1, {"closes_on": date(2001, 1, 1)})
    await stores.opportunities.change(offers[0].id, long_ago)
    assert await load(stores, catalogue) == 0
    page = await stores.opportunities.list(
        open_on=now().date(), programme=None, kind=None, limit=20
    )
    assert [each.id for each in page.items] == [each.id for each in offers]


@needs_fonts
def test_every_character_of_the_slides_has_a_glyph_in_the_package():
    fonts = Fonts(font_package())
    for slide in slides.LECTURE:
        texts = [slide.title, slide.subtitle, *(text for point in slide.points for text in point)]
        assert all(fonts.covers(text) for text in texts), texts


@needs_fonts
def test_each_picture_differs_from_the_one_before():
    before = None
    count = 0
    for seconds, image in slides.steps(Fonts(font_package()), slides.LECTURE[:4]):
        assert seconds > 0
        assert image.size == (1920, 1080)
        count += 1
        if before is not None and count < 55:
            assert ImageChops.difference(before, image).getbbox() is not None
        before = image
    assert count > 50


def test_the_lecture_lasts_between_a_minute_and_a_minute_and_a_half():
    assert 60 <= slides.duration() <= 90


def test_without_the_font_package_a_sentence_says_what_to_do(tmp_path):
    with pytest.raises(Unavailable, match="npm ci"):
        Fonts(tmp_path / "noto-sans-sc")


def test_the_speech_is_audible_pauses_and_is_the_same_every_time(tmp_path):
    write_speech(tmp_path / "a.wav", 10)
    write_speech(tmp_path / "b.wav", 10)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() == 10 * RATE
        samples = struct.unpack(f"<{10 * RATE}h", file.readframes(10 * RATE))
    tenths = [
        max(abs(s) for s in samples[n : n + RATE // 10]) for n in range(0, len(samples), RATE // 10)
    ]
    assert sum(peak > 3000 for peak in tenths) > 50
    assert sum(peak == 0 for peak in tenths) >= 3


@needs_fonts
async def test_the_recording_is_a_real_one_with_picture_and_sound(tmp_path):
    lecture = [slides.LECTURE[0], slides.LECTURE[-1]]
    file = tmp_path / "made" / "lecture.mp4"
    await asyncio.to_thread(make_sample_lecture, file, ffmpeg=find().path, lecture=lecture)
    assert list(file.parent.iterdir()) == [file]
    with av.open(str(file)) as media:
        video, audio = media.streams.video[0], media.streams.audio[0]
        assert (video.width, video.height) == (1920, 1080)
        assert video.average_rate == Fraction(FRAME_RATE)
        assert video.frames == round(slides.duration(lecture) * FRAME_RATE)
        assert video.codec_context.colorspace == 1  # BT.709, as tagged
        assert audio.rate == 48_000
        first = next(media.decode(video)).to_image()
    # Colours survive: pictures are converted with the matrix they are tagged with.
    for place, colour in (((1000, 20), slides.PAPER), ((10, 500), slides.ACCENT)):
        seen = first.getpixel(place)
        assert isinstance(seen, tuple)
        assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) <= 5


@needs_fonts
def test_a_cancelled_drawing_leaves_nothing_behind(tmp_path: Path):
    from transcoding.ffmpeg import Cancelled

    with pytest.raises(Cancelled):
        make_sample_lecture(tmp_path / "lecture.mp4", ffmpeg=find().path, cancelled=lambda: True)
    assert not list(tmp_path.iterdir())
