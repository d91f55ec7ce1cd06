"""Network namespaces that stand for other machines: own interface, own address, own loopback. Root only.

All cables end in one more namespace, the hub, and none on the host: a browser of another test gives up its
requests (`ERR_NETWORK_CHANGED`) whenever an address of the host appears or goes. What listens on the host's
loopback (MongoDB, the object store) is reached under the same address in a namespace, and what the hub has on the
host, through a Unix socket, which belongs to no network.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.installation import wait_until


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    address: str

    @property
    def inside(self) -> list[str]:
        """Runs the command that follows in it."""
        return ["ip", "netns", "exec", self.name]


@dataclass(frozen=True, slots=True)
class Networks:
    hub: Namespace
    """What listens here on its address is reached from every place."""
    places: list[Namespace]
    _stack: ExitStack = field(repr=False)
    _sockets: Path = field(repr=False)

    def show_on_host(self, port: int) -> None:
        """What listens on this port of the hub's address listens on the host's loopback, too."""
        socket = self._sockets / f"hub-{port}"
        _relay(self._stack, self.hub.inside, str(socket), f"{self.hub.address}:{port}")
        _relay(self._stack, [], f"127.0.0.1:{port}", str(socket))


def unavailable() -> str | None:
    """Why there can be none here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need iproute2"
    name = f"probe{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "this kernel or container allows no network namespaces"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


@contextmanager
def networks(count: int, ports: Sequence[int]) -> Iterator[Networks]:
    """Each place reaches the hub, and the host's loopback `ports` under 127.0.0.1, and nothing else."""
    mark = f"aca{secrets.token_hex(3)}"
    with ExitStack() as stack:
        sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="academy-net-")))
        for port in ports:
            _relay(stack, [], str(sockets / f"host-{port}"), f"127.0.0.1:{port}")
        hub = Namespace(mark, "10.77.0.1")
        _add(stack, hub)
        places = [_place(stack, hub, number) for number in range(count)]
        for place in places:
            for port in ports:
                _relay(stack, place.inside, f"127.0.0.1:{port}", str(sockets / f"host-{port}"))
        yield Networks(hub, places, stack, sockets)


def _add(stack: ExitStack, place: Namespace) -> None:
    _ip("netns", "add", place.name)
    stack.callback(_ip, "netns", "delete", place.name)  # and its ends of the cables with it
    _ip("-n", place.name, "link", "set", "lo", "up")
    _ip("-n", place.name, "addr", "add", f"{place.address}/32", "dev", "lo")


def _place(stack: ExitStack, hub: Namespace, number: int) -> Namespace:
    """Linked with the hub by a cable of its own."""
    place = Namespace(f"{hub.name}{number}", f"10.77.0.{number + 2}")
    _add(stack, place)
    cable = f"to{number}"
    ends = ["link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", place.name]
    _ip("-n", hub.name, *ends)
    _ip("-n", hub.name, "link", "set", cable, "up")
    _ip("-n", place.name, "link", "set", "eth0", "up")
    _ip("-n", hub.name, "route", "add", place.address, "dev", cable, "src", hub.address)
    _ip("-n", place.name, "route", "add", hub.address, "dev", "eth0", "src", place.address)
    return place


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)


def _relay(stack: ExitStack, inside: Sequence[str], listen: str, target: str) -> None:
    process = subprocess.Popen(
        [*inside, sys.executable, "-m", "tests.journeys.networks", listen, target],
        stdout=subprocess.PIPE,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    out = process.stdout
    wait_until(out.readline, f"a relay from {listen} to {target} listens")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.communicate(timeout=20)


async def relay(listen: str, target: str) -> None:
    """Passes bytes on between connections, both ways. `address:port`, or the path of a Unix socket."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if target.startswith("/"):
                there, back = await asyncio.open_unix_connection(target)
            else:
                there, back = await asyncio.open_connection(*_split(target))
        except OSError:
            writer.close()  # nobody listens there: the asker learns it as without a relay
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))
        for each in (writer, back):
            each.close()

    if listen.startswith("/"):
        server: asyncio.Server = await asyncio.start_unix_server(serve, listen)
    else:
        server = await asyncio.start_server(serve, *_split(listen))
    print("listening", flush=True)
    await server.serve_forever()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:]))
