"""One encoding of a kept answer, in what servers are given: ASGI messages, or the whole as it goes to the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from api.answered import Headers
from api.etags import not_modified
from api.whole_answers import Whole

Message = dict[str, Any]

_OF_THE_BODY: Final = frozenset(
    {
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-security-policy",
        b"content-type",
        b"referrer-policy",
        b"strict-transport-security",
        b"x-content-type-options",
    }
)
"""Not in a 304: the reader has them with the body (RFC 9110 §15.4.5)."""


@dataclass(slots=True, eq=False)
class Form:
    """What most answers are never asked for is made when they are."""

    etag: bytes
    status: int
    headers: Headers
    body: bytes
    _whole: Whole | None = None
    _unchanged: Headers | None = None
    _whole_unchanged: Whole | None = None

    @classmethod
    def of(cls, status: int, headers: Headers, body: bytes) -> Form:
        """As the application made it. `headers` become the form's, and have no length yet."""
        etag = b""
        for name, value in headers:
            if name == b"etag":
                etag = value
                break
        headers.append((b"content-length", b"%d" % len(body)))
        return cls(etag, status, headers, body)

    def packed(self, body: bytes, coding: str) -> Form:
        """The same, encoded. Other bytes, so another strong tag (RFC 9110 §8.8.3.3)."""
        etag = self.etag.removesuffix(b'"') + f'-{coding}"'.encode()
        headers = [
            (name, etag if name == b"etag" else value)
            for name, value in self.headers
            if name != b"content-length"
        ]
        headers.append((b"content-encoding", coding.encode()))
        headers.append((b"content-length", b"%d" % len(body)))
        return Form(etag, self.status, headers, body)

    @property
    def start(self) -> Message:
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}

    @property
    def content(self) -> Message:
        return {"type": "http.response.body", "body": self.body}

    @property
    def unchanged(self) -> Message:
        """The start of a 304."""
        return {"type": "http.response.start", "status": 304, "headers": self._of_a_304()}

    def whole(self) -> Whole:
        """Start and content as they go to the wire."""
        if self._whole is None:
            self._whole = Whole.of(self.status, self.headers, self.body)
        return self._whole

    def whole_unchanged(self) -> Whole:
        if self._whole_unchanged is None:
            self._whole_unchanged = Whole.of(304, self._of_a_304(), b"")
        return self._whole_unchanged

    def matches(self, if_none_match: bytes) -> bool:
        if not self.etag:
            return False
        # Nearly always it is this very tag, and to read a list of them costs what a whole hit does.
        return if_none_match == self.etag or not_modified(
            if_none_match.decode("latin-1"), self.etag.decode("latin-1")
        )

    def _of_a_304(self) -> Headers:
        if self._unchanged is None:
            self._unchanged = [each for each in self.headers if each[0] not in _OF_THE_BODY]
        return self._unchanged
