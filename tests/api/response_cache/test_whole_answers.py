"""What a server with our protocol writes for a kept answer is what uvicorn would have written."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.whole_answers import WholeAnswers
from tests.api.response_cache.cached_origin import BODY, COURSE, Clock, Origin, cache_of
from tests.api.response_cache.listening import DATE, connected

REQUESTS = {
    "plain": b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n",
    "packed": b"GET %b HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
    "not modified": b"GET %b HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
    "HEAD": b"HEAD %b HTTP/1.1\r\nHost: a\r\n\r\n",
    "closing": b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET %b HTTP/1.0\r\nHost: a\r\n\r\n",
    "with a body": b"GET %b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "with credentials": b"GET %b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n",
    "elsewhere": b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n",
}


async def last_of(app, protocol, requests):
    """Everything that is answered, with a closing request at the end."""
    async with connected(app, protocol) as (reader, writer):
        writer.write(requests)
        return await reader.read()


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_kept_answer_is_written_as_uvicorn_writes_it(cache, name):
    closing = REQUESTS["closing"] % COURSE.encode()
    asked = REQUESTS[name].replace(b"%b", COURSE.encode())
    for protocol in (HttpToolsProtocol, WholeAnswers):
        await last_of(cache, protocol, asked + closing)  # now all forms are there
    usual = await last_of(cache, HttpToolsProtocol, asked + closing)
    assert await last_of(cache, WholeAnswers, asked + closing) == usual
    assert usual.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("name", REQUESTS)
async def test_an_answer_that_has_to_be_made_is_written_as_uvicorn_writes_it(name):
    asked = (REQUESTS[name] + REQUESTS["closing"]).replace(b"%b", COURSE.encode())
    usual, ours = [
        await last_of(cache_of(Origin(), Clock()), protocol, asked)
        for protocol in (HttpToolsProtocol, WholeAnswers)
    ]
    assert ours == usual
    assert usual.startswith(b"HTTP/1.1 ")


class Remembering(WholeAnswers):
    """Knows what became of each request, and whether its answer was written whole."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cycles = []
        self.whole = []
        made.append(self)

    def _start_asgi_task(self, cycle, app):
        self.cycles.append(weakref.ref(cycle))
        super()._start_asgi_task(cycle, app)

    def _answer_later(self, cycle, answer):
        self.whole.append(super()._answer_later(cycle, answer))
        return self.whole[-1]


made: list[Remembering] = []


async def test_an_answer_that_had_to_be_made_is_written_whole_and_leaves_no_cycle(cache, origin):
    asked = REQUESTS["plain"] % COURSE.encode()
    gc.disable()
    try:
        async with connected(cache, Remembering) as (reader, writer):
            for _ in range(3):
                writer.write(asked)
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(len(BODY)) == BODY
                await asyncio.sleep(0)  # the task ends
                cache.forget()
            protocol = made.pop()
            assert protocol.whole == [True] * 3
            # The connection still has its last request; the others went by themselves.
            assert [each() is None for each in protocol.cycles] == [True, True, False]
    finally:
        gc.enable()
    assert origin.fills == 3


async def test_an_answer_that_is_ready_as_the_server_stops_closes_the_connection(cache, origin):
    origin.gate.clear()
    async with connected(cache, Remembering) as (reader, writer):
        writer.write(REQUESTS["plain"] % COURSE.encode())
        await origin.reading.wait()
        protocol = made.pop()
        protocol.shutdown()
        origin.gate.set()
        answer = await reader.read()
    assert b"connection: close\r\n" in answer
    assert answer.endswith(BODY)
    assert protocol.whole == [False]


async def test_a_kept_answer_needs_no_task(cache, origin):
    asked = REQUESTS["plain"] % COURSE.encode()
    async with connected(cache) as (reader, writer):
        for _ in range(3):
            writer.write(asked)
            head = await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(BODY)) == BODY
            assert DATE[1] in head
    assert origin.fills == 1
    assert cache.addresses[1].found == 3
    # Uvicorn's way begins with the application's `__call__`: the first reader alone went it.
    assert cache.called == 1


async def test_answers_to_requests_sent_at_once_keep_their_order(cache, origin):
    """Kept ones behind one that is still being made, thousands of them: no answer begins within another."""
    origin.gate.clear()
    kept, many = REQUESTS["plain"] % COURSE.encode(), 3000
    async with connected(cache) as (reader, writer):
        writer.write(REQUESTS["elsewhere"])
        await origin.reading.wait()
        writer.write(kept * many)
        await writer.drain()
        origin.gate.set()
        bodies = 0
        for number in range(many + 1):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), number
            bodies += (await reader.readexactly(len(BODY))) == BODY
    assert bodies == many + 1
    assert origin.fills == 2


async def test_a_reader_who_does_not_read_holds_up_what_is_written(cache):
    kept, many = REQUESTS["plain"] % COURSE.encode(), 8000
    paused = asyncio.Event()
    held = []

    class Watched(WholeAnswers):
        def pause_writing(self):
            super().pause_writing()
            held.append(self.transport)
            paused.set()

    async with connected(cache, Watched) as (reader, writer):
        writer.write(kept)
        one = len(await reader.readuntil(b"\r\n\r\n")) + len(BODY)
        await reader.readexactly(len(BODY))
        reader._transport.pause_reading()
        writer.write(kept * many)
        await paused.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        # What is asked for is 18 MB; what the server holds is its mark and an answer beyond it.
        assert held[0].get_write_buffer_size() < 256 * 1024
        reader._transport.resume_reading()
        assert (await reader.readexactly(one * many)).count(BODY) == many
