"""A certificate on paper: one A4 page, landscape, in Chinese or English, as PDF with its fonts inside."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from academy.certificates import Certificate
from academy.localised import choose
from academy.typefaces import BOLD, REGULAR, Typeface

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH: Final = 297.0
HEIGHT: Final = 210.0
MARGIN: Final = 28.0
"""Millimetres, all three."""
_INK: Final = (32, 33, 36)
_MUTED: Final = (99, 96, 92)
_ACCENT: Final = (176, 58, 32)
CHINA: Final = timezone(timedelta(hours=8))
"""Dates on paper are those of the programme's own country."""

_WORDS: Final = {
    "heading": ("结业证书", "Certificate of completion"),
    "holder": ("学员", "The learner"),
    "has": ("已完成以下课程的全部学习要求", "has met all requirements of the course"),
    "programme": ("专业方向", "Programme"),
    "universities": ("合作高校", "Universities"),
    "instructors": ("授课教师", "Instructors"),
    "extent": ("共 {lectures} 讲，{hours} 小时", "{lectures} lectures, {hours} hours"),
    "issued": ("颁发日期", "Issued"),
    "code": ("证书编号", "Certificate"),
    "check": ("验证地址", "Check it at"),
    "revoked": ("本证书已被撤销", "This certificate was revoked"),
    "and": ("、", ", "),
}


@dataclass(frozen=True, slots=True)
class CertificatePrinter:
    """`url`: the installation's public address; `issuer`: who issues, as printed. Costs CPU: use threads."""

    typeface: Typeface
    url: str
    issuer: str

    def pdf(self, certificate: Certificate, language: str) -> bytes:
        """`language` of the words: Chinese for `zh`, English for all others; texts as there are."""
        # Late: it costs as much CPU as all else at the start of the API, and few print.
        from fpdf import FPDF

        sheet = _Sheet(
            certificate, language, self.issuer, f"{self.url}/certificates/{certificate.code}"
        )
        page = FPDF(orientation="landscape", unit="mm", format="A4")
        page.set_auto_page_break(auto=False)
        page.set_margins(MARGIN, MARGIN, MARGIN)
        page.set_title(f"{sheet.word('heading')}: {sheet.title}")
        page.set_author(self.issuer)
        page.set_lang("zh-CN" if sheet.chinese else "en")
        page.set_creation_date(certificate.issued_at)
        with tempfile.TemporaryDirectory(prefix="academy-certificate-") as folder:
            for style, weight, text in (("", REGULAR, sheet.plain()), ("B", BOLD, sheet.bold())):
                file = Path(folder) / f"{weight}.ttf"
                file.write_bytes(self.typeface.font(text, weight))
                page.add_font("text", style, file)
            page.add_page()
            sheet.draw(page)
            return bytes(page.output())


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is written where."""

    certificate: Certificate
    language: str
    issuer: str
    address: str

    @property
    def chinese(self) -> bool:
        return self.language.split("-", maxsplit=1)[0].lower() == "zh"

    @property
    def title(self) -> str:
        return self._text(self.certificate.title)

    @property
    def name(self) -> str:
        return self.certificate.name or self.word("holder")

    def word(self, key: str) -> str:
        return _WORDS[key][0 if self.chinese else 1]

    def _text(self, text: dict[str, str]) -> str:
        return choose(text, [self.language], self.certificate.language)[1]

    def _extent(self) -> str:
        hours = f"{self.certificate.duration / 3600:.1f}".removesuffix(".0")
        return self.word("extent").format(lectures=self.certificate.lectures, hours=hours)

    def _facts(self) -> list[tuple[str, str]]:
        held = self.certificate
        day = held.issued_at.astimezone(CHINA)
        lists = {"universities": held.universities, "instructors": held.instructors}
        facts = [("programme", self._text(held.programme))] if held.programme else []
        facts += [
            (key, self.word("and").join(self._text(each) for each in texts))
            for key, texts in lists.items()
            if texts
        ]
        return [*facts, ("issued", _day(day, chinese=self.chinese)), ("code", held.code.upper())]

    def bold(self) -> str:
        return "".join((self.word("heading"), self.name, self.title, self.word("revoked")))

    def plain(self) -> str:
        facts = "".join(self.word(key) + ": " + text for key, text in self._facts())
        return "".join(
            (self.issuer, self.word("has"), self._extent(), facts, self.word("check"), self.address)
        )

    def draw(self, page: FPDF) -> None:
        page.set_draw_color(*_ACCENT)
        page.set_line_width(1.1)
        page.rect(10, 10, WIDTH - 20, HEIGHT - 20)
        page.set_line_width(0.25)
        page.rect(12.5, 12.5, WIDTH - 25, HEIGHT - 25)
        page.set_y(24)
        _line(page, self.issuer, 13, _MUTED)
        page.set_y(38)
        _line(page, self.word("heading"), 30, _ACCENT, style="B")
        page.set_y(60)
        _line(page, self.name, 26, _INK, style="B")
        page.set_y(76)
        _line(page, self.word("has"), 13, _MUTED)
        page.set_y(88)
        _line(page, self.title, 22, _INK, style="B")
        _line(page, self._extent(), 12, _MUTED)
        if not self.certificate.valid:
            _line(page, self.word("revoked"), 16, _ACCENT, style="B")
        page.set_y(128)
        for key, text in self._facts():
            _line(page, f"{self.word(key)}: {text}", 11, _INK)
        page.set_y(HEIGHT - 27)
        _line(page, f"{self.word('check')}: {self.address}", 9, _MUTED, link=self.address)


def _line(
    page: FPDF,
    text: str,
    size: float,
    colour: tuple[int, int, int],
    *,
    style: str = "",
    link: str = "",
) -> None:
    """Centred; smaller where it would be wider than the page, down to half, then on more lines."""
    page.set_text_color(*colour)
    page.set_font("text", style, size)
    room = WIDTH - 2 * MARGIN
    size = max(size / 2, min(size, size * room / max(page.get_string_width(text) * 1.02, 0.1)))
    page.set_font("text", style, size)
    page.multi_cell(0, size * 0.56, text, align="C", new_x="LMARGIN", new_y="NEXT", link=link)


def _day(at: datetime, *, chinese: bool) -> str:
    if chinese:
        return f"{at.year}年{at.month}月{at.day}日"
    months = "January February March April May June July August September October November December"
    return f"{at.day} {months.split()[at.month - 1]} {at.year}"
