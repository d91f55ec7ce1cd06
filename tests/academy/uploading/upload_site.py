"""The real API behind an unsteady network, for whoever uploads to it from a command line."""

import io

import pytest

from academy import tokens
from academy.commands import sending
from academy.commands.delivering import Order, deliver
from academy.commands.display import PlainDisplay
from academy.errors import Conflict, Unavailable
from academy.keys import KeyRing
from academy.people import Role
from academy.storage import open_storage
from academy.uploads import USUAL_PART, source_key

SECRET = "k" * 40
SIZE = 2 * USUAL_PART + 12_345


class Site:
    """The real API on a real database and disk, behind an unsteady network."""

    def __init__(self, network, settings, stores, folder):
        self.network = network
        self.stores = stores
        self.url = f"http://127.0.0.1:{network.port}"
        self.storage = open_storage(settings, KeyRing(SECRET))
        self.folder = folder
        self.said = io.StringIO()

    def token(self, role=Role.INSTRUCTOR, subject="ann", expires_in=600):
        return tokens.issue(KeyRing(SECRET), role, subject, expires_in)

    async def deliver(self, file, *, token=None, course="uploads", api=None, **order):
        return await deliver(
            Order(file, course, "讲座", "zh", **order),
            api or self.url,
            token or self.token(),
            self.folder,
            PlainDisplay(self.said),
        )

    async def stored(self, lecture_id):
        recording = await self.stores.recordings.newest(lecture_id)
        return b"".join(self.storage.read(source_key(recording.id)))


def puts(network):
    return [line for line in network.requests if line.startswith("PUT ")]


async def interrupted(site, recording, monkeypatch):
    """After the first part, for good."""
    monkeypatch.setattr(sending, "PARALLEL", 1)
    monkeypatch.setattr(sending, "MOST_TRIES", 2)
    site.network.cut = lambda _head, received: received > USUAL_PART + 4_000_000
    with pytest.raises((Unavailable, Conflict), match=r"again|any more"):
        await site.deliver(recording)
    site.network.cut = lambda _head, _received: False
