"""Languages as containers name them (ISO 639-2, or BCP 47) and as the web does. Pure."""

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
_TAG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def tag(told: str | None) -> str | None:
    """BCP 47 of what a container says; None where it says nothing that can be used."""
    if told is None:
        return None
    first, _, rest = told.strip().replace("_", "-").partition("-")
    first = SHORT.get(first.lower(), first.lower())
    whole = f"{first}-{rest}" if rest else first
    return whole if _TAG.fullmatch(whole) and first not in {"und", "mul", "zxx"} else None
