"""Network namespaces that stand for other machines: own interface, own address, own loopback. Root only.

What listens on the host's loopback (MongoDB, the object store) is reached under the same address there,
through relays at both ends of the cable: a replica set sends its clients to the address it knows itself by.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.journeys.installation import wait_until


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    gateway: str
    """The host's end of the cable."""
    address: str

    @property
    def inside(self) -> list[str]:
        """Runs the command that follows in it."""
        return ["ip", "netns", "exec", self.name]


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
def namespaces(count: int, ports: Sequence[int]) -> Iterator[list[Namespace]]:
    """Each reaches the host, and the host's loopback `ports` under 127.0.0.1, and nothing else."""
    mark = secrets.token_hex(2)
    net = secrets.randbelow(200) + 20
    with ExitStack() as stack:
        yield [_namespace(stack, f"aca{mark}{n}", f"10.{net}.{n}", ports) for n in range(count)]


def _namespace(stack: ExitStack, name: str, net: str, ports: Sequence[int]) -> Namespace:
    place = Namespace(name, gateway=f"{net}.1", address=f"{net}.2")
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "delete", name)  # and its end of the cable with it
    _ip("link", "add", f"{name}h", "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("addr", "add", f"{place.gateway}/30", "dev", f"{name}h")
    _ip("link", "set", f"{name}h", "up")
    _ip("-n", name, "addr", "add", f"{place.address}/30", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "route", "add", "default", "via", place.gateway)
    for port in ports:
        _relay(stack, [], f"{place.gateway}:{port}", f"127.0.0.1:{port}")
        _relay(stack, place.inside, f"127.0.0.1:{port}", f"{place.gateway}:{port}")
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
    """Passes bytes on between connections, both ways."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, back), copy(there, writer))
        for each in (writer, back):
            each.close()

    host, _, port = listen.rpartition(":")
    server = await asyncio.start_server(serve, host, int(port))
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:]))
