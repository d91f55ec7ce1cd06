"""A TCP relay in front of a real server that can be made to fail as networks do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


async def at_once(_data: bytes) -> None:
    """Lets it go."""


class UnsteadyNetwork:
    """Relays to `target`. `cut` is asked with each connection's first bytes and how many came in all;
    True breaks that connection. `change` is given what clients sent and says what arrives in its place;
    it arrives when `hold` has let it go. `received` counts what they sent.
    """

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self.received = 0
        self.requests: list[str] = []
        self.cut: Callable[[bytes, int], bool] = lambda _head, _received: False
        self.change: Callable[[bytes], bytes] = lambda data: data
        self.hold: Callable[[bytes], Awaitable[None]] = at_once
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward, back = (await asyncio.open_connection("127.0.0.1", self.target))[::-1]
        except OSError:
            writer.transport.abort()
            return
        answers = asyncio.create_task(_copy(back, writer))
        try:
            while data := await reader.read(64 * 1024):
                line = data.split(b"\r\n", 1)[0]
                if line.endswith(b"HTTP/1.1"):
                    self.requests.append(line.decode())
                self.received += len(data)
                if self.cut(data, self.received):
                    return
                await self.hold(data)
                onward.write(self.change(data))
                await onward.drain()
        except OSError:
            pass
        finally:
            answers.cancel()
            await asyncio.wait({answers})
            for end in (writer, onward):
                end.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(64 * 1024):
            target.write(data)
            await target.drain()
    target.transport.abort()
