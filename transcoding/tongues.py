"""Languages as containers name them (ISO 639-2, or BCP 47) and as the web does, with their own names. Pure."""

from __future__ import annotations

import re
from typing import Final

SHORT: Final = {
    "ara": "ar",
    "chi": "zh",
    "zho": "zh",
    "cze": "cs",
    "ces": "cs",
    "dan": "da",
    "dut": "nl",
    "nld": "nl",
    "eng": "en",
    "fin": "fi",
    "fre": "fr",
    "fra": "fr",
    "ger": "de",
    "deu": "de",
    "gre": "el",
    "ell": "el",
    "heb": "he",
    "hin": "hi",
    "hun": "hu",
    "ind": "id",
    "ita": "it",
    "jpn": "ja",
    "kor": "ko",
    "may": "ms",
    "msa": "ms",
    "nor": "no",
    "per": "fa",
    "fas": "fa",
    "pol": "pl",
    "por": "pt",
    "rum": "ro",
    "ron": "ro",
    "rus": "ru",
    "spa": "es",
    "swe": "sv",
    "tha": "th",
    "tur": "tr",
    "ukr": "uk",
    "vie": "vi",
}
NAMES: Final = {
    "ar": "العربية",
    "cs": "Čeština",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "ru": "Русский",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
_TAG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def tag(told: str | None) -> str | None:
    """BCP 47 of what a container says; None where it says nothing that can be used."""
    if told is None:
        return None
    first, _, rest = told.strip().replace("_", "-").partition("-")
    first = SHORT.get(first.lower(), first.lower())
    whole = f"{first}-{rest}" if rest else first
    return whole if _TAG.fullmatch(whole) and first not in {"und", "mul", "zxx"} else None


def name(language: str) -> str:
    """What speakers call it, for a player's menu; the tag itself where that is not known here."""
    return NAMES.get(language.partition("-")[0], language)
