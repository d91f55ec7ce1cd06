"""Which header values every backend accepts: they come from uploads and go out on HTTP again."""

from __future__ import annotations

import re

from academy.errors import Invalid

# A media type (RFC 9110, section 8.3.1); no control character can ride along into a response.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|\"[ !#-\[\]-~]*\"))*")
_VISIBLE = re.compile(r"[ -~]*")
_LONGEST = 255


def check_content_type(content_type: str) -> str:
    """Raises Invalid unless it is a media type of at most 255 characters."""
    if len(content_type) > _LONGEST or not _MEDIA_TYPE.fullmatch(content_type):
        raise Invalid(
            f"{content_type!r} is no media type such as video/mp4.", code="invalid_content_type"
        )
    return content_type


def check_cache_control(cache_control: str | None) -> str | None:
    """Raises Invalid unless it is printable ASCII of at most 255 characters."""
    if cache_control is not None and (
        len(cache_control) > _LONGEST or not _VISIBLE.fullmatch(cache_control)
    ):
        raise Invalid("Cache-Control is printable ASCII.", code="invalid_cache_control")
    return cache_control
