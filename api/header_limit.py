"""The head of a request has a length: uvicorn's parser would gather whatever somebody sends.

Checked after each read (up to 256 KiB), so that no more than one beyond the limit is ever held.
"""

from __future__ import annotations

import json
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST: Final = 64 * 1024
"""Bytes of the request line and all headers."""
_PROBLEM: Final = json.dumps(
    {
        "type": "urn:academy:problem:header_too_large",
        "title": "Request Header Fields Too Large",
        "status": 431,
        "detail": f"The headers of a request have at most {MOST} bytes here.",
    }
).encode()
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nx-content-type-options: nosniff\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s"
) % (len(_PROBLEM), _PROBLEM)


class LimitedHeads(HttpToolsProtocol):
    """Answers 431 (RFC 6585, section 5) and closes."""

    _unparsed = 0
    """Bytes of a head that is still going on."""

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MOST and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # Until the next message begins, what arrives is its body, which has limits of its own.
        self._unparsed = -(1 << 62)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._unparsed = 0
