"""Which addresses webhooks may be sent to, whatever a name resolves to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from datetime import timedelta

import httpcore
import pytest
from pydantic import ValidationError

from academy.courses import now
from academy.errors import Invalid
from academy.events import Event, EventKind
from academy.keys import KeyRing
from academy.webhook_sending import Sender
from academy.webhook_targets import CheckedBackend, ForbiddenTarget, Targets
from academy.webhooks import (
    MOST_ATTEMPTS,
    PAUSES,
    Delivery,
    Endpoint,
    NewEndpoint,
    pause_after,
)
from tests.certificates import make_certificates
from tests.receiver import Receiver

EVENT = Event(kind=EventKind.LECTURE_READY, data={"title": "Größe 大小"})
KEYS = KeyRing("a secret of at least thirty-two characters")
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - judged, not bound
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # metadata of clouds
        "100.64.0.1",
        "100.100.100.200",  # Alibaba Cloud's metadata
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fec0::1",
    ],
)
def test_addresses_off_the_internet_are_refused(address):
    assert not Targets().allows(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_on_the_internet_are_allowed(address):
    assert Targets().allows(ipaddress.ip_address(address))


def test_networks_that_the_operator_names_are_allowed():
    targets = Targets([ipaddress.ip_network("10.0.0.0/8")])
    assert targets.allows(ipaddress.ip_address("10.9.9.9"))
    assert not targets.allows(ipaddress.ip_address("192.168.0.1"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.org/hook", "https"),
        ("https://127.0.0.1/hook", "not on the public internet"),
        ("https://[::1]:8443/", "not on the public internet"),
        ("https://[::ffff:10.0.0.1]/", "not on the public internet"),
        ("https://user:secret@example.org/", "leave out"),
        ("https://example.org/#part", "leave out"),
        ("https://example.org:99999/", "port"),
        ("https:///hook", "host"),
        ("https://[::1", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
    ],
)
def test_what_an_address_shows_by_itself_is_refused_when_it_is_set(url, sentence):
    with pytest.raises(Invalid) as refused:
        Targets().check_url(url)
    assert refused.value.errors[0].pointer == "/url"
    assert sentence in refused.value.errors[0].detail


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://größe.example/",
        "https://K\x97/",
        "https://a b/",
    ],
)
def test_an_address_has_the_form_of_one(url):
    with pytest.raises(ValidationError):
        NewEndpoint(url=url, events=[EVENT.kind])


async def test_what_is_no_name_has_no_address():
    with pytest.raises(OSError, match="is no name"):
        await Targets().resolve("a" * 64 + ".example", 443, secure=True)


def resolving_to(monkeypatch, *answers):
    """Names resolve to these addresses in turn, as a hostile name server would have it."""
    loop = asyncio.get_running_loop()
    asked = iter(answers)

    async def getaddrinfo(_host, port, **_kwargs):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(asked)
        ]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


async def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch):
    resolving_to(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(ForbiddenTarget):
        await Targets().judge("https://rebinding.example/")


async def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch):
    """A second resolution could give another address (DNS rebinding): there is none."""
    async with Receiver() as receiver:
        resolving_to(monkeypatch, ["127.0.0.1"])
        backend = CheckedBackend(Targets(LOOPBACK), secure=False)
        stream = await backend.connect_tcp("name.example", receiver.port)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", receiver.port)
        await stream.write(b"GET / HTTP/1.1\r\n\r\n")
        await receiver.next()
        await stream.aclose()


async def test_a_name_without_an_address_is_a_connection_error(monkeypatch):
    async def nothing(*_args, **_kwargs):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    backend = CheckedBackend(Targets(), secure=True)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("nothing.example", 443)


async def sent(targets, url, trust=None):
    endpoint = Endpoint(url=url, events=[EVENT.kind], created_by="root")
    delivery = Delivery(endpoint_id=endpoint.id, event=EVENT)
    async with Sender(KEYS, targets, trust=trust) as sender:
        return await sender.send(delivery, endpoint, at=now())


async def test_an_address_that_became_private_is_refused_at_the_attempt():
    async with Receiver() as receiver:
        outcome = await sent(Targets(), receiver.url.replace("http:", "https:"))
        assert outcome.status is None
        assert "not on the public internet" in outcome.error
        assert receiver.waiting == 0


async def test_plain_text_is_for_networks_that_were_named(monkeypatch):
    async with Receiver() as receiver:
        assert (await sent(Targets(LOOPBACK), receiver.url)).status == 204
        resolving_to(monkeypatch, ["8.8.8.8"])
        outcome = await sent(Targets(LOOPBACK), "http://public.example/")
        assert "not on the public internet" in outcome.error


async def test_the_certificate_must_be_for_the_name_although_the_address_is_connected_to(
    monkeypatch, tmp_path
):
    made = make_certificates(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(made.certificate, made.key)
    trust = ssl.create_default_context(cafile=made.ca)
    async with Receiver(tls=tls) as receiver:
        resolving_to(monkeypatch, ["127.0.0.1"], ["127.0.0.1"])
        good = await sent(Targets(LOOPBACK), f"https://localhost:{receiver.port}/hook", trust)
        assert good.status == 204
        received = await receiver.next()
        assert received.headers["host"] == f"localhost:{receiver.port}"
        other = await sent(Targets(LOOPBACK), f"https://other.example:{receiver.port}/", trust)
        assert other.status is None
        assert "could not be reached" in other.error


async def test_nobody_there_is_an_outcome_not_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await sent(Targets(LOOPBACK), f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert "could not be reached" in outcome.error


def test_pauses_grow_and_end():
    pauses = [pause_after(attempt, None) or timedelta(0) for attempt in range(1, MOST_ATTEMPTS)]
    assert pauses == sorted(pauses)
    assert sum(pauses, timedelta(0)) > timedelta(days=2.5)
    assert pause_after(MOST_ATTEMPTS, None) is None
    assert pause_after(1, PAUSES[2]) == PAUSES[2]
    assert pause_after(1, PAUSES[-1] * 10) == PAUSES[-1]
