"""The whole database in files and back: one consistent moment, in the layout of `mongodump --gzip`.

`DIR/academy/{collection}.bson.gz` holds BSON documents one after another, which `mongorestore --gzip`
reads, too. `manifest.json` is written last: without it a backup is not complete. Snapshot reads last as
long as the server's `minSnapshotHistoryWindowInSeconds` (300 s by default); larger databases are saved
with `mongodump --oplog`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from academy.errors import Conflict, Invalid, Unavailable
from academy.mongo.client import while_reachable, worker_client

FOLDER: Final = "academy"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
TRANSIENT: Final = ("idempotency", "rate_limits", "transcoders")
"""Worth nothing later. The search index is made anew from the catalogue (`search_*`)."""
BATCH: Final = 500
_SNAPSHOT_TOO_OLD: Final = 239

Tell = Callable[[str, int], None]
"""A collection's name and how many of its documents are done."""


def kept(name: str) -> bool:
    return name not in TRANSIENT and not name.startswith(("search", "system."))


def export(url: str, database_name: str, folder: Path, tell: Tell) -> dict[str, Any]:
    """The manifest. Conflict when `folder` holds something; Unavailable when it took too long."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: name a new directory.")
    (folder / FOLDER).mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    client: MongoClient[Any] = worker_client(url)
    collections: dict[str, Any] = {}
    try:
        with while_reachable(), client.start_session(snapshot=True) as session:
            database = client[database_name]
            for name in sorted(filter(kept, database.list_collection_names())):
                raw = database.get_collection(
                    name, codec_options=bson.CodecOptions(document_class=RawBSONDocument)
                )
                file = folder / FOLDER / f"{name}.bson.gz"
                count = 0
                with file.open("xb") as plain, gzip.open(plain, "wb") as stream:
                    for document in raw.find({}, session=session):
                        stream.write(document.raw)
                        count += 1
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                collections[name] = {"documents": count, "sha256": digest}
                tell(name, count)
    except OperationFailure as error:
        if error.code == _SNAPSHOT_TOO_OLD:
            raise Unavailable(
                "The database is too large for a snapshot of this length: use mongodump --oplog, or "
                "raise minSnapshotHistoryWindowInSeconds."
            ) from error
        raise
    manifest = {"format": FORMAT, "database": database_name, "collections": collections}
    _write(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return manifest


def checked(folder: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole. Invalid otherwise, before anything was touched."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise Invalid(f"{folder} is no complete backup: its {MANIFEST} cannot be read.") from error
    if manifest.get("format") != FORMAT:
        raise Invalid(f"{folder} was written in another format ({manifest.get('format')}).")
    for name, told in manifest["collections"].items():
        file = folder / FOLDER / f"{name}.bson.gz"
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != told["sha256"]:
            raise Invalid(f"{file} is missing or was changed: take another backup.")
    return manifest


def restore(url: str, database_name: str, folder: Path, tell: Tell, *, replace: bool) -> None:
    """Conflict when the database holds something and it may not be replaced. Interrupted, it is simply
    given again, with `replace`.
    """
    manifest = checked(folder)
    client: MongoClient[Any] = worker_client(url)
    with while_reachable():
        database = client[database_name]
        full = [n for n in filter(kept, database.list_collection_names()) if database[n].find_one()]
        if full and not replace:
            raise Conflict(
                f"The database {database_name} holds {', '.join(sorted(full))}: restore into an empty "
                "one, or give --replace and lose what is there."
            )
        client.drop_database(database_name)
        for name, told in manifest["collections"].items():
            collection = database.get_collection(
                name, codec_options=bson.CodecOptions(document_class=RawBSONDocument)
            )
            count = 0
            for batch in _batches(folder / FOLDER / f"{name}.bson.gz"):
                collection.insert_many(batch)
                count += len(batch)
            if count != told["documents"]:
                raise Invalid(f"{name} has {count} documents instead of {told['documents']}.")
            tell(name, count)


def _batches(file: Path) -> Iterator[list[RawBSONDocument]]:
    batch: list[RawBSONDocument] = []
    with gzip.open(file, "rb") as stream:
        for raw in bson.decode_file_iter(
            cast("BinaryIO", stream), bson.CodecOptions(document_class=RawBSONDocument)
        ):
            batch.append(raw)
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _write(file: Path, text: str) -> None:
    with file.open("x") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
