"""What speakers call their language, for a player's menu."""

from __future__ import annotations

from typing import Final

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


def endonym(language: str) -> str:
    """Of a BCP 47 tag, such as `zh-Hans`; the tag itself where the name is not known here."""
    return NAMES.get(language.partition("-")[0], language)
