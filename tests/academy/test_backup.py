"""A backup is one moment of the whole database, checked before it replaces anything."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from typing import Any

import bson
import pytest
from pymongo import MongoClient

from academy.badge_keys import renew
from academy.commands.backup import backup
from academy.commands.data_directory import DataDirectory, Running
from academy.commands.restore import restore
from academy.embedded import EmbeddedMongo
from academy.errors import Conflict, Invalid, SettingsError
from academy.mongo.stores import MongoStores
from tests.documents import PUBLICATION, a_claim_of, a_lecture_in, media_for


@pytest.fixture
def folder(monkeypatch, mongo_url, database_name, tmp_path):
    renew(tmp_path / "ring.json")
    monkeypatch.setenv("ACADEMY_MONGODB_URL", mongo_url)
    monkeypatch.setenv("ACADEMY_MONGODB_DATABASE", database_name)
    monkeypatch.setenv("ACADEMY_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("ACADEMY_BADGE_KEYS", str(tmp_path / "ring.json"))
    return tmp_path


async def everything(stores):
    found = {}
    for name in sorted(await stores.database.list_collection_names()):
        if not name.startswith(("search", "system.", "transcoders")):
            found[name] = await stores.database[name].find({}, sort=[("_id", 1)]).to_list()
    return found


async def test_what_was_saved_comes_back_exactly(stores, folder, mongo_url, database_name, capsys):
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    before = await everything(stores)
    await asyncio.to_thread(backup, folder / "b", data_dir=None)
    said = capsys.readouterr().out
    assert "secret key" in said
    public = json.loads((folder / "b" / "badge-keys.public.json").read_text())
    assert [set(key) for key in public["keys"]] == [{"kty", "crv", "kid", "x"}]

    await a_lecture_in(stores)  # later than the backup
    with pytest.raises(Conflict):
        await asyncio.to_thread(restore, folder / "b", replace=False, data_dir=None)
    assert await everything(stores) != before
    await asyncio.to_thread(restore, folder / "b", replace=True, data_dir=None)
    assert await everything(stores) == {name: before[name] for name in await names(stores)}
    # The next start has indexes and goes on.
    again = await MongoStores.open(mongo_url, database_name)
    assert (await again.jobs.get(job.id)).state == "succeeded"
    await again.close()


async def names(stores):
    return (await everything(stores)).keys()


async def test_files_are_what_mongorestore_reads(stores, folder):
    lecture = await a_lecture_in(stores)
    await asyncio.to_thread(backup, folder / "m", data_dir=None)
    raw = gzip.decompress((folder / "m" / "academy" / "lectures.bson.gz").read_bytes())
    assert lecture.id in {document["_id"] for document in bson.decode_all(raw)}


async def test_a_damaged_or_unfinished_backup_touches_nothing(stores, folder):
    await a_lecture_in(stores)
    before = await everything(stores)
    await asyncio.to_thread(backup, folder / "d", data_dir=None)
    with pytest.raises(Conflict):
        await asyncio.to_thread(backup, folder / "d", data_dir=None)
    file = folder / "d" / "academy" / "lectures.bson.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(Invalid):
        await asyncio.to_thread(restore, folder / "d", replace=True, data_dir=None)
    (folder / "d" / "manifest.json").unlink()
    with pytest.raises(Invalid):
        await asyncio.to_thread(restore, folder / "d", replace=True, data_dir=None)
    assert await everything(stores) == before


def test_a_running_installation_is_not_restored_into(tmp_path, monkeypatch):
    monkeypatch.delenv("ACADEMY_MONGODB_URL", raising=False)
    directory = DataDirectory(tmp_path / "data")
    running = Running("http://127.0.0.1:1", os.getpid(), "mongodb://127.0.0.1:1", "file:///none")
    directory.announce(running)
    with pytest.raises(SettingsError, match="stop it first"):
        restore(tmp_path / "b", replace=True, data_dir=directory.path)


@pytest.mark.slow
def test_one_machine_is_saved_and_restored_while_nothing_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ACADEMY_MONGODB_URL", raising=False)
    old, new = tmp_path / "old", tmp_path / "new"
    with EmbeddedMongo(old) as mongod, MongoClient[dict[str, Any]](mongod.url) as client:
        client.academy.universities.insert_one({"_id": "kept"})
    backup(tmp_path / "b", data_dir=old)
    restore(tmp_path / "b", replace=False, data_dir=new)
    with EmbeddedMongo(new) as mongod, MongoClient[dict[str, Any]](mongod.url) as client:
        assert client.academy.universities.find_one() == {"_id": "kept"}
    assert "academy migrate" in capsys.readouterr().out
